//! Quadrilaterals.

use super::{BBox, Point, Polygon, around, encloses, shoelace};

/// A quadrilateral in pixels of the original image: the corners of a line of text, clockwise from the
/// start of its upper edge, as the model generates them.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, Point, QuadBox};
///
/// let quad = QuadBox::from([10.0, 0.0, 20.0, 10.0, 10.0, 20.0, 0.0, 10.0]);
/// assert_eq!(quad.points[1], Point::new(20.0, 10.0));
/// assert_eq!(quad.area(), 200.0);
/// assert_eq!(quad.to_bbox(), BBox::new(0.0, 0.0, 20.0, 20.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct QuadBox {
    /// The corners.
    pub points: [Point; 4],
}

impl QuadBox {
    /// The smallest axis-aligned box around the four corners.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, QuadBox};
    ///
    /// let quad = QuadBox::from([1.0, 2.0, 9.0, 3.0, 8.0, 7.0, 0.0, 6.0]);
    /// assert_eq!(quad.to_bbox(), BBox::new(0.0, 2.0, 9.0, 7.0));
    /// ```
    pub fn to_bbox(&self) -> BBox {
        around(&self.points).unwrap_or_default()
    }

    /// The same corners as a polygon.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::QuadBox;
    ///
    /// let quad = QuadBox::from([0.0, 0.0, 2.0, 0.0, 2.0, 1.0, 0.0, 1.0]);
    /// assert_eq!(quad.to_polygon().points.len(), 4);
    /// ```
    pub fn to_polygon(&self) -> Polygon {
        Polygon {
            points: self.points.to_vec(),
        }
    }

    /// The area in square pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::QuadBox;
    ///
    /// let quad = QuadBox::from([0.0, 0.0, 2.0, 0.0, 2.0, 1.0, 0.0, 1.0]);
    /// assert_eq!(quad.area(), 2.0);
    /// ```
    pub fn area(&self) -> f32 {
        (shoelace(&self.points).abs() / 2.0) as f32
    }

    /// The mean of the four corners.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, QuadBox};
    ///
    /// let quad = QuadBox::from([0.0, 0.0, 2.0, 0.0, 2.0, 1.0, 0.0, 1.0]);
    /// assert_eq!(quad.center(), Point::new(1.0, 0.5));
    /// ```
    pub fn center(&self) -> Point {
        let [a, b, c, d] = self.points;
        Point::new((a.x + b.x + c.x + d.x) / 4.0, (a.y + b.y + c.y + d.y) / 4.0)
    }

    /// The direction of the first edge in radians: 0 for upright text, positive where the line
    /// falls to the right.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::QuadBox;
    ///
    /// let upright = QuadBox::from([0.0, 0.0, 2.0, 0.0, 2.0, 1.0, 0.0, 1.0]);
    /// assert_eq!(upright.angle(), 0.0);
    /// ```
    pub fn angle(&self) -> f32 {
        let [from, to, ..] = self.points;
        (to.y - from.y).atan2(to.x - from.x)
    }

    /// Whether a point lies inside (even-odd rule).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, QuadBox};
    ///
    /// let diamond = QuadBox::from([10.0, 0.0, 20.0, 10.0, 10.0, 20.0, 0.0, 10.0]);
    /// assert!(diamond.contains(Point::new(10.0, 10.0)));
    /// assert!(!diamond.contains(Point::new(1.0, 1.0)));
    /// ```
    pub fn contains(&self, point: Point) -> bool {
        encloses(&self.points, point)
    }
}

impl From<BBox> for QuadBox {
    /// Clockwise from the top left corner.
    fn from(bbox: BBox) -> Self {
        let BBox { x1, y1, x2, y2 } = bbox;
        Self::from([x1, y1, x2, y1, x2, y2, x1, y2])
    }
}

impl From<[f32; 8]> for QuadBox {
    /// From `[x, y, x, y, x, y, x, y]`.
    fn from([ax, ay, bx, by, cx, cy, dx, dy]: [f32; 8]) -> Self {
        let corner = Point::new;
        Self {
            points: [
                corner(ax, ay),
                corner(bx, by),
                corner(cx, cy),
                corner(dx, dy),
            ],
        }
    }
}
