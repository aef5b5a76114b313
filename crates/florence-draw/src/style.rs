//! How things look.

use florence_postprocess::Size;

/// How marks are drawn. The default suits photographs and pages of any size.
///
/// Numbers that make no sense, such as a negative stroke, count as the nearest that do, and those
/// that are no numbers as not given.
///
/// # Example
///
/// ```
/// use florence_draw::Style;
///
/// let style = Style { confidences: false, stroke: Some(5.0), ..Style::default() };
/// assert!(style.labels);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// The width of outlines in pixels, from 1 to 64; without it, by the picture's size.
    pub stroke: Option<f32>,
    /// The size of letters in pixels, from 6 to 512; without it, by the picture's size.
    pub font_size: Option<f32>,
    /// How much of its colour a filled shape has, from 0 to 1.
    pub opacity: f32,
    /// Whether names are shown.
    pub labels: bool,
    /// Whether confidences are shown.
    pub confidences: bool,
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
    /// The stroke in whole pixels.
    pub(super) fn stroke_on(&self, size: Size) -> f32 {
        let given = self.stroke.filter(|stroke| !stroke.is_nan());
        match given {
            Some(stroke) => stroke.clamp(1.0, 64.0),
            None => (extent(size) / 250.0).clamp(1.0, 16.0),
        }
        .round()
    }

    pub(super) fn font_size_on(&self, size: Size) -> f32 {
        let given = self.font_size.filter(|font_size| !font_size.is_nan());
        match given {
            Some(font_size) => font_size.clamp(6.0, 512.0),
            None => (extent(size) / 48.0).clamp(11.0, 96.0),
        }
        .round()
    }

    pub(super) fn opacity(&self) -> f32 {
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
