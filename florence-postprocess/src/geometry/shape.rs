//! Boxes, corners, outlines or pixels.

use super::{BBox, Polygon, QuadBox, Rle};

/// Where something is, in pixels of the original image.
///
/// Exhaustive on purpose: a new kind of shape would concern everyone who draws or writes shapes.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, Shape};
///
/// assert_eq!(Shape::from(BBox::default()), Shape::Box(BBox::default()));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(tag = "form", content = "value", rename_all = "snake_case")
)]
pub enum Shape {
    /// An upright box.
    Box(BBox),
    /// Four corners.
    Quad(QuadBox),
    /// The outlines of a thing's parts.
    Polygons(Vec<Polygon>),
    /// The pixels of a thing, in an image of the same size.
    Mask(Rle),
}

impl From<BBox> for Shape {
    fn from(bbox: BBox) -> Self {
        Self::Box(bbox)
    }
}

impl From<QuadBox> for Shape {
    fn from(quad: QuadBox) -> Self {
        Self::Quad(quad)
    }
}

impl From<Polygon> for Shape {
    fn from(polygon: Polygon) -> Self {
        Self::Polygons(vec![polygon])
    }
}

impl From<Vec<Polygon>> for Shape {
    fn from(polygons: Vec<Polygon>) -> Self {
        Self::Polygons(polygons)
    }
}

impl From<Rle> for Shape {
    fn from(rle: Rle) -> Self {
        Self::Mask(rle)
    }
}
