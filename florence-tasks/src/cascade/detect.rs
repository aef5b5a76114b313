//! Objects with descriptions or outlines.

use florence_postprocess::Annotation;
use florence_postprocess::{Detection, Instance, Text};

use super::{Cascade, Steps};
use crate::error::Result;
use crate::typed::{Od, RegionToDescription, RegionToSegmentation};

/// Objects, then a description of each.
///
/// # Example
///
/// ```
/// use florence_tasks::{DetectAndDescribe, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// for object in florence.cascade(DetectAndDescribe, &img)? {
///     assert!(object.description.text.contains(&object.detection.label));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DetectAndDescribe;

/// An object of [`DetectAndDescribe`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Described {
    /// The object.
    pub detection: Detection,
    /// The description of its region.
    pub description: Text,
}

impl Cascade for DetectAndDescribe {
    type Output = Vec<Described>;

    fn run(&self, steps: &mut Steps<'_>) -> Result<Vec<Described>> {
        let detections = steps.ask(Od)?;
        let regions = detections.iter().map(|found| steps.region(&found.bbox));
        let questions = regions.map(RegionToDescription).collect();
        let descriptions = steps.ask_all(questions)?;
        let both = detections.into_iter().zip(descriptions);
        Ok(both
            .map(|(detection, description)| Described {
                detection,
                description,
            })
            .collect())
    }
}

/// Objects, then the outline of each.
///
/// # Example
///
/// ```
/// use florence_tasks::{DetectAndSegment, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// for object in florence.cascade(DetectAndSegment, &img)? {
///     assert!(!object.instances[0].outlines.is_empty());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DetectAndSegment;

/// An object of [`DetectAndSegment`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Segmented {
    /// The object.
    pub detection: Detection,
    /// The instances in its box.
    pub instances: Vec<Instance>,
}

impl Segmented {
    /// The outlines with the label and the confidence of the object, or its box if there are none.
    pub(crate) fn annotations(&self) -> Vec<Annotation> {
        if self.instances.is_empty() {
            return vec![Annotation::from(&self.detection)];
        }
        let outlined = self.instances.iter().map(|instance| {
            let shape = Annotation::from(instance).shape;
            Annotation::new(&self.detection.label, shape).with_score(self.detection.confidence)
        });
        outlined.collect()
    }
}

impl Cascade for DetectAndSegment {
    type Output = Vec<Segmented>;

    fn run(&self, steps: &mut Steps<'_>) -> Result<Vec<Segmented>> {
        let detections = steps.ask(Od)?;
        let regions = detections.iter().map(|found| steps.region(&found.bbox));
        let questions = regions.map(RegionToSegmentation).collect();
        let instances = steps.ask_all(questions)?;
        let both = detections.into_iter().zip(instances);
        Ok(both
            .map(|(detection, instances)| Segmented {
                detection,
                instances,
            })
            .collect())
    }
}
