//! Polygon simplification.

use super::{Point, Polygon};

impl Polygon {
    /// The polygon simplified by Douglas-Peucker: every point removed lies within `tolerance` pixels
    /// of the result. Points that are not finite are removed too. At least three points are kept.
    ///
    /// A tolerance that is not positive removes only points that are not finite. Time grows with the
    /// square of the number of points at worst.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let corners = [(0.0, 0.0), (5.0, 0.2), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)];
    /// let wobbly = Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() };
    /// assert_eq!(wobbly.simplify(0.5).points.len(), 4);
    /// assert_eq!(wobbly.simplify(0.1), wobbly);
    /// ```
    #[must_use]
    pub fn simplify(&self, tolerance: f32) -> Polygon {
        let finite = self.points.iter().filter(|point| point.is_finite());
        let points: Vec<Point> = finite.copied().collect();
        let tolerance = f64::from(tolerance);
        if points.len() <= 3 || tolerance.is_nan() || tolerance <= 0.0 {
            return Polygon { points };
        }
        // The ring as a chain that comes back to its start, cut at the corner farthest from it.
        let chain: Vec<Point> = points.iter().chain(points.first()).copied().collect();
        let last = points.len();
        let (far, _) = farthest(&chain, 0, last);
        let mut keep = vec![false; chain.len()];
        keep[0] = true;
        keep[far] = true;
        let mut open = vec![(0, far), (far, last)];
        while let Some((from, to)) = open.pop() {
            let (middle, distance) = farthest(&chain, from, to);
            if distance > tolerance {
                keep[middle] = true;
                open.extend([(from, middle), (middle, to)]);
            }
        }
        keep.truncate(last);
        if keep.iter().filter(|keep| **keep).count() < 3 {
            let ends = [(0, far), (far, last)].map(|(from, to)| farthest(&chain, from, to));
            let [(a, near), (b, other)] = ends;
            let middle = if near >= other { a } else { b };
            keep[middle] = true;
        }
        let kept = points.into_iter().zip(keep);
        Polygon {
            points: kept
                .filter_map(|(point, keep)| keep.then_some(point))
                .collect(),
        }
    }
}

/// The point between two of a chain that is farthest from the line between them, and how far;
/// the first of them, at no distance, where there is none between.
fn farthest(chain: &[Point], from: usize, to: usize) -> (usize, f64) {
    let mut best = (from, -1.0);
    for index in from + 1..to {
        let distance = distance(chain[index], chain[from], chain[to]);
        if distance > best.1 {
            best = (index, distance);
        }
    }
    best
}

/// The distance of a point from the line between two others, ends included.
fn distance(point: Point, from: Point, to: Point) -> f64 {
    let sub = |a: Point, b: Point| {
        (
            f64::from(a.x) - f64::from(b.x),
            f64::from(a.y) - f64::from(b.y),
        )
    };
    let ((dx, dy), (px, py)) = (sub(to, from), sub(point, from));
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 {
        ((px * dx + py * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - along * dx).hypot(py - along * dy)
}
