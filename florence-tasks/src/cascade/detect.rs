//! Objects, and more about each of them.

use florence_postprocess::Annotation;
use florence_postprocess::{Detection, Instance, Text};
use serde::Serialize;

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
/// for thing in &florence.cascade(DetectAndDescribe, &img)?.value {
///     println!("{} at {:?}: {}", thing.detection.label, thing.detection.bbox, thing.description.text);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DetectAndDescribe;

/// One of the things that [`DetectAndDescribe`] gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Described {
    /// The object.
    pub detection: Detection,
    /// What its region shows.
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
/// for thing in &florence.cascade(DetectAndSegment, &img)?.value {
///     let outlines = thing.instances.iter().map(|instance| instance.outlines.len());
///     println!("{}: {} outlines", thing.detection.label, outlines.sum::<usize>());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DetectAndSegment;

/// One of the things that [`DetectAndSegment`] gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segmented {
    /// The object.
    pub detection: Detection,
    /// What fills its box.
    pub instances: Vec<Instance>,
}

impl Segmented {
    /// The outlines under the name and with the confidence of the object, or its box where it has
    /// none.
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
