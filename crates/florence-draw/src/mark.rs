//! Marks: labeled shapes to draw.

use florence_postprocess::{
    Annotation, Answer, Detection, Found, GroundedPhrase, Instance, Outline, Parsed, Region, Shape,
    TextRegion,
};

/// A shape to draw, with its label and confidence.
///
/// # Example
///
/// ```
/// use florence_draw::Mark;
/// use florence_postprocess::BBox;
///
/// let mark = Mark::new(BBox::new(1.0, 2.0, 3.0, 4.0)).with_label("car").with_confidence(0.9);
/// assert_eq!(mark.label, "car");
/// assert_eq!(mark.confidence, Some(0.9));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Mark {
    /// The shape, in pixels of the image. Boxes and quads are outlined; polygons and masks are
    /// outlined and filled.
    pub shape: Shape,
    /// The label; may be empty.
    pub label: String,
    /// A number from 0 to 1, shown after the label. For answers it is the confidence of the shape,
    /// never of the text: `exp` of the mean log-probability of its location tokens.
    pub confidence: Option<f32>,
}

impl Mark {
    /// A shape without a label.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::Mark;
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(Mark::new(BBox::new(1.0, 2.0, 3.0, 4.0)).label, "");
    /// ```
    pub fn new(shape: impl Into<Shape>) -> Self {
        Self {
            shape: shape.into(),
            label: String::new(),
            confidence: None,
        }
    }

    /// With this label.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::Mark;
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(Mark::new(BBox::default()).with_label("car").label, "car");
    /// ```
    #[must_use]
    pub fn with_label(self, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..self
        }
    }

    /// With this confidence, if it is known.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::Mark;
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(Mark::new(BBox::default()).with_confidence(None).confidence, None);
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }
}

impl From<Annotation> for Mark {
    fn from(annotation: Annotation) -> Self {
        Self {
            shape: annotation.shape,
            label: annotation.label,
            confidence: annotation.score,
        }
    }
}

/// What can be drawn: answers, their parts, and lists of those. Implement it for types of your own.
///
/// Plain text gives no marks, and neither do phrases that the reference post-processors drop, such as
/// "the image".
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Marks};
/// use florence_postprocess::{BBox, Region};
///
/// struct Face(Region);
///
/// impl Marks for Face {
///     fn marks(&self) -> Vec<Mark> {
///         vec![Mark::new(self.0.bbox).with_label("face").with_confidence(self.0.confidence)]
///     }
/// }
///
/// let region = Region::new(BBox::new(1.0, 2.0, 3.0, 4.0));
/// assert_eq!(vec![Face(region)].marks()[0].label, "face");
/// ```
pub trait Marks {
    /// The marks, in the order in which they are drawn.
    fn marks(&self) -> Vec<Mark>;
}

impl Marks for Mark {
    fn marks(&self) -> Vec<Mark> {
        vec![self.clone()]
    }
}

impl<M: Marks + ?Sized> Marks for &M {
    fn marks(&self) -> Vec<Mark> {
        (**self).marks()
    }
}

impl<M: Marks> Marks for [M] {
    fn marks(&self) -> Vec<Mark> {
        self.iter().flat_map(Marks::marks).collect()
    }
}

impl<M: Marks> Marks for Vec<M> {
    fn marks(&self) -> Vec<Mark> {
        self.as_slice().marks()
    }
}

impl<M: Marks, const N: usize> Marks for [M; N] {
    fn marks(&self) -> Vec<Mark> {
        self.as_slice().marks()
    }
}

impl Marks for Parsed {
    fn marks(&self) -> Vec<Mark> {
        self.answer.marks()
    }
}

impl Marks for Answer {
    fn marks(&self) -> Vec<Mark> {
        match self {
            Answer::Boxes(detections) => detections.marks(),
            Answer::Proposals(regions) => regions.marks(),
            Answer::Phrases(phrases) => phrases.marks(),
            Answer::Quads(lines) => lines.marks(),
            Answer::Polygons(instances) => instances.marks(),
            Answer::BoxesOrPolygons(found) => found.marks(),
            _ => Vec::new(),
        }
    }
}

impl Marks for Detection {
    fn marks(&self) -> Vec<Mark> {
        let mark = Mark::new(self.bbox).with_label(&self.label);
        vec![mark.with_confidence(self.confidence)]
    }
}

impl Marks for Region {
    fn marks(&self) -> Vec<Mark> {
        vec![Mark::new(self.bbox).with_confidence(self.confidence)]
    }
}

impl Marks for GroundedPhrase {
    fn marks(&self) -> Vec<Mark> {
        if self.skipped_by_reference {
            return Vec::new();
        }
        let regions = self.regions.marks().into_iter();
        regions.map(|mark| mark.with_label(&self.phrase)).collect()
    }
}

impl Marks for TextRegion {
    fn marks(&self) -> Vec<Mark> {
        let mark = Mark::new(self.quad).with_label(&self.text);
        vec![mark.with_confidence(self.confidence)]
    }
}

impl Marks for Outline {
    fn marks(&self) -> Vec<Mark> {
        vec![Mark::new(self.polygon.clone()).with_confidence(self.confidence)]
    }
}

impl Marks for Instance {
    fn marks(&self) -> Vec<Mark> {
        let polygons = self.polygons().cloned().collect::<Vec<_>>();
        let mark = Mark::new(polygons).with_label(&self.label);
        vec![mark.with_confidence(self.confidence)]
    }
}

impl Marks for Found {
    fn marks(&self) -> Vec<Mark> {
        let mut marks = self.detections.marks();
        marks.extend(self.instances.marks());
        marks
    }
}
