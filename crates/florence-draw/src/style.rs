//! Drawing options.

use florence_postprocess::Size;

/// Drawing options. The default suits photographs and pages of any size.
///
/// Values out of range, such as a negative stroke, count as the nearest in range; NaN counts as not
/// given.
///
/// # Example
///
/// ```
/// use florence_draw::Style;
///
/// let style = Style::new().with_confidences(false).with_stroke(5.0);
/// assert_ne!(style, Style::default());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Style {
    stroke: Option<f32>,
    font_size: Option<f32>,
    opacity: f32,
    labels: bool,
    confidences: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            stroke: None,
            font_size: None,
            opacity: 0.4,
            labels: true,
            confidences: true,
        }
    }
}

impl Style {
    /// The default: sizes that follow the image's, labels and confidences, an opacity of 0.4.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::Style;
    ///
    /// assert_eq!(Style::new(), Style::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The width of outlines in pixels, 1 to 64; by the size of the image where `None`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::Size;
    ///
    /// let style = Style::new().with_stroke(5.0);
    /// let scene = Scene::new(Size::new(640, 480), &[] as &[Mark], &style);
    /// assert_eq!(scene.stroke(), 5.0);
    /// ```
    #[must_use]
    pub fn with_stroke(self, stroke: impl Into<Option<f32>>) -> Self {
        Self {
            stroke: stroke.into(),
            ..self
        }
    }

    /// The font size in pixels, 6 to 512; by the size of the image where `None`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::Size;
    ///
    /// let style = Style::new().with_font_size(20.0);
    /// let scene = Scene::new(Size::new(640, 480), &[] as &[Mark], &style);
    /// assert_eq!(scene.font_size(), 20.0);
    /// ```
    #[must_use]
    pub fn with_font_size(self, font_size: impl Into<Option<f32>>) -> Self {
        Self {
            font_size: font_size.into(),
            ..self
        }
    }

    /// The opacity of filled shapes, 0 to 1.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::Size;
    ///
    /// let style = Style::new().with_opacity(7.0);
    /// assert_eq!(Scene::new(Size::new(640, 480), &[] as &[Mark], &style).opacity(), 1.0);
    /// ```
    #[must_use]
    pub fn with_opacity(self, opacity: f32) -> Self {
        Self { opacity, ..self }
    }

    /// Whether labels are shown.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
    /// let style = Style::new().with_labels(false);
    /// assert!(Scene::new(Size::new(640, 480), &car, &style).labels().is_empty());
    /// ```
    #[must_use]
    pub fn with_labels(self, labels: bool) -> Self {
        Self { labels, ..self }
    }

    /// Whether confidences are shown.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let bbox = BBox::new(100.0, 100.0, 300.0, 200.0);
    /// let car = Mark::new(bbox).with_label("car").with_confidence(0.9);
    /// let style = Style::new().with_confidences(false);
    /// let scene = Scene::new(Size::new(640, 480), &car, &style);
    /// assert_eq!(scene.labels()[0].text, "car");
    /// ```
    #[must_use]
    pub fn with_confidences(self, confidences: bool) -> Self {
        Self {
            confidences,
            ..self
        }
    }

    pub(crate) fn shows_labels(&self) -> bool {
        self.labels
    }

    pub(crate) fn shows_confidences(&self) -> bool {
        self.confidences
    }

    /// The stroke in whole pixels.
    pub(crate) fn stroke_on(&self, size: Size) -> f32 {
        let given = self.stroke.filter(|stroke| !stroke.is_nan());
        match given {
            Some(stroke) => stroke.clamp(1.0, 64.0),
            None => (extent(size) / 250.0).clamp(1.0, 16.0),
        }
        .round()
    }

    pub(crate) fn font_size_on(&self, size: Size) -> f32 {
        let given = self.font_size.filter(|font_size| !font_size.is_nan());
        match given {
            Some(font_size) => font_size.clamp(6.0, 512.0),
            None => (extent(size) / 48.0).clamp(11.0, 96.0),
        }
        .round()
    }

    pub(crate) fn opacity(&self) -> f32 {
        if self.opacity.is_nan() {
            Self::default().opacity
        } else {
            self.opacity.clamp(0.0, 1.0)
        }
    }
}

/// The side of a square with as many pixels.
fn extent(size: Size) -> f32 {
    (size.width as f32 * size.height as f32).sqrt()
}
