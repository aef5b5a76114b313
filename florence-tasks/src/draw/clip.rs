//! Shapes brought into reach of the picture, whatever their coordinates.

use florence_postprocess::{BBox, Point};

/// The part of a polygon inside a box (Sutherland and Hodgman). Edges that it gets where it was cut
/// lie on the box's border. Corners that are not finite are left out.
pub(super) fn polygon(points: &[Point], within: &BBox) -> Vec<Point> {
    let finite = |p: &&Point| p.x.is_finite() && p.y.is_finite();
    let points = points.iter().filter(finite);
    let mut points: Vec<[f64; 2]> = points.map(|p| [p.x.into(), p.y.into()]).collect();
    for (axis, low, high) in [(0, within.x1, within.x2), (1, within.y1, within.y2)] {
        points = cut(&points, axis, low.into(), 1.0);
        points = cut(&points, axis, high.into(), -1.0);
    }
    let points = points.into_iter();
    points
        .map(|[x, y]| Point::new(x as f32, y as f32))
        .collect()
}

/// The part of a polygon where a coordinate is at least `bound`, or at most for a `side` of -1.
fn cut(points: &[[f64; 2]], axis: usize, bound: f64, side: f64) -> Vec<[f64; 2]> {
    let mut kept = Vec::with_capacity(points.len());
    let Some(mut before) = points.last() else {
        return kept;
    };
    for point in points {
        let [from, to] = [before, point].map(|p| (p[axis] - bound) * side);
        if (from < 0.0) != (to < 0.0) {
            let share = from / (from - to);
            let mut crossing = [0, 1].map(|i| before[i] + (point[i] - before[i]) * share);
            crossing[axis] = bound;
            kept.push(crossing);
        }
        if to >= 0.0 {
            kept.push(*point);
        }
        before = point;
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: BBox = BBox::new(-10.0, -10.0, 110.0, 60.0);

    #[test]
    fn what_is_inside_stays_and_what_is_outside_goes() {
        let inside = [(0.0, 0.0), (50.0, 10.0), (20.0, 40.0)].map(|(x, y)| Point::new(x, y));
        assert_eq!(polygon(&inside, &FRAME), inside);
        let outside = inside.map(|p| Point::new(p.x + 500.0, p.y));
        assert_eq!(polygon(&outside, &FRAME), []);
    }

    #[test]
    fn a_polygon_around_everything_becomes_the_frame() {
        let far = f32::MAX;
        let around = [(-far, -far), (far, -far), (far, far), (-far, far)];
        let clipped = polygon(&around.map(|(x, y)| Point::new(x, y)), &FRAME);
        assert_eq!(clipped.len(), 4);
        for p in clipped {
            assert!(
                [-10.0, 110.0].contains(&p.x) && [-10.0, 60.0].contains(&p.y),
                "{p:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_gets_out(points in prop::collection::vec((any::<f32>(), any::<f32>()), 0..12)) {
            let points: Vec<Point> = points.into_iter().map(|(x, y)| Point::new(x, y)).collect();
            for p in polygon(&points, &FRAME) {
                prop_assert!((-10.5..=110.5).contains(&p.x) && (-10.5..=60.5).contains(&p.y), "{p:?}");
            }
        }

        #[test]
        fn inside_the_frame_nothing_changes(
            points in prop::collection::vec((-300f32..300.0, -300f32..300.0), 3..12),
            x in -9f32..109.0,
            y in -9f32..59.0,
        ) {
            use florence_postprocess::Polygon;
            let points: Vec<Point> = points.into_iter().map(|(x, y)| Point::new(x, y)).collect();
            let clipped = Polygon { points: polygon(&points, &FRAME) };
            let whole = Polygon { points };
            // Rounding moves edges a little: a point that close to one may be on either side.
            let near = [(-0.01, 0.0), (0.01, 0.0), (0.0, -0.01), (0.0, 0.01)];
            let at = |dx: f32, dy: f32| Point::new(x + dx, y + dy);
            let clear = near.iter().all(|(dx, dy)| whole.contains(at(*dx, *dy)) == whole.contains(at(0.0, 0.0)));
            prop_assert!(!clear || whole.contains(at(0.0, 0.0)) == clipped.contains(at(0.0, 0.0)));
        }
    }
}
