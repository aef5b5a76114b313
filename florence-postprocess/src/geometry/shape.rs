//! Shapes of any kind.

use super::overlap::union_area;
use super::{BBox, Mask, Point, Polygon, QuadBox, Rle, Size, outlines_iou, shoelace};

/// A shape of any kind, in pixels of the original image.
///
/// Exhaustive on purpose: a new kind of shape concerns everyone who draws or writes shapes.
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
    /// An axis-aligned box.
    Box(BBox),
    /// Four corners.
    Quad(QuadBox),
    /// The outlines of an object's parts.
    Polygons(Vec<Polygon>),
    /// The pixels of an object, in an image of the mask's size.
    Mask(Rle),
}

impl Shape {
    /// The area in square pixels: of the union of polygons (even-odd rule each, like
    /// [`Polygon::iou`]), of the pixels of a mask.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Polygon, QuadBox, Rle, Shape, Size};
    ///
    /// let bbox = BBox::new(1.0, 1.0, 3.0, 4.0);
    /// let quad = QuadBox::from(bbox);
    /// let mask = Rle::from_bbox(&bbox, Size::new(8, 8));
    /// for shape in [Shape::from(bbox), quad.into(), quad.to_polygon().into(), mask.into()] {
    ///     assert_eq!(shape.area(), 6.0);
    /// }
    /// ```
    pub fn area(&self) -> f32 {
        match self {
            Self::Box(bbox) => bbox.area(),
            Self::Quad(quad) => quad.area(),
            Self::Polygons(polygons) => area(polygons),
            Self::Mask(rle) => rle.area() as f32,
        }
    }

    /// The center: of a box, the mean of the corners of a quad, the centroid of polygons weighted by
    /// their areas, the mean of the pixels of a mask. `None` for polygons without points and masks
    /// without pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Point, QuadBox, Rle, Shape, Size};
    ///
    /// let bbox = BBox::new(1.0, 1.0, 3.0, 4.0);
    /// let quad = QuadBox::from(bbox);
    /// let mask = Rle::from_bbox(&bbox, Size::new(8, 8));
    /// for shape in [Shape::from(bbox), quad.into(), quad.to_polygon().into(), mask.into()] {
    ///     assert_eq!(shape.center(), Some(Point::new(2.0, 2.5)));
    /// }
    /// ```
    pub fn center(&self) -> Option<Point> {
        match self {
            Self::Box(bbox) => Some(bbox.center()),
            Self::Quad(quad) => Some(quad.center()),
            Self::Polygons(polygons) => center(polygons),
            Self::Mask(rle) => rle.center(),
        }
    }

    /// The smallest box around the shape; `None` for polygons without points and masks without
    /// pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Rle, Shape, Size};
    ///
    /// let bbox = BBox::new(1.0, 1.0, 3.0, 4.0);
    /// let mask = Shape::from(Rle::from_bbox(&bbox, Size::new(8, 8)));
    /// assert_eq!(mask.to_bbox(), Some(bbox));
    /// assert_eq!(Shape::Polygons(Vec::new()).to_bbox(), None);
    /// ```
    pub fn to_bbox(&self) -> Option<BBox> {
        match self {
            Self::Box(bbox) => Some(*bbox),
            Self::Quad(quad) => Some(quad.to_bbox()),
            Self::Polygons(polygons) => polygons
                .iter()
                .filter_map(Polygon::to_bbox)
                .reduce(|all, bbox| all.hull(&bbox)),
            Self::Mask(rle) => rle.to_bbox(),
        }
    }

    /// Intersection over union, from 0 to 1: of the exact areas ([`BBox::iou`], [`Polygon::iou`]; of
    /// several polygons their union), and of pixels where one of the shapes is a mask. 0 for two masks
    /// of images of different sizes.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, QuadBox, Rle, Shape, Size};
    ///
    /// let (left, right) = (BBox::new(0.0, 0.0, 4.0, 2.0), BBox::new(2.0, 0.0, 6.0, 2.0));
    /// let mask = Rle::from_bbox(&left, Size::new(8, 2));
    /// for left in [Shape::from(left), QuadBox::from(left).into(), mask.into()] {
    ///     assert_eq!(left.iou(&right.into()), 1.0 / 3.0);
    /// }
    /// ```
    pub fn iou(&self, other: &Self) -> f32 {
        match (self, other) {
            (Self::Box(a), Self::Box(b)) => a.iou(b),
            (Self::Mask(a), Self::Mask(b)) => a.iou(b) as f32,
            (Self::Mask(mask), shape) | (shape, Self::Mask(mask)) => {
                mask.iou(&Rle::from(&shape.to_mask(mask.size()))) as f32
            }
            (a, b) => outlines_iou(&a.outlines(), &b.outlines()),
        }
    }

