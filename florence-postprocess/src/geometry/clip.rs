//! Polygon clipping.

use super::{BBox, Point, Polygon};

impl Polygon {
    /// The polygon clipped to a box (Sutherland-Hodgman), without points that are not finite. Empty
    /// where nothing is left or the box is not [ordered](BBox::is_ordered).
    ///
    /// Parts of a concave polygon that the box separates stay joined by edges of zero width along
    /// the box.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Point, Polygon, Size};
    ///
    /// let corners = [(-4.0, 0.0), (4.0, 0.0), (4.0, 3.0), (-4.0, 3.0)];
    /// let square = Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() };
    /// let inside = square.clip(&BBox::whole(Size::new(640, 480)));
    /// assert_eq!(inside.to_bbox(), Some(BBox::new(0.0, 0.0, 4.0, 3.0)));
    /// assert_eq!(inside.area(), 12.0);
    /// ```
    #[must_use]
    pub fn clip(&self, region: &BBox) -> Polygon {
        if !region.is_ordered() {
            return Polygon::default();
        }
        let [x1, y1, x2, y2] = region.to_array().map(f64::from);
        let finite = self.points.iter().filter(|point| point.is_finite());
        let mut ring: Vec<[f64; 2]> = finite
            .map(|point| [point.x.into(), point.y.into()])
            .collect();
        for (axis, edge, side) in [(0, x1, 1.0), (0, x2, -1.0), (1, y1, 1.0), (1, y2, -1.0)] {
            ring = cut(&ring, axis, edge, side);
        }
        let mut points: Vec<Point> = ring
            .into_iter()
            // Rounding may not lead outside; no negative zeros.
            .map(|[x, y]| (x.clamp(x1, x2) as f32 + 0.0, y.clamp(y1, y2) as f32 + 0.0))
            .map(|(x, y)| Point::new(x, y))
            .collect();
        points.dedup();
        while points.len() > 1 && points.first() == points.last() {
            points.pop();
        }
        Polygon { points }
    }
}

/// The part of a ring where `side · (coordinate - edge)` is not negative.
fn cut(ring: &[[f64; 2]], axis: usize, edge: f64, side: f64) -> Vec<[f64; 2]> {
    let inside = |point: &[f64; 2]| side * (point[axis] - edge) >= 0.0;
    let mut kept = Vec::with_capacity(ring.len() + 4);
    for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        if inside(from) {
            kept.push(*from);
        }
        if inside(from) != inside(to) {
            let other = 1 - axis;
            let share = (edge - from[axis]) / (to[axis] - from[axis]);
            let mut point = [edge; 2];
            point[other] = from[other] + share * (to[other] - from[other]);
            kept.push(point);
        }
    }
    kept
}
