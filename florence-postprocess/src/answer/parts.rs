//! The parts of answers.

use crate::geometry::{BBox, Mask, Point, Polygon, QuadBox, Size, shape};
use crate::phrases::is_skipped_phrase;

/// A generated text.
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
#[non_exhaustive]
pub struct Text {
    /// The text without surrounding whitespace.
    pub text: String,
    /// `exp` of the mean log-probability of the text's tokens; `None` where those are unknown or
    /// the text is empty.
    pub confidence: Option<f32>,
}

impl Text {
    /// A text of unknown confidence.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Text;
    ///
    /// assert_eq!(Text::new("A car.").text, "A car.");
    /// assert_eq!(Text::new("A car.").confidence, None);
    /// ```
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            confidence: None,
        }
    }

    /// With this confidence.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Text;
    ///
    /// assert_eq!(Text::new("A car.").with_confidence(0.9).confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }
}

/// A box without a label.
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
#[non_exhaustive]
pub struct Region {
    /// The box in pixels of the original image, corners in order.
    pub bbox: BBox,
    /// `exp` of the mean log-probability of the four location tokens, the score of Microsoft's
    /// processor; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// The four bins as generated: x1, y1, x2, y2, not ordered. Zeros where the box does not come
    /// from a model.
    pub bins: [u16; 4],
}

impl Region {
    /// A box of unknown confidence and bins.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Region};
    ///
    /// let region = Region::new(BBox::new(1.0, 2.0, 3.0, 4.0));
    /// assert_eq!(region.bbox.x2, 3.0);
    /// assert_eq!(region.confidence, None);
    /// ```
    pub fn new(bbox: BBox) -> Self {
        Self {
            bbox,
            confidence: None,
            bins: [0; 4],
        }
    }

    /// With this confidence.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Region};
    ///
    /// assert_eq!(Region::new(BBox::default()).with_confidence(0.9).confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }

    /// With these bins.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Region};
    ///
    /// assert_eq!(Region::new(BBox::default()).with_bins([1, 2, 3, 4]).bins, [1, 2, 3, 4]);
    /// ```
    #[must_use]
    pub fn with_bins(self, bins: [u16; 4]) -> Self {
        Self { bins, ..self }
    }
}

/// A labeled box.
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
#[non_exhaustive]
pub struct Detection {
    /// The text before the box, without surrounding whitespace. Empty where there is none.
    pub label: String,
    /// The box in pixels of the original image, corners in order.
    pub bbox: BBox,
    /// `exp` of the mean log-probability of the four location tokens, the score of Microsoft's
    /// processor; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// `exp` of the mean log-probability of the label's tokens.
    pub label_confidence: Option<f32>,
    /// The four bins as generated: x1, y1, x2, y2, not ordered. Zeros where the box does not come
    /// from a model.
    pub bins: [u16; 4],
}

impl Detection {
    /// A labeled box of unknown confidence and bins.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Detection};
    ///
    /// let car = Detection::new("car", BBox::new(1.0, 2.0, 3.0, 4.0));
    /// assert_eq!((car.label.as_str(), car.confidence), ("car", None));
    /// ```
    pub fn new(label: impl Into<String>, bbox: BBox) -> Self {
        Self {
            label: label.into(),
            bbox,
            confidence: None,
            label_confidence: None,
            bins: [0; 4],
        }
    }

    /// With this confidence of the box.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Detection};
    ///
    /// let car = Detection::new("car", BBox::default()).with_confidence(0.9);
    /// assert_eq!(car.confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }

    /// With this confidence of the label.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Detection};
    ///
    /// let car = Detection::new("car", BBox::default()).with_label_confidence(0.8);
    /// assert_eq!(car.label_confidence, Some(0.8));
    /// ```
    #[must_use]
    pub fn with_label_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            label_confidence: confidence.into(),
            ..self
        }
    }

    /// With these bins.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Detection};
    ///
    /// let car = Detection::new("car", BBox::default()).with_bins([1, 2, 3, 4]);
    /// assert_eq!(car.bins, [1, 2, 3, 4]);
    /// ```
    #[must_use]
    pub fn with_bins(self, bins: [u16; 4]) -> Self {
        Self { bins, ..self }
    }
}

