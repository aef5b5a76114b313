//! Outlines.

use super::{BBox, Point, around, encloses, shoelace};

/// A closed outline in pixels of the original image; the last point is joined to the first.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, Point, Polygon};
///
/// let triangle = Polygon::from(vec![
///     Point::new(0.0, 0.0),
///     Point::new(8.0, 0.0),
///     Point::new(0.0, 6.0),
/// ]);
/// assert_eq!(triangle.area(), 24.0);
/// assert_eq!(triangle.perimeter(), 24.0);
/// assert_eq!(triangle.to_bbox(), Some(BBox::new(0.0, 0.0, 8.0, 6.0)));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Polygon {
    /// The corners in order.
    pub points: Vec<Point>,
}

impl Polygon {
    /// The area inside the outline in square pixels; 0 with fewer than three points. Where an
    /// outline crosses itself, parts that are run round in opposite directions cancel out.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0)];
    /// let points = corners.map(|(x, y)| Point::new(x, y)).to_vec();
    /// assert_eq!(Polygon { points }.area(), 12.0);
    /// ```
    pub fn area(&self) -> f32 {
        (shoelace(&self.points).abs() / 2.0) as f32
    }

    /// The length of the closed outline in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let there_and_back = Polygon { points: vec![Point::new(0.0, 0.0), Point::new(5.0, 0.0)] };
    /// assert_eq!(there_and_back.perimeter(), 10.0);
    /// ```
    pub fn perimeter(&self) -> f32 {
        let behind = self.points.iter().cycle().skip(1);
        self.points
            .iter()
            .zip(behind)
            .map(|(a, b)| a.distance(*b))
            .sum()
    }

    /// The smallest axis-aligned box around the points; `None` without points.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Point, Polygon};
    ///
    /// let line = Polygon { points: vec![Point::new(3.0, 5.0), Point::new(1.0, 9.0)] };
    /// assert_eq!(line.to_bbox(), Some(BBox::new(1.0, 5.0, 3.0, 9.0)));
    /// assert_eq!(Polygon::default().to_bbox(), None);
    /// ```
    pub fn to_bbox(&self) -> Option<BBox> {
        around(&self.points)
    }

    /// One outline for several: from each on, an edge of no width leads to the next and back. With
    /// the even-odd rule it encloses the same, where the outlines do not overlap; formats that
    /// have room for one outline only are written so. Outlines without points are left out.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let square = |x| {
    ///     let corners = [(x, 0.0), (x + 2.0, 0.0), (x + 2.0, 2.0), (x, 2.0)];
    ///     Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() }
    /// };
    /// let both = Polygon::joined(&[square(0.0), square(5.0)]);
    /// assert_eq!(both.points.len(), 10);
    /// assert_eq!(both.area(), 8.0);
    /// assert!(both.contains(Point::new(6.0, 1.0)) && !both.contains(Point::new(3.0, 1.0)));
    /// ```
    pub fn joined<'a>(outlines: impl IntoIterator<Item = &'a Polygon>) -> Polygon {
        let mut joined: Vec<Point> = Vec::new();
        for outline in outlines {
            let Some(first) = outline.points.first() else {
                continue;
            };
            let distances = joined.iter().map(|point| point.distance(*first));
            let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            let Some((nearest, _)) = nearest else {
                joined.clone_from(&outline.points);
                continue;
            };
            let back = [*first, joined[nearest]];
            let detour = outline.points.iter().copied().chain(back);
            joined.splice(nearest + 1..nearest + 1, detour);
        }
        Polygon { points: joined }
    }

    /// Whether a point lies inside the outline (even-odd rule).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0)];
    /// let square = Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() };
    /// assert!(square.contains(Point::new(1.0, 1.0)));
    /// assert!(!square.contains(Point::new(5.0, 1.0)));
    /// ```
    pub fn contains(&self, point: Point) -> bool {
        encloses(&self.points, point)
    }
}

impl From<Vec<Point>> for Polygon {
    fn from(points: Vec<Point>) -> Self {
        Self { points }
    }
}
