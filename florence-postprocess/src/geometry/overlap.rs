//! Areas and IoU of arbitrary polygons: concave, self-intersecting, in several parts.

use super::{Point, Polygon, QuadBox};

/// The areas of two shapes and of what they share, in square pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Coverage {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) shared: f64,
}

impl Coverage {
    fn iou(self) -> f32 {
        let either = self.left + self.right - self.shared;
        if either > 0.0 {
            (self.shared / either).clamp(0.0, 1.0) as f32
        } else {
            0.0
        }
    }
}

impl Polygon {
    /// Intersection over union of the enclosed areas (even-odd rule), from 0 (disjoint, or neither
    /// has an area) to 1, for concave and self-intersecting polygons too. Points that are not finite
    /// are left out. Time grows with the number of points and crossings times the number of edges at
    /// one height: with the cube of the number of points for polygons that cross everywhere.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon};
    ///
    /// let polygon = |corners: &[(f32, f32)]| {
    ///     Polygon { points: corners.iter().map(|(x, y)| Point::new(*x, *y)).collect() }
    /// };
    /// let square = polygon(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]);
    /// let triangle = polygon(&[(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)]);
    /// assert_eq!(square.iou(&triangle), 0.5);
    /// ```
    pub fn iou(&self, other: &Polygon) -> f32 {
        outlines_iou(std::slice::from_ref(self), std::slice::from_ref(other))
    }
}

impl QuadBox {
    /// Intersection over union, from 0 to 1, like [`Polygon::iou`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::QuadBox;
    ///
    /// let diamond = QuadBox::from([2.0, 0.0, 4.0, 2.0, 2.0, 4.0, 0.0, 2.0]);
    /// let square = QuadBox::from([0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0]);
    /// assert_eq!(diamond.iou(&square), 0.5);
    /// ```
    pub fn iou(&self, other: &QuadBox) -> f32 {
        let rings = [&self.points, &other.points].map(|points| points.as_slice());
        coverage(&rings[..1], &rings[1..], usize::MAX).map_or(0.0, Coverage::iou)
    }
}

/// Intersection over union of two sets of polygons, each covering what any of its polygons
/// encloses; otherwise like [`Polygon::iou`].
///
/// # Example
///
/// ```
/// use florence_postprocess::{Point, Polygon, outlines_iou};
///
/// let square = |x| {
///     let corners = [(x, 0.0), (x + 2.0, 0.0), (x + 2.0, 2.0), (x, 2.0)];
///     Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() }
/// };
/// assert_eq!(outlines_iou(&[square(0.0), square(2.0)], &[square(1.0)]), 0.5);
/// ```
pub fn outlines_iou(left: &[Polygon], right: &[Polygon]) -> f32 {
    coverage(&rings(left), &rings(right), usize::MAX).map_or(0.0, Coverage::iou)
}

/// The area of the union of some polygons (even-odd rule each), in square pixels; `None` where
/// computing it would take more than `max_steps` steps: time grows with the square of the number of
/// crossing edges.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Point, Polygon, outlines_area};
///
/// let square = |x: f32| {
///     let corners = [(x, 0.0), (x + 2.0, 0.0), (x + 2.0, 2.0), (x, 2.0)];
///     Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() }
/// };
/// assert_eq!(outlines_area(&[square(0.0), square(1.0)], usize::MAX), Some(6.0));
/// ```
pub fn outlines_area(outlines: &[Polygon], max_steps: usize) -> Option<f64> {
    coverage(&rings(outlines), &[], max_steps).map(|coverage| coverage.left)
}

/// The area of the union of some rings (even-odd rule each).
pub(super) fn union_area(rings: &[&[Point]]) -> f64 {
    coverage(rings, &[], usize::MAX).map_or(0.0, |coverage| coverage.left)
}

fn rings(outlines: &[Polygon]) -> Vec<&[Point]> {
    outlines
        .iter()
        .map(|outline| outline.points.as_slice())
        .collect()
}

/// An edge that is not level, from its upper end to its lower one.
struct Edge {
    top: (f64, f64),
    bottom: (f64, f64),
    ring: usize,
}

impl Edge {
    fn x_at(&self, y: f64) -> f64 {
        let share = (y - self.top.1) / (self.bottom.1 - self.top.1);
        self.top.0 + share * (self.bottom.0 - self.top.0)
    }