/// A phrase of a caption, grounded in the image.
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
#[non_exhaustive]
pub struct GroundedPhrase {
    /// The phrase as generated, without surrounding whitespace.
    pub phrase: String,
    /// Its boxes; none where fewer than four locations follow it.
    pub regions: Vec<Region>,
    /// `exp` of the mean log-probability of the phrase's tokens; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// Whether the reference post-processors drop this phrase
    /// ([`SKIPPED_PHRASES`](crate::SKIPPED_PHRASES)).
    pub skipped_by_reference: bool,
}

impl GroundedPhrase {
    /// A phrase with its boxes, of unknown confidence.
    /// [`skipped_by_reference`](GroundedPhrase::skipped_by_reference) is looked up.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, GroundedPhrase, Region};
    ///
    /// let cats = GroundedPhrase::new("two cats", vec![Region::new(BBox::new(1.0, 2.0, 3.0, 4.0))]);
    /// assert!(!cats.skipped_by_reference);
    /// assert!(GroundedPhrase::new("the image", Vec::new()).skipped_by_reference);
    /// ```
    pub fn new(phrase: impl Into<String>, regions: Vec<Region>) -> Self {
        let phrase = phrase.into();
        Self {
            skipped_by_reference: is_skipped_phrase(&phrase),
            phrase,
            regions,
            confidence: None,
        }
    }

    /// With this confidence of the phrase.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::GroundedPhrase;
    ///
    /// let cats = GroundedPhrase::new("two cats", Vec::new()).with_confidence(0.9);
    /// assert_eq!(cats.confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }
}

/// A line of text with its quad.
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
#[non_exhaustive]
pub struct TextRegion {
    /// The text without surrounding whitespace.
    pub text: String,
    /// The corners in pixels of the original image, in the order generated.
    pub quad: QuadBox,
    /// `exp` of the mean log-probability of the eight location tokens; `None` where those are
    /// unknown.
    pub confidence: Option<f32>,
    /// `exp` of the mean log-probability of the text's tokens.
    pub text_confidence: Option<f32>,
    /// The eight bins as generated: x, y, x, y, … Zeros where the line does not come from a model.
    pub bins: [u16; 8],
}

impl TextRegion {
    /// A line of text of unknown confidence and bins, as any OCR has them.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{QuadBox, TextRegion};
    ///
    /// let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
    /// let stop = TextRegion::new("STOP", quad);
    /// assert_eq!((stop.text.as_str(), stop.quad), ("STOP", quad));
    /// ```
    pub fn new(text: impl Into<String>, quad: QuadBox) -> Self {
        Self {
            text: text.into(),
            quad,
            confidence: None,
            text_confidence: None,
            bins: [0; 8],
        }
    }

    /// With this confidence of the quad.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{QuadBox, TextRegion};
    ///
    /// let stop = TextRegion::new("STOP", QuadBox::default()).with_confidence(0.9);
    /// assert_eq!(stop.confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }

    /// With this confidence of the text.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{QuadBox, TextRegion};
    ///
    /// let stop = TextRegion::new("STOP", QuadBox::default()).with_text_confidence(0.8);
    /// assert_eq!(stop.text_confidence, Some(0.8));
    /// ```
    #[must_use]
    pub fn with_text_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            text_confidence: confidence.into(),
            ..self
        }
    }

    /// With these bins.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{QuadBox, TextRegion};
    ///
    /// let stop = TextRegion::new("STOP", QuadBox::default()).with_bins([1, 2, 3, 4, 5, 6, 7, 8]);
    /// assert_eq!(stop.bins[7], 8);
    /// ```
    #[must_use]
    pub fn with_bins(self, bins: [u16; 8]) -> Self {
        Self { bins, ..self }
    }
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
#[non_exhaustive]
pub struct Outline {
    /// The corners in pixels of the original image. At least one; fewer than three are diagnosed.
    pub polygon: Polygon,
    /// `exp` of the mean log-probability of its location tokens; `None` where those are unknown.
    pub confidence: Option<f32>,
    /// The bins as generated: x, y, x, y, …, with an unpaired last one if there was one. Empty where
    /// the outline does not come from a model.
    pub bins: Vec<u16>,
}

impl Outline {
    /// A polygon of unknown confidence and bins.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Outline, Point, Polygon};
    ///
    /// let corners = [(0.0, 0.0), (9.0, 0.0), (9.0, 9.0)];
    /// let outline = Outline::new(Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() });
    /// assert_eq!(outline.polygon.area(), 40.5);
    /// ```
    pub fn new(polygon: Polygon) -> Self {
        Self {
            polygon,
            confidence: None,
            bins: Vec::new(),
        }
    }

