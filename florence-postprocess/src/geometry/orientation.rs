//! EXIF orientations.

use std::fmt;

use super::{BBox, Point, Polygon, QuadBox, Shape, Size};

/// The EXIF orientation of a photo: how the stored pixels are rotated and mirrored to the upright
/// photo that viewers and labeling tools show.
///
/// Converts shapes in pixels of the stored image to pixels of the upright one, exactly: pixel edges
/// stay pixel edges.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, Orientation, Size};
///
/// // A photo taken in portrait, stored in landscape.
/// let stored = Size::new(640, 480);
/// let orientation = Orientation::from_exif(6).unwrap();
/// assert_eq!(orientation.upright_size(stored), Size::new(480, 640));
/// let found = BBox::new(10.0, 20.0, 50.0, 30.0);
/// assert_eq!(orientation.upright_bbox(&found, stored), BBox::new(450.0, 10.0, 460.0, 50.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "u8", try_from = "u8"))]
pub enum Orientation {
    /// 1: no change.
    #[default]
    Upright,
    /// 2: mirrored left to right.
    MirroredHorizontally,
    /// 3: rotated by 180 degrees.
    Turned180,
    /// 4: mirrored top to bottom.
    MirroredVertically,
    /// 5: mirrored about the main diagonal.
    Transposed,
    /// 6: rotate by 90 degrees clockwise.
    Turned90,
    /// 7: mirrored about the other diagonal.
    Transversed,
    /// 8: rotate by 90 degrees counterclockwise.
    Turned270,
}

const ALL: [Orientation; 8] = [
    Orientation::Upright,
    Orientation::MirroredHorizontally,
    Orientation::Turned180,
    Orientation::MirroredVertically,
    Orientation::Transposed,
    Orientation::Turned90,
    Orientation::Transversed,
    Orientation::Turned270,
];

/// The orientation as a transposition followed by mirrorings.
pub(super) struct Steps {
    pub(super) transpose: bool,
    pub(super) mirror_x: bool,
    pub(super) mirror_y: bool,
}

