//! What is to be drawn: shapes with names.

use florence_postprocess::Annotation;
use florence_postprocess::{
    Answer, Detection, Found, GroundedPhrase, Instance, Outline, Parsed, Region, Shape, TextRegion,
};

/// A shape, what it is called, and how sure that is.
///
/// # Example
///
/// ```
/// use florence_draw::Mark;
/// use florence_postprocess::BBox;
///
/// let mark = Mark::new(BBox::new(1.0, 2.0, 3.0, 4.0)).label("car").confidence(0.9);
/// assert_eq!(mark.label, "car");
/// assert_eq!(mark.confidence, Some(0.9));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where it is, in pixels of the picture. Boxes and quads are outlined; polygons and masks are
    /// outlined and filled, so that the picture shows through.
    pub shape: Shape,
    /// What it is called; may be empty.
    pub label: String,
    /// A number from 0 to 1 that is shown after the name. For what the model answers it is that of
    /// the place, never of the words: `exp` of the mean log-probability of its location tokens.
    pub confidence: Option<f32>,
}

impl Mark {
    /// A shape without a name.
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

    /// The same with this name.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::Mark;
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(Mark::new(BBox::default()).label("car").label, "car");
    /// ```
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..self
        }
    }

    /// The same with this confidence, if it is known.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::Mark;
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(Mark::new(BBox::default()).confidence(None).confidence, None);
    /// ```
    #[must_use]
    pub fn confidence(self, confidence: impl Into<Option<f32>>) -> Self {
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

/// What can be drawn: answers, their parts, and lists of those.
///
/// Plain text has no place in the picture and gives no marks. Phrases that the published
/// post-processors leave out, such as "the image", are left out too.
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Marks};
/// use florence_postprocess::{BBox, Region};
///
/// /// Something of your own.
/// struct Face(Region);
///
/// impl Marks for Face {
///     fn marks(&self) -> Vec<Mark> {
///         vec![Mark::new(self.0.bbox).label("face").confidence(self.0.confidence)]
///     }
/// }
///
/// let region = Region { bbox: BBox::new(1.0, 2.0, 3.0, 4.0), confidence: None, bins: [1, 2, 3, 4] };
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
        let mark = Mark::new(self.bbox).label(&self.label);
        vec![mark.confidence(self.confidence)]
    }
}

impl Marks for Region {
    fn marks(&self) -> Vec<Mark> {
        vec![Mark::new(self.bbox).confidence(self.confidence)]
    }
}

impl Marks for GroundedPhrase {
    fn marks(&self) -> Vec<Mark> {
        if self.skipped_by_reference {
            return Vec::new();
        }
        let regions = self.regions.marks().into_iter();
        regions.map(|mark| mark.label(&self.phrase)).collect()
    }
}

impl Marks for TextRegion {
    fn marks(&self) -> Vec<Mark> {
        let mark = Mark::new(self.quad).label(&self.text);
        vec![mark.confidence(self.confidence)]
    }
}

impl Marks for Outline {
    fn marks(&self) -> Vec<Mark> {
        vec![Mark::new(self.polygon.clone()).confidence(self.confidence)]
    }
}

impl Marks for Instance {
    fn marks(&self) -> Vec<Mark> {
        let polygons = self.polygons().cloned().collect::<Vec<_>>();
        let mark = Mark::new(polygons).label(&self.label);
        vec![mark.confidence(self.confidence)]
    }
}

impl Marks for Found {
    fn marks(&self) -> Vec<Mark> {
        let mut marks = self.detections.marks();
        marks.extend(self.instances.marks());
        marks
    }
}