    /// The pixels whose center lies inside the shape, of an image of this size; see
    /// [`Mask::fill_shape`]. No pixel for a shape between all centers.
    ///
    /// # Panics
    ///
    /// Where the memory of the mask cannot be allocated, like any vector.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Shape, Size};
    ///
    /// let mask = Shape::from(BBox::new(0.5, 0.5, 3.4, 2.6)).to_mask(Size::new(8, 8));
    /// assert_eq!(mask.area(), 9);
    /// assert!(mask.contains(0, 0) && mask.contains(2, 2));
    /// ```
    pub fn to_mask(&self, size: Size) -> Mask {
        let mut mask = Mask::new(size);
        mask.fill_shape(self);
        mask
    }

    /// The outlines of a shape that is no mask.
    fn outlines(&self) -> Vec<Polygon> {
        match self {
            Self::Box(bbox) => vec![QuadBox::from(*bbox).to_polygon()],
            Self::Quad(quad) => vec![quad.to_polygon()],
            Self::Polygons(polygons) => polygons.clone(),
            Self::Mask(_) => Vec::new(),
        }
    }
}

/// The area of the union of some polygons.
pub(crate) fn area<'a>(polygons: impl IntoIterator<Item = &'a Polygon>) -> f32 {
    let rings: Vec<&[Point]> = polygons.into_iter().map(|p| p.points.as_slice()).collect();
    match rings.as_slice() {
        // A triangle cannot cross itself.
        [triangle] if triangle.len() <= 3 => (shoelace(triangle).abs() / 2.0) as f32,
        rings => union_area(rings) as f32,
    }
}

/// The centroid of some polygons, each weighted by its area; the mean of all points where no polygon
/// has an area; `None` without points.
pub(crate) fn center<'a>(polygons: impl IntoIterator<Item = &'a Polygon>) -> Option<Point> {
    let rings: Vec<&[Point]> = polygons.into_iter().map(|p| p.points.as_slice()).collect();
    let all = || rings.iter().copied().flatten();
    let first = all().next()?;
    let (mut area, mut sum_x, mut sum_y) = (0.0, 0.0, 0.0);
    for ring in &rings {
        let (twice, x, y) = moments(ring, *first);
        if twice != 0.0 {
            area += twice.abs();
            sum_x += x * twice.signum();
            sum_y += y * twice.signum();
        }
    }
    let (x, y) = if area > 0.0 && area.is_finite() {
        (sum_x / (3.0 * area), sum_y / (3.0 * area))
    } else {
        let count = all().count() as f64;
        let sum = |coordinate: fn(&Point) -> f32| {
            all()
                .map(|point| f64::from(coordinate(point)) - f64::from(coordinate(first)))
                .sum::<f64>()
        };
        (sum(|point| point.x) / count, sum(|point| point.y) / count)
    };
    Some(Point::new(
        (f64::from(first.x) + x) as f32,
        (f64::from(first.y) + y) as f32,
    ))
}

/// Twice the signed area of a ring, and six times its first moments, around an origin.
fn moments(ring: &[Point], origin: Point) -> (f64, f64, f64) {
    let relative = |point: &Point| {
        (
            f64::from(point.x) - f64::from(origin.x),
            f64::from(point.y) - f64::from(origin.y),
        )
    };
    let behind = ring.iter().cycle().skip(1);
    let edges = ring.iter().map(relative).zip(behind.map(relative));
    edges.fold((0.0, 0.0, 0.0), |(twice, x, y), ((ax, ay), (bx, by))| {
        let cross = ax * by - bx * ay;
        (twice + cross, x + (ax + bx) * cross, y + (ay + by) * cross)
    })
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
