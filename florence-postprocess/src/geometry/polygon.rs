//! Polygons.

use super::{BBox, Point, around, encloses, shape, shoelace};

/// A closed polygon in pixels of the original image; the last point is joined to the first.
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
    /// The area in square pixels (shoelace formula); 0 with fewer than three points. Where a polygon
    /// crosses itself, parts of opposite orientation cancel out.
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

    /// The centroid; the mean of the points where there is no area; `None` without points.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let corners = [(0.0, 0.0), (9.0, 0.0), (0.0, 6.0)];
    /// let triangle = Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() };
    /// assert_eq!(triangle.center(), Some(Point::new(3.0, 2.0)));
    /// assert_eq!(Polygon::default().center(), None);
    /// ```
    pub fn center(&self) -> Option<Point> {
        shape::center([self])
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

    /// Several polygons joined to one, for formats that hold one polygon only: from the point of each
    /// that is nearest to the start of the next, an edge of zero width leads there and back. With the
    /// even-odd rule it encloses the same area if the polygons do not overlap. Polygons without points
    /// are left out.
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
        let outlines: Vec<&[Point]> = outlines
            .into_iter()
            .map(|outline| outline.points.as_slice())
            .filter(|points| !points.is_empty())
            .collect();
        let Some((last, before)) = outlines.split_last() else {
            return Polygon::default();
        };
        let pairs = outlines.windows(2);
        let exits: Vec<usize> = pairs.map(|pair| nearest(pair[0], pair[1][0])).collect();
        let mut points = Vec::new();
        for (outline, exit) in before.iter().zip(&exits) {
            points.extend(&outline[..=*exit]);
        }
        points.extend(*last);
        for (pair, exit) in outlines.windows(2).zip(&exits).rev() {
            points.push(pair[1][0]);
            points.extend(&pair[0][*exit..]);
        }
        Polygon { points }
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

/// The index of the point that is nearest to another.
fn nearest(points: &[Point], to: Point) -> usize {
    let distances = points.iter().map(|point| point.distance(to)).enumerate();
    let nearest = distances.min_by(|a, b| a.1.total_cmp(&b.1));
    nearest.map_or(0, |(index, _)| index)
}
