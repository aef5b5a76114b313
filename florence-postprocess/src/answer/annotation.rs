//! Annotations: what all localized answers have in common.

use super::{Answer, Detection, GroundedPhrase, Instance, Region, TextRegion};
use crate::geometry::{Shape, nms_by_label};

/// A labeled shape with a score: what all localized answers have in common, and what `florence-export`
/// writes.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Annotation, BBox};
///
/// let car = Annotation::new("car", BBox::new(34.0, 160.0, 597.0, 371.0)).with_score(0.9);
/// assert_eq!(car.score, Some(0.9));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Annotation {
    /// The label; for lines of text the text itself.
    pub label: String,
    /// The shape, in pixels of the original image.
    pub shape: Shape,
    /// The confidence from 0 to 1, where known.
    pub score: Option<f32>,
}

impl Annotation {
    /// A labeled shape without a score.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Annotation, QuadBox};
    ///
    /// let quad = QuadBox::from([0.0, 0.0, 2.0, 0.0, 2.0, 1.0, 0.0, 1.0]);
    /// assert_eq!(Annotation::new("STOP", quad).label, "STOP");
    /// ```
    pub fn new(label: impl Into<String>, shape: impl Into<Shape>) -> Self {
        Self {
            label: label.into(),
            shape: shape.into(),
            score: None,
        }
    }

    /// With this score.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Annotation, BBox};
    ///
    /// let car = Annotation::new("car", BBox::new(0.0, 0.0, 2.0, 1.0)).with_score(0.5);
    /// assert_eq!(car.score, Some(0.5));
    /// ```
    #[must_use]
    pub fn with_score(self, score: impl Into<Option<f32>>) -> Self {
        Self {
            score: score.into(),
            ..self
        }
    }

    /// All localized parts of an answer, in order; none for text answers. Region proposals and
    /// answers to a referring expression have an empty label. A phrase gives one annotation for each
    /// of its boxes, phrases that the reference post-processors drop included.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Annotation, AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s>two cats<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8></s>";
    /// let parsed = parse_text(AnswerForm::Phrases, answer, Size::new(640, 480));
    /// let cats = Annotation::from_answer(&parsed.answer);
    /// assert_eq!(cats.len(), 2);
    /// assert_eq!(cats[1].label, "two cats");
    /// ```
    pub fn from_answer(answer: &Answer) -> Vec<Self> {
        let regions = answer.regions().iter().map(Self::from);
        let detections = answer.detections().iter().map(Self::from);
        let phrases = answer.phrases().iter().flat_map(Self::from_phrase);
        let lines = answer.text_regions().iter().map(Self::from);
        let instances = answer.instances().iter().map(Self::from);
        regions
            .chain(detections)
            .chain(phrases)
            .chain(lines)
            .chain(instances)
            .collect()
    }

    /// Non-maximum suppression ([`nms_by_label`]) by score and [`Shape::iou`]: the indices of the
    /// annotations that are kept, best first. One without a score counts as certain.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Annotation, BBox};
    ///
    /// let car = |x, score| Annotation::new("car", BBox::new(x, 0.0, x + 9.0, 9.0)).with_score(score);
    /// let found = [car(0.0, 0.4), car(1.0, 0.7), car(50.0, 0.2)];
    /// assert_eq!(Annotation::nms(&found, 0.5), [1, 2]);
    /// ```
    pub fn nms(found: &[Self], threshold: f32) -> Vec<usize> {
        nms_by_label(
            found,
            threshold,
            |found| found.label.as_str(),
            |found| found.score.unwrap_or(1.0),
            |a, b| a.shape.iou(&b.shape),
        )
    }

    /// One annotation for each box of a phrase.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Annotation, AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s>a cat<loc_1><loc_2><loc_3><loc_4>it<loc_1><loc_2><loc_3><loc_4></s>";
    /// let parsed = parse_text(AnswerForm::Phrases, answer, Size::new(640, 480));
    /// let phrases = parsed.answer.phrases().iter().filter(|phrase| !phrase.skipped_by_reference);
    /// let cats: Vec<_> = phrases.flat_map(Annotation::from_phrase).collect();
    /// assert_eq!(cats.len(), 1);
    /// ```
    pub fn from_phrase(phrase: &GroundedPhrase) -> impl Iterator<Item = Self> {
        phrase.regions.iter().map(|region| Self {
            label: phrase.phrase.clone(),
            ..Self::from(region)
        })
    }
}

impl From<&Region> for Annotation {
    fn from(region: &Region) -> Self {
        Self::new("", region.bbox).with_score(region.confidence)
    }
}

impl From<&Detection> for Annotation {
    fn from(found: &Detection) -> Self {
        Self::new(&found.label, found.bbox).with_score(found.confidence)
    }
}

impl From<&TextRegion> for Annotation {
    fn from(line: &TextRegion) -> Self {
        Self::new(&line.text, line.quad).with_score(line.confidence)
    }
}

impl From<&Instance> for Annotation {
    fn from(instance: &Instance) -> Self {
        let polygons = instance.polygons().cloned().collect();
        Self::new(&instance.label, Shape::Polygons(polygons)).with_score(instance.confidence)
    }
}
