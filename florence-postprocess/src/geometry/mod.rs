//! Shapes in pixels of the original image: origin at the top left, x to the right, y down.

mod bbox;
mod clip;
mod contour;
mod decimal;
mod hull;
mod mask;
mod nms;
mod orientation;
mod overlap;
mod polygon;
mod quad;
mod rle;
pub(crate) mod shape;
mod simplify;
mod trace;

pub use bbox::BBox;
pub use contour::Contour;
pub use decimal::decimal;
pub use mask::Mask;
pub use nms::{nms, nms_by_label, soft_nms};
pub use orientation::{Orientation, UnknownOrientation};
pub use overlap::{outlines_area, outlines_iou};
pub use polygon::Polygon;
pub use quad::QuadBox;
pub use rle::{Rle, RleError};
pub use shape::Shape;

/// Width and height of an image in pixels.
///
/// # Example
///
/// ```
/// use florence_postprocess::Size;
///
/// let size = Size::new(640, 480);
/// assert_eq!(size, Size { width: 640, height: 480 });
/// assert_eq!(size, Size::from((640, 480)));
/// assert_eq!(size.to_string(), "640x480");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Size {
    /// A size of `width` × `height` pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Size;
    ///
    /// assert_eq!(Size::new(640, 480).height, 480);
    /// ```
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
}

impl From<(u32, u32)> for Size {
    /// From `(width, height)`, the order of the `image` crate's `dimensions`.
    fn from((width, height): (u32, u32)) -> Self {
        Self { width, height }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A point in pixels of the original image.
///
/// # Example
///
/// ```
/// use florence_postprocess::Point;
///
/// assert_eq!(Point::new(3.0, 4.0), Point { x: 3.0, y: 4.0 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

impl Point {
    /// The point at these coordinates.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Point;
    ///
    /// assert_eq!(Point::new(3.0, 4.0).y, 4.0);
    /// ```
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Whether neither coordinate is NaN or infinite.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Point;
    ///
    /// assert!(Point::new(3.0, 4.0).is_finite());
    /// assert!(!Point::new(3.0, f32::NAN).is_finite());
    /// ```
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }

    /// The straight-line distance to another point, in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Point;
    ///
    /// assert_eq!(Point::new(0.0, 0.0).distance(Point::new(3.0, 4.0)), 5.0);
    /// ```
    pub fn distance(self, other: Point) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Linear interpolation: this point at `t` = 0, the other one at `t` = 1.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Point;
    ///
    /// assert_eq!(Point::new(0.0, 4.0).lerp(Point::new(4.0, 0.0), 0.25), Point::new(1.0, 3.0));
    /// ```
    pub fn lerp(self, other: Point, t: f32) -> Self {
        Self {
            x: self.x * (1.0 - t) + other.x * t,
            y: self.y * (1.0 - t) + other.y * t,
        }
    }
}

/// Twice the signed area of a closed ring (the shoelace formula), in `f64`: positive where the
/// points run clockwise on the screen.
fn shoelace(points: &[Point]) -> f64 {
    let behind = points.iter().cycle().skip(1);
    points
        .iter()
        .zip(behind)
        .map(|(a, b)| f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y))
        .sum()
}

/// The smallest box around some points; `None` without points.
fn around(points: &[Point]) -> Option<BBox> {
    let (first, rest) = points.split_first()?;
    let start = BBox::new(first.x, first.y, first.x, first.y);
    Some(rest.iter().fold(start, |bbox, point| BBox {
        x1: bbox.x1.min(point.x),
        y1: bbox.y1.min(point.y),
        x2: bbox.x2.max(point.x),
        y2: bbox.y2.max(point.y),
    }))
}

/// Whether a point lies inside a closed ring (even-odd rule), in `f64`.
fn encloses(points: &[Point], at: Point) -> bool {
    let exact = |point: &Point| (f64::from(point.x), f64::from(point.y));
    let (x, y) = exact(&at);
    let points = points.iter().map(exact);
    let behind = points.clone().cycle().skip(1);
    let crossings = points
        .zip(behind)
        .filter(|((ax, ay), (bx, by))| {
            (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax
        })
        .count();
    crossings % 2 == 1
}
