//! What answers are made of.

use crate::geometry::{BBox, Mask, Polygon, QuadBox, Size};

/// A piece of text that the model wrote.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, Size, parse_text};
///
/// let parsed = parse_text(AnswerForm::Text, "</s><s> A green car. </s>", Size::new(640, 480));
/// assert_eq!(parsed.answer.text(), Some("A green car."));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Text {
    /// The text without surrounding whitespace.
    pub text: String,
    /// `exp` of the mean log-probability of the text's tokens; `None` where those are unknown or
    /// the text is empty.
    pub confidence: Option<f32>,
}

/// A box without a name.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, BBox, Size, parse_text};
///
/// let answer = "</s><s><loc_9><loc_8><loc_7><loc_6></s>";
/// let parsed = parse_text(AnswerForm::Proposals, answer, Size::new(1000, 1000));
/// let region = &parsed.answer.regions()[0];
/// assert_eq!(region.bbox, BBox::new(7.5, 6.5, 9.5, 8.5));
/// assert_eq!(region.bins, [9, 8, 7, 6]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Region {
    /// The box in pixels of the original image, corners in order.
    pub bbox: BBox,
    /// `exp` of the mean log-probability of the four location tokens, the figure that Microsoft's
    /// processor calls the score; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// The four bins as the model gave them: x1, y1, x2, y2, in whatever order.
    pub bins: [u16; 4],
}

/// A named box.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, Size, parse_text};
///
/// let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
/// let parsed = parse_text(AnswerForm::Boxes, answer, Size::new(640, 480));
/// let car = &parsed.answer.detections()[0];
/// assert_eq!(car.label, "car");
/// assert_eq!(car.bbox.x1, 34.88);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Detection {
    /// What it is: the text before the box, without surrounding whitespace. Empty where the model
    /// gave none.
    pub label: String,
    /// The box in pixels of the original image, corners in order.
    pub bbox: BBox,
    /// `exp` of the mean log-probability of the four location tokens, the figure that Microsoft's
    /// processor calls the score; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// The same of the label's tokens.
    pub label_confidence: Option<f32>,
    /// The four bins as the model gave them: x1, y1, x2, y2, in whatever order.
    pub bins: [u16; 4],
}

/// A phrase of a caption and where it is in the image.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, Size, parse_text};
///
/// let answer = "</s><s>the image<loc_0><loc_0><loc_999><loc_999>two cats\
///     <loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8></s>";
/// let parsed = parse_text(AnswerForm::Phrases, answer, Size::new(640, 480));
/// let phrases = parsed.answer.phrases();
/// assert!(phrases[0].skipped_by_reference);
/// assert_eq!(phrases[1].phrase, "two cats");
/// assert_eq!(phrases[1].regions.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GroundedPhrase {
    /// The phrase as the model wrote it, without surrounding whitespace.
    pub phrase: String,
    /// Its boxes; none where the model gave fewer than four locations.
    pub regions: Vec<Region>,
    /// `exp` of the mean log-probability of the phrase's tokens; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// Whether the published post-processors leave this phrase out
    /// ([`SKIPPED_PHRASES`](crate::SKIPPED_PHRASES)).
    pub skipped_by_reference: bool,
}

/// A line of text and the four corners around it.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, BBox, Size, parse_text};
///
/// let answer = "</s><s>STOP<loc_10><loc_10><loc_20><loc_10><loc_20><loc_15><loc_10><loc_15></s>";
/// let parsed = parse_text(AnswerForm::Quads, answer, Size::new(1000, 1000));
/// let line = &parsed.answer.text_regions()[0];
/// assert_eq!(line.text, "STOP");
/// assert_eq!(line.quad.to_bbox(), BBox::new(10.5, 10.5, 20.5, 15.5));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TextRegion {
    /// The text without surrounding whitespace.
    pub text: String,
    /// The corners in pixels of the original image, in the order that the model gave.
    pub quad: QuadBox,
    /// `exp` of the mean log-probability of the eight location tokens; `None` where those are
    /// unknown.
    pub confidence: Option<f32>,
    /// The same of the text's tokens.
    pub text_confidence: Option<f32>,
    /// The eight bins as the model gave them: x, y, x, y, …
    pub bins: [u16; 8],
}