    /// The height at which two edges cross, if they do.
    fn crossing(&self, other: &Edge) -> Option<f64> {
        let along = (self.bottom.0 - self.top.0, self.bottom.1 - self.top.1);
        let beside = (other.bottom.0 - other.top.0, other.bottom.1 - other.top.1);
        let between = (other.top.0 - self.top.0, other.top.1 - self.top.1);
        let cross = |a: (f64, f64), b: (f64, f64)| a.0 * b.1 - a.1 * b.0;
        let across = cross(along, beside);
        let (mine, theirs) = (
            cross(between, beside) / across,
            cross(between, along) / across,
        );
        let meets = (0.0..=1.0).contains(&mine) && (0.0..=1.0).contains(&theirs);
        meets.then_some(self.top.1 + mine * along.1)
    }
}

/// Cuts the plane into bands at every corner and crossing. Within a band edges keep their order,
/// so that everything between two neighbors is a trapezium, which lies inside or outside as a
/// whole. A step is a pair of edges that may cross, or an edge in a band; `None` where there are
/// more than so many.
fn coverage(left: &[&[Point]], right: &[&[Point]], steps: usize) -> Option<Coverage> {
    let mut edges = edges(left.iter().chain(right));
    edges.sort_by(|a, b| a.top.1.total_cmp(&b.top.1));
    let heights = heights(&edges, steps)?;
    let band = |y: f64| heights.partition_point(|height| *height < y);
    let bands = edges
        .iter()
        .map(|edge| band(edge.bottom.1) - band(edge.top.1));
    if bands.sum::<usize>() > steps {
        return None;
    }

    let mut total = Coverage::default();
    let mut odd = vec![false; left.len() + right.len()];
    // With the place where each passes the band, which hardly changes their order.
    let mut active: Vec<(f64, &Edge)> = Vec::new();
    let mut waiting = edges.iter().peekable();
    for band in heights.windows(2) {
        let (top, bottom) = (band[0], band[1]);
        active.retain(|(_, edge)| edge.bottom.1 > top);
        while let Some(edge) = waiting.next_if(|edge| edge.top.1 <= top) {
            active.push((0.0, edge));
        }
        let middle = top + (bottom - top) / 2.0;
        for (x, edge) in &mut active {
            *x = edge.x_at(middle);
        }
        active.sort_by(|a, b| a.0.total_cmp(&b.0));
        odd.fill(false);
        let (mut in_left, mut in_right) = (0usize, 0usize);
        for (index, (x, edge)) in active.iter().enumerate() {
            let ring = edge.ring;
            let count = if ring < left.len() {
                &mut in_left
            } else {
                &mut in_right
            };
            *count = if odd[ring] { *count - 1 } else { *count + 1 };
            odd[ring] = !odd[ring];
            let Some((next, _)) = active.get(index + 1) else {
                break;
            };
            let area = (next - x) * (bottom - top);
            total.left += if in_left > 0 { area } else { 0.0 };
            total.right += if in_right > 0 { area } else { 0.0 };
            total.shared += if in_left > 0 && in_right > 0 {
                area
            } else {
                0.0
            };
        }
    }
    Some(total)
}

fn edges<'a>(rings: impl Iterator<Item = &'a &'a [Point]>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (ring, points) in rings.enumerate() {
        let points: Vec<(f64, f64)> = points
            .iter()
            .filter(|point| point.is_finite())
            .map(|point| (point.x.into(), point.y.into()))
            .collect();
        for (from, to) in points.iter().zip(points.iter().cycle().skip(1)) {
            if from.1 != to.1 {
                let (top, bottom) = if from.1 < to.1 {
                    (*from, *to)
                } else {
                    (*to, *from)
                };
                edges.push(Edge { top, bottom, ring });
            }
        }
    }
    edges
}

/// The heights of all ends and crossings of edges, which come sorted by their upper ends; `None`
/// where more than so many pairs may cross.
fn heights(edges: &[Edge], mut pairs: usize) -> Option<Vec<f64>> {
    let mut heights: Vec<f64> = Vec::new();
    for (index, edge) in edges.iter().enumerate() {
        let below = &edges[index + 1..];
        let beside = below.partition_point(|other| other.top.1 < edge.bottom.1);
        pairs = pairs.checked_sub(beside)?;
        let beside = below[..beside].iter();
        heights.extend([edge.top.1, edge.bottom.1]);
        heights.extend(beside.filter_map(|other| edge.crossing(other)));
    }
    heights.retain(|height| height.is_finite());
    heights.sort_by(f64::total_cmp);
    heights.dedup();
    Some(heights)
}