    /// With this confidence.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Outline, Polygon};
    ///
    /// assert_eq!(Outline::new(Polygon::default()).with_confidence(0.9).confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }

    /// With these bins.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Outline, Polygon};
    ///
    /// assert_eq!(Outline::new(Polygon::default()).with_bins(vec![1, 2]).bins, [1, 2]);
    /// ```
    #[must_use]
    pub fn with_bins(self, bins: Vec<u16>) -> Self {
        Self { bins, ..self }
    }
}

/// An object outlined by one polygon or, where it is in several parts, more.
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
#[non_exhaustive]
pub struct Instance {
    /// The label; empty where there is none, as in answers to a referring expression.
    pub label: String,
    /// Its polygons; at least one.
    pub outlines: Vec<Outline>,
    /// `exp` of the mean log-probability of all its location tokens; `None` where those are
    /// unknown.
    pub confidence: Option<f32>,
    /// `exp` of the mean log-probability of the label's tokens.
    pub label_confidence: Option<f32>,
}

impl Instance {
    /// An instance of these polygons, of unknown confidence.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Instance, Point, Polygon};
    ///
    /// let corners = [(0.0, 0.0), (9.0, 0.0), (9.0, 9.0)].map(|(x, y)| Point::new(x, y));
    /// let arm = Instance::new("arm", [Polygon { points: corners.to_vec() }]);
    /// assert_eq!((arm.label.as_str(), arm.outlines.len()), ("arm", 1));
    /// ```
    pub fn new(label: impl Into<String>, polygons: impl IntoIterator<Item = Polygon>) -> Self {
        Self {
            label: label.into(),
            outlines: polygons.into_iter().map(Outline::new).collect(),
            confidence: None,
            label_confidence: None,
        }
    }

    /// With this confidence of the polygons.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Instance, Polygon};
    ///
    /// let arm = Instance::new("arm", [Polygon::default()]).with_confidence(0.9);
    /// assert_eq!(arm.confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }

    /// With this confidence of the label.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Instance, Polygon};
    ///
    /// let arm = Instance::new("arm", [Polygon::default()]).with_label_confidence(0.8);
    /// assert_eq!(arm.label_confidence, Some(0.8));
    /// ```
    #[must_use]
    pub fn with_label_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            label_confidence: confidence.into(),
            ..self
        }
    }

    /// The area of the union of all polygons in square pixels, like
    /// [`Shape::area`](crate::Shape::area).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    /// let parsed = parse_text(AnswerForm::Polygons, answer, Size::new(1000, 1000));
    /// assert_eq!(parsed.answer.instances()[0].area(), 40.5);
    /// ```
    pub fn area(&self) -> f32 {
        shape::area(self.polygons())
    }

    /// The centroid of all polygons, like [`Shape::center`](crate::Shape::center); `None` without
    /// points.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Point, Size, parse_text};
    ///
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    /// let parsed = parse_text(AnswerForm::Polygons, answer, Size::new(1000, 1000));
    /// assert_eq!(parsed.answer.instances()[0].center(), Some(Point::new(6.5, 3.5)));
    /// ```
    pub fn center(&self) -> Option<Point> {
        shape::center(self.polygons())
    }

    /// The polygons in pixels of the original image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    /// let parsed = parse_text(AnswerForm::Polygons, answer, Size::new(1000, 1000));
    /// let mut polygons = parsed.answer.instances()[0].polygons();
    /// assert_eq!(polygons.next().map(|polygon| polygon.points.len()), Some(3));
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

/// An open-vocabulary answer: boxes, polygons, or both.
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
#[non_exhaustive]
pub struct Found {
    /// The labeled boxes, in the order of the answer.
    pub detections: Vec<Detection>,
    /// The instances, in the order of the answer.
    pub instances: Vec<Instance>,
}

impl Found {
    /// These boxes and instances.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Detection, Found};
    ///
    /// let found = Found::new(vec![Detection::new("head", BBox::default())], Vec::new());
    /// assert_eq!(found.detections[0].label, "head");
    /// assert!(found.instances.is_empty());
    /// ```
    pub fn new(detections: Vec<Detection>, instances: Vec<Instance>) -> Self {
        Self {
            detections,
            instances,
        }
    }
}
