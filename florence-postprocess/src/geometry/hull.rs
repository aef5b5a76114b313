//! Convex hull and minimum-area rectangle.

use super::{Point, Polygon, QuadBox};

impl Polygon {
    /// The smallest convex polygon around the points that are finite, clockwise on the screen.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let corners = [(0.0, 0.0), (4.0, 0.0), (2.0, 1.0), (4.0, 4.0), (0.0, 4.0)];
    /// let dented = Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() };
    /// assert_eq!(dented.convex_hull().area(), 16.0);
    /// ```
    #[must_use]
    pub fn convex_hull(&self) -> Polygon {
        let finite = self.points.iter().filter(|point| point.is_finite());
        // Adding 0 makes −0 a 0: they are one place in the order below.
        let positive = finite.map(|point| Point::new(point.x + 0.0, point.y + 0.0));
        let mut points: Vec<Point> = positive.collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
        points.dedup();
        if points.len() < 3 {
            return Polygon { points };
        }
        let mut hull = half(points.iter());
        hull.extend(half(points.iter().rev()));
        Polygon { points: hull }
    }

    /// The minimum-area rotated rectangle around the points that are finite; `None` without such
    /// a point. Its corners run clockwise on the screen, and its first edge is the one that lies
    /// within 45 degrees of pointing right. Time grows with the square of the corners of the hull.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let corners = [(10.0, 0.0), (20.0, 10.0), (10.0, 20.0), (0.0, 10.0)];
    /// let diamond = Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() };
    /// let quad = diamond.min_area_quad().unwrap();
    /// assert!((quad.area() - 200.0).abs() < 1e-3);
    /// assert_eq!(Polygon::default().min_area_quad(), None);
    /// ```
    pub fn min_area_quad(&self) -> Option<QuadBox> {
        let hull = self.convex_hull().points;
        let first = *hull.first()?;
        let behind = hull.iter().cycle().skip(1);
        let around = hull
            .iter()
            .zip(behind)
            .filter_map(|(from, to)| Turned::along(*from, *to, &hull));
        let best = around.min_by(|a, b| a.area().total_cmp(&b.area()));
        Some(best.map_or(QuadBox { points: [first; 4] }, |best| best.to_quad()))
    }
}

/// The chain of a hull from its first point up to the last one, which is left out.
fn half<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<Point> {
    let mut chain: Vec<Point> = Vec::new();
    for point in points {
        while let [.., a, b] = chain[..]
            && turn(a, b, *point) <= 0.0
        {
            chain.pop();
        }
        chain.push(*point);
    }
    chain.pop();
    chain
}

/// Positive where the way from `a` over `b` to `c` turns right on the screen.
fn turn(a: Point, b: Point, c: Point) -> f64 {
    let [ax, ay, bx, by, cx, cy] = [a.x, a.y, b.x, b.y, c.x, c.y].map(f64::from);
    (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
}

/// A rotated rectangle in its own axes: `across` is `along`, rotated right by 90 degrees.
struct Turned {
    along: (f64, f64),
    from: (f64, f64),
    to: (f64, f64),
}

impl Turned {
    /// The one with an edge from one point to another, around all; `None` where these are the
    /// same.
    fn along(from: Point, to: Point, points: &[Point]) -> Option<Self> {
        let (dx, dy) = (
            f64::from(to.x) - f64::from(from.x),
            f64::from(to.y) - f64::from(from.y),
        );
        let length = dx.hypot(dy);
        if length == 0.0 {
            return None;
        }
        let mut along = (dx / length, dy / length);
        // Quarter turns until it points right.
        while along.0 < along.1.abs() {
            along = (along.1, -along.0);
        }
        let mut turned = Self {
            along,
            from: (f64::INFINITY, f64::INFINITY),
            to: (f64::NEG_INFINITY, f64::NEG_INFINITY),
        };
        for point in points {
            let (x, y) = (f64::from(point.x), f64::from(point.y));
            let at = (x * along.0 + y * along.1, y * along.0 - x * along.1);
            turned.from = (turned.from.0.min(at.0), turned.from.1.min(at.1));
            turned.to = (turned.to.0.max(at.0), turned.to.1.max(at.1));
        }
        Some(turned)
    }

    fn area(&self) -> f64 {
        (self.to.0 - self.from.0) * (self.to.1 - self.from.1)
    }

    fn to_quad(&self) -> QuadBox {
        let (dx, dy) = self.along;
        let corner = |along: f64, across: f64| {
            Point::new(
                (along * dx - across * dy) as f32,
                (along * dy + across * dx) as f32,
            )
        };
        let (from, to) = (self.from, self.to);
        QuadBox {
            points: [
                corner(from.0, from.1),
                corner(to.0, from.1),
                corner(to.0, to.1),
                corner(from.0, to.1),
            ],
        }
    }
}
