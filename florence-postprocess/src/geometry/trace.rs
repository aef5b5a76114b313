//! Contour tracing over runs.

use super::rle::Bar;
use super::{Contour, Point, Polygon};

/// A corner between pixels: its row, then its column, so that order is from the top.
type Corner = (u32, u32);

/// A straight part of an outline, with the mask to its right.
struct Edge {
    from: Corner,
    to: Corner,
    heading: Heading,
    /// The bar below an edge that heads right.
    bar: usize,
    passed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    Right,
    Down,
    Left,
    Up,
}

impl Heading {
    fn turned_right(self) -> Self {
        match self {
            Self::Right => Self::Down,
            Self::Down => Self::Left,
            Self::Left => Self::Up,
            Self::Up => Self::Right,
        }
    }
}

/// The outlines of what bars cover, from the top. Bars come column by column, as
/// [`Rle::bars`](super::Rle::bars) gives them.
pub(super) fn contours(bars: &[Bar]) -> Vec<Contour> {
    let pieces = pieces(bars);
    let mut edges = edges(bars);
    let mut numbers: Vec<Option<usize>> = vec![None; bars.len()];
    let mut contours: Vec<Contour> = Vec::new();
    for start in 0..edges.len() {
        if edges[start].passed || edges[start].heading != Heading::Right {
            continue;
        }
        let piece = pieces[edges[start].bar];
        let outline = outline(&mut edges, start);
        // The topmost edge of a component lies on its outer outline.
        match numbers[piece] {
            Some(number) => contours[number].holes.push(outline),
            None => {
                numbers[piece] = Some(contours.len());
                contours.push(Contour {
                    outer: outline,
                    holes: Vec::new(),
                });
            }
        }
    }
    contours
}

/// The edges of all outlines, sorted by where they start.
fn edges(bars: &[Bar]) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(4 * bars.len());
    let mut edge = |from: Corner, to: Corner, heading, bar| {
        edges.push(Edge {
            from,
            to,
            heading,
            bar,
            passed: false,
        });
    };
    // The ends of bars at their left and right sides: where one side of a column line is set and
    // the other is not, the two ends next to each other on that line are those of an edge.
    let mut ends: Vec<(u32, u32, Heading)> = Vec::with_capacity(4 * bars.len());
    for (at, bar) in bars.iter().enumerate() {
        edge(
            (bar.top, bar.left),
            (bar.top, bar.right),
            Heading::Right,
            at,
        );
        edge(
            (bar.bottom, bar.right),
            (bar.bottom, bar.left),
            Heading::Left,
            at,
        );
        ends.extend([
            (bar.left, bar.top, Heading::Up),
            (bar.left, bar.bottom, Heading::Down),
            (bar.right, bar.top, Heading::Down),
            (bar.right, bar.bottom, Heading::Up),
        ]);
    }
    ends.sort_unstable_by_key(|(x, y, _)| (*x, *y));
    for [(x, top, heading), (_, bottom, _)] in ends.as_chunks::<2>().0 {
        if top == bottom {
            continue;
        }
        let (top, bottom) = ((*top, *x), (*bottom, *x));
        match heading {
            Heading::Down => edge(top, bottom, Heading::Down, 0),
            _ => edge(bottom, top, Heading::Up, 0),
        }
    }
    edges.sort_unstable_by_key(|edge| edge.from);
    edges
}

/// The outline that an edge lies on, from that edge on.
fn outline(edges: &mut [Edge], start: usize) -> Polygon {
    let mut points = Vec::new();
    let mut at = start;
    loop {
        edges[at].passed = true;
        let next = next(edges, at);
        if edges[next].heading != edges[at].heading {
            let (y, x) = edges[at].to;
            points.push(Point::new(x as f32, y as f32));
        }
        at = next;
        if at == start {
            break;
        }
    }
    // The last corner is the start.
    points.rotate_right(1);
    Polygon { points }
}

/// The edge that continues another: where pixels touch at a corner only, the one along the same
/// pixel.
fn next(edges: &[Edge], at: usize) -> usize {
    let edge = &edges[at];
    let first = edges.partition_point(|other| other.from < edge.to);
    let second = first + 1;
    let right = edge.heading.turned_right();
    match edges.get(second) {
        Some(other) if other.from == edge.to && other.heading == right => second,
        _ => first,
    }
}

/// For each bar the representative of its component.
fn pieces(bars: &[Bar]) -> Vec<usize> {
    let mut pieces: Vec<usize> = (0..bars.len()).collect();
    let mut first = 0;
    for (at, bar) in bars.iter().enumerate() {
        let ends_before = |left: &Bar| (left.right, left.bottom) <= (bar.left, bar.top);
        while ends_before(&bars[first]) {
            first += 1;
        }
        let beside = bars[first..]
            .iter()
            .take_while(|left| left.right == bar.left && left.top < bar.bottom);
        for left in first..first + beside.count() {
            let (one, other) = (root(&mut pieces, left), root(&mut pieces, at));
            pieces[one] = other;
        }
    }
    (0..bars.len()).map(|at| root(&mut pieces, at)).collect()
}

/// The representative of a component (union-find with path halving).
fn root(pieces: &mut [usize], mut at: usize) -> usize {
    while pieces[at] != at {
        pieces[at] = pieces[pieces[at]];
        at = pieces[at];
    }
    at
}