impl Orientation {
    /// The orientation with this number of EXIF, 1 to 8.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Orientation;
    ///
    /// assert_eq!(Orientation::from_exif(3), Some(Orientation::Turned180));
    /// assert_eq!(Orientation::from_exif(9), None);
    /// ```
    pub fn from_exif(number: u8) -> Option<Self> {
        ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The number in EXIF, 1 to 8.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Orientation;
    ///
    /// assert_eq!(Orientation::Turned90.to_exif(), 6);
    /// ```
    pub fn to_exif(self) -> u8 {
        self as u8 + 1
    }

    pub(super) fn steps(self) -> Steps {
        let (transpose, mirror_x, mirror_y) = match self {
            Self::Upright => (false, false, false),
            Self::MirroredHorizontally => (false, true, false),
            Self::Turned180 => (false, true, true),
            Self::MirroredVertically => (false, false, true),
            Self::Transposed => (true, false, false),
            Self::Turned90 => (true, true, false),
            Self::Transversed => (true, true, true),
            Self::Turned270 => (true, false, true),
        };
        Steps {
            transpose,
            mirror_x,
            mirror_y,
        }
    }

    /// The size of the upright image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Orientation, Size};
    ///
    /// assert_eq!(Orientation::Turned180.upright_size(Size::new(4, 3)), Size::new(4, 3));
    /// assert_eq!(Orientation::Turned270.upright_size(Size::new(4, 3)), Size::new(3, 4));
    /// ```
    pub fn upright_size(self, stored: Size) -> Size {
        if self.steps().transpose {
            Size::new(stored.height, stored.width)
        } else {
            stored
        }
    }

    /// A point of the stored image (of size `stored`), in the upright image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Orientation, Point, Size};
    ///
    /// let corner = Point::new(0.0, 0.0);
    /// let upright = Orientation::Turned90.upright_point(corner, Size::new(4, 3));
    /// assert_eq!(upright, Point::new(3.0, 0.0));
    /// ```
    pub fn upright_point(self, point: Point, stored: Size) -> Point {
        let steps = self.steps();
        let size = self.upright_size(stored);
        let Point { mut x, mut y } = point;
        if steps.transpose {
            (x, y) = (y, x);
        }
        if steps.mirror_x {
            x = from_the_end(size.width, x);
        }
        if steps.mirror_y {
            y = from_the_end(size.height, y);
        }
        Point::new(x, y)
    }

    /// A box of the stored image, in the upright image. An ordered box stays ordered.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Orientation, Size};
    ///
    /// let left = BBox::new(0.0, 0.0, 1.0, 3.0);
    /// let right = Orientation::MirroredHorizontally.upright_bbox(&left, Size::new(4, 3));
    /// assert_eq!(right, BBox::new(3.0, 0.0, 4.0, 3.0));
    /// ```
    pub fn upright_bbox(self, bbox: &BBox, stored: Size) -> BBox {
        let steps = self.steps();
        let first = self.upright_point(Point::new(bbox.x1, bbox.y1), stored);
        let second = self.upright_point(Point::new(bbox.x2, bbox.y2), stored);
        let ((mut x1, mut x2), (mut y1, mut y2)) = ((first.x, second.x), (first.y, second.y));
        if steps.mirror_x {
            (x1, x2) = (x2, x1);
        }
        if steps.mirror_y {
            (y1, y2) = (y2, y1);
        }
        BBox::new(x1, y1, x2, y2)
    }

    /// A quad of the stored image, in the upright image. The order of the corners is kept: the first
    /// corner stays at the start of the line of text.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Orientation, Point, QuadBox, Size};
    ///
    /// // Text that runs up the stored image runs to the right in the upright one.
    /// let up = QuadBox::from([0.0, 9.0, 0.0, 1.0, 2.0, 1.0, 2.0, 9.0]);
    /// let upright = Orientation::Turned90.upright_quad(&up, Size::new(20, 10));
    /// assert_eq!(upright, QuadBox::from([1.0, 0.0, 9.0, 0.0, 9.0, 2.0, 1.0, 2.0]));
    /// ```
    pub fn upright_quad(self, quad: &QuadBox, stored: Size) -> QuadBox {
        let points = quad.points.map(|point| self.upright_point(point, stored));
        QuadBox { points }
    }

    /// A polygon of the stored image, in the upright image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Orientation, Point, Polygon, Size};
    ///
    /// let outline = Polygon { points: vec![Point::new(1.0, 0.0)] };
    /// let upright = Orientation::Transposed.upright_polygon(&outline, Size::new(4, 3));
    /// assert_eq!(upright.points, [Point::new(0.0, 1.0)]);
    /// ```
    pub fn upright_polygon(self, polygon: &Polygon, stored: Size) -> Polygon {
        let points = polygon.points.iter();
        Polygon {
            points: points
                .map(|point| self.upright_point(*point, stored))
                .collect(),
        }
    }

    /// A shape of the stored image, in the upright image. For masks their own size is used.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Orientation, Shape, Size};
    ///
    /// let shape = Shape::from(BBox::new(0.0, 0.0, 1.0, 1.0));
    /// let upright = Orientation::Turned180.upright_shape(&shape, Size::new(4, 3));
    /// assert_eq!(upright, Shape::from(BBox::new(3.0, 2.0, 4.0, 3.0)));
    /// ```
    pub fn upright_shape(self, shape: &Shape, stored: Size) -> Shape {
        match shape {
            Shape::Box(bbox) => self.upright_bbox(bbox, stored).into(),
            Shape::Quad(quad) => self.upright_quad(quad, stored).into(),
            Shape::Polygons(polygons) => {
                let polygons = polygons.iter();
                let upright = polygons.map(|polygon| self.upright_polygon(polygon, stored));
                Shape::Polygons(upright.collect())
            }
            Shape::Mask(mask) => mask.upright(self).into(),
        }
    }
}

impl From<Orientation> for u8 {
    fn from(orientation: Orientation) -> Self {
        orientation.to_exif()
    }
}

impl TryFrom<u8> for Orientation {
    type Error = UnknownOrientation;

    fn try_from(number: u8) -> Result<Self, UnknownOrientation> {
        Self::from_exif(number).ok_or(UnknownOrientation { number })
    }
}

/// A number that is not one of an EXIF [`Orientation`].
///
/// # Example
///
/// ```
/// use florence_postprocess::Orientation;
///
/// let error = Orientation::try_from(9).unwrap_err();
/// assert_eq!(error.number, 9);
/// assert_eq!(error.to_string(), "expected an EXIF orientation, 1 to 8, got 9");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownOrientation {
    /// The number.
    pub number: u8,
}

impl fmt::Display for UnknownOrientation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected an EXIF orientation, 1 to 8, got {}",
            self.number
        )
    }
}

impl std::error::Error for UnknownOrientation {}

/// `side - at`, computed in f64: an f32 cannot represent every side.
fn from_the_end(side: u32, at: f32) -> f32 {
    (f64::from(side) - f64::from(at)) as f32
}