/// One polygon of an [`Instance`].
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, Size, parse_text};
///
/// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
/// let parsed = parse_text(AnswerForm::Polygons, answer, Size::new(1000, 1000));
/// let outline = &parsed.answer.instances()[0].outlines[0];
/// assert_eq!(outline.polygon.area(), 40.5);
/// assert_eq!(outline.bins, [0, 0, 9, 0, 9, 9]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Outline {
    /// The corners in pixels of the original image. At least one; fewer than three are diagnosed.
    pub polygon: Polygon,
    /// `exp` of the mean log-probability of its location tokens; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// The bins as the model gave them: x, y, x, y, …, with an odd last one if there was one.
    pub bins: Vec<u16>,
}

/// A thing outlined by one polygon or, where it is in parts, several.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, Size, parse_text};
///
/// let answer = "</s><s>arms<poly><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9>\
///     <sep><loc_20><loc_0><loc_29><loc_0><loc_29><loc_9></poly></s>";
/// let parsed = parse_text(AnswerForm::BoxesOrPolygons, answer, Size::new(1000, 1000));
/// let arms = &parsed.answer.instances()[0];
/// assert_eq!(arms.label, "arms");
/// assert_eq!(arms.polygons().count(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Instance {
    /// What it is; empty where the model gave no name, as in answers to a referring expression.
    pub label: String,
    /// Its polygons; at least one.
    pub outlines: Vec<Outline>,
    /// `exp` of the mean log-probability of all its location tokens; `None` where those are
    /// unknown.
    pub confidence: Option<f32>,
    /// The same of the label's tokens.
    pub label_confidence: Option<f32>,
}

impl Instance {
    /// The polygons in pixels of the original image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    /// let parsed = parse_text(AnswerForm::Polygons, answer, Size::new(1000, 1000));
    /// let area: f32 = parsed.answer.instances()[0].polygons().map(|polygon| polygon.area()).sum();
    /// assert_eq!(area, 40.5);
    /// ```
    pub fn polygons(&self) -> impl Iterator<Item = &Polygon> {
        self.outlines.iter().map(|outline| &outline.polygon)
    }

    /// The smallest box around all polygons, in pixels of the original image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, BBox, Size, parse_text};
    ///
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    /// let parsed = parse_text(AnswerForm::Polygons, answer, Size::new(1000, 1000));
    /// let bbox = parsed.answer.instances()[0].to_bbox();
    /// assert_eq!(bbox, Some(BBox::new(0.5, 0.5, 9.5, 9.5)));
    /// ```
    pub fn to_bbox(&self) -> Option<BBox> {
        self.polygons()
            .filter_map(Polygon::to_bbox)
            .reduce(|all, bbox| all.hull(&bbox))
    }

    /// The pixels inside any of the polygons, as a mask of the original image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let size = Size::new(1000, 1000);
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9><loc_0><loc_9></s>";
    /// let parsed = parse_text(AnswerForm::Polygons, answer, size);
    /// assert_eq!(parsed.answer.instances()[0].to_mask(size).area(), 81);
    /// ```
    pub fn to_mask(&self, size: Size) -> Mask {
        let mut mask = Mask::new(size);
        for polygon in self.polygons() {
            mask.fill(polygon);
        }
        mask
    }
}

/// What an open-vocabulary answer holds: boxes, outlines, or both.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Answer, AnswerForm, Size, parse_text};
///
/// let answer = "</s><s>head<loc_1><loc_2><loc_3><loc_4>\
///     arms<poly><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></poly></s>";
/// let parsed = parse_text(AnswerForm::BoxesOrPolygons, answer, Size::new(640, 480));
/// let Answer::BoxesOrPolygons(found) = parsed.answer else { unreachable!() };
/// assert_eq!(found.detections[0].label, "head");
/// assert_eq!(found.instances[0].label, "arms");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Found {
    /// The named boxes, in the order of the answer.
    pub detections: Vec<Detection>,
    /// The outlined things, in the order of the answer.
    pub instances: Vec<Instance>,
}
