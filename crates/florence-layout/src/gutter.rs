//! Finds gutters, the white strips between columns.

use crate::band::{Beyond, Columns};
use crate::place::{self, SLACK, Where};
use crate::probe::Probe;
use crate::rect::Rect;
use crate::table::{self, Edge};

/// Minimum widths of a gutter, in heights of the text: beside four lines or more, and beside fewer, where
/// gaps between words may be aligned by chance.
const NARROWEST: f64 = 0.6;
const NARROWEST_BESIDE_FEW: f64 = 1.5;
/// Lines across columns are wider than this, in heights of the text.
const ACROSS: f64 = 6.0;
/// Maximum number of positions tried on a page, and of strips examined.
const PLACES: f64 = 512.0;
const LOOKS: usize = 48;

/// A white strip with columns on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gutter {
    /// Segments left of it belong to the left column.
    pub(super) x: f64,
    /// From the first to the last line beside it, by their middles.
    pub(super) y1: f64,
    pub(super) y2: f64,
    /// Whether no line above or below crosses it.
    pub(super) whole: bool,
}

/// What lies on one side of a strip.
#[derive(Debug, Clone, Copy)]
struct Side {
    count: usize,
    first: f64,
    last: f64,
    /// The edge toward the strip.
    edge: f64,
}

/// Lines that follow each other without one that crosses the strip.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
    /// The left edge of the right column.
    start: f64,
    left: Side,
    right: Side,
}

impl Run {
    fn new(from: usize, start: f64) -> Self {
        let side = |edge| Side {
            count: 0,
            first: f64::INFINITY,
            last: f64::NEG_INFINITY,
            edge,
        };
        Self {
            from,
            to: from,
            start,
            left: side(f64::NEG_INFINITY),
            right: side(f64::INFINITY),
        }
    }

    fn add(&mut self, probe: &Probe, place: Where) {
        self.to += 1;
        let side = match place {
            Where::Right => &mut self.right,
            _ => &mut self.left,
        };
        side.count += 1;
        side.first = side.first.min(probe.y);
        side.last = side.last.max(probe.y);
        side.edge = match place {
            Where::Right => side.edge.min(probe.x1),
            Where::Left => side.edge.max(probe.x2),
            _ => side.edge,
        };
    }

    fn has_both_sides(&self) -> bool {
        let overlap = self.left.last.min(self.right.last) - self.left.first.max(self.right.first);
        self.left.count >= 2 && self.right.count >= 2 && overlap > 0.0
    }

    fn extent(&self) -> f64 {
        self.left.last.max(self.right.last) - self.left.first.min(self.right.first)
    }

    fn width(&self) -> f64 {
        self.right.edge - self.left.edge
    }
}

/// The best gutter between some lines, which come sorted by `y`: one that nothing crosses, else
/// the longest; `None` where the lines are one column, or a table. `outside` is what was taken off
/// above and below.
pub(super) fn find(probes: &[Probe], outside: &[Rect], height: f64) -> Option<Gutter> {
    let mut runs: Vec<Run> = places(probes, height)
        .into_iter()
        .flat_map(|start| runs(probes, start, height))
        .collect();
    let whole = |run: &Run| run.to - run.from == probes.len();
    runs.sort_by(|a, b| {
        whole(b)
            .cmp(&whole(a))
            .then(b.extent().total_cmp(&a.extent()))
            .then(b.width().total_cmp(&a.width()))
            .then(a.start.total_cmp(&b.start))
    });
    let run = runs
        .into_iter()
        .take(LOOKS)
        .filter_map(|run| own(run, probes, outside, height))
        .find(|run| parts_columns(run, &probes[run.from..run.to], height))?;
    Some(Gutter {
        x: run.left.edge / 2.0 + run.right.edge / 2.0,
        y1: probes.get(run.from)?.y,
        y2: probes.get(run.to.checked_sub(1)?)?.y,
        whole: whole(&run),
    })
}

/// The run without what belongs to the lines across the strip above and below.
fn own(run: Run, probes: &[Probe], outside: &[Rect], height: f64) -> Option<Run> {
    let lines = &probes[run.from..run.to];
    let (first, last) = (lines.first()?.y, lines.last()?.y);
    let apart = |is_beyond: &dyn Fn(f64) -> bool| {
        let across = |rect: &&Rect| {
            rect.x1 < run.start - height
                && rect.x2 > run.start
                && rect.width() > ACROSS * height
                && is_beyond(rect.middle_y())
        };
        match outside.iter().find(across) {
            Some(_) => Beyond::Apart,
            None => Beyond::Nothing,
        }
    };
    let above = match run.from.checked_sub(1) {
        Some(at) => Beyond::Across(&probes[at]),
        None => apart(&|y| y < first),
    };
    let below = match probes.get(run.to) {
        Some(probe) => Beyond::Across(probe),
        None => apart(&|y| y > last),
    };
    let edge = |start: f64, pick: fn(f64, f64) -> f64, edge: fn(&Probe) -> f64, right: bool| {
        let side = lines
            .iter()
            .filter(|line| (line.x1 >= run.start - SLACK * height) == right);
        side.map(edge).fold(start, pick)
    };
    let columns = Columns {
        left: [
            edge(f64::INFINITY, f64::min, |line| line.x1, false),
            run.left.edge,
        ],
        right: [
            run.right.edge,
            edge(f64::NEG_INFINITY, f64::max, |line| line.x2, true),
        ],
        height,
    };
    let own = columns.own(lines, above, below);
    if own.len() == lines.len() {
        return Some(run);
    }
    let mut kept = Run::new(run.from + own.start, run.start);
    for (probe, place) in
        lines[own.clone()]
            .iter()
            .zip(place::sides(&lines[own], run.start, height))
    {
        kept.add(probe, place);
    }
    kept.has_both_sides().then_some(kept)
}

/// Left edges of lines, where right columns may start.
fn places(probes: &[Probe], height: f64) -> Vec<f64> {
    let mut edges: Vec<f64> = probes.iter().map(|probe| probe.x1).collect();
    edges.sort_by(f64::total_cmp);
    let extent = edges
        .last()
        .zip(edges.first())
        .map_or(0.0, |(last, first)| last - first);
    let step = (0.2 * height).max(extent / PLACES);
    edges.dedup_by(|next, kept| *next - *kept < step);
    edges
}

/// The runs of lines beside the strip that ends at `start`.
fn runs(probes: &[Probe], start: f64, height: f64) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run = Run::new(0, start);
    for ((at, probe), place) in probes
        .iter()
        .enumerate()
        .zip(place::places(probes, start, height))
    {
        if place == Where::Across {
            runs.push(run);
            run = Run::new(at + 1, start);
            continue;
        }
        run.add(probe, place);
    }
    runs.push(run);
    runs.retain(Run::has_both_sides);
    runs
}

/// Whether a strip is wide enough for the lines beside it, and these no table.
fn parts_columns(run: &Run, probes: &[Probe], height: f64) -> bool {
    let top = run.left.first.max(run.right.first) - 0.6 * height;
    let bottom = run.left.last.min(run.right.last) + 0.6 * height;
    let beside = probes
        .iter()
        .filter(|probe| (top..=bottom).contains(&probe.y));
    let (left, right): (Vec<Probe>, Vec<Probe>) =
        beside.partition(|probe| probe.x1 < run.start - SLACK * height);
    let left = table::lines(&left, Edge::Right, height);
    let right = table::lines(&right, Edge::Left, height);
    let narrowest = match left.len().min(right.len()) {
        0 | 1 => return false,
        2 | 3 => NARROWEST_BESIDE_FEW,
        _ => NARROWEST,
    };
    run.width() >= narrowest * height
        && !table::is_river(&left, &right, height)
        && !table::is_table(&left, &right, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(x1: f64, x2: f64, y: f64) -> Probe {
        Probe {
            x1,
            x2,
            y,
            height: 10.0,
            word: 30.0,
            numeric: false,
            solid: false,
        }
    }

    fn columns(rows: usize, offset: f64) -> Vec<Probe> {
        (0..rows)
            .flat_map(|row| {
                let y = offset + row as f64 * 14.0;
                [probe(0.0, 200.0, y), probe(220.0, 400.0, y + 3.0)]
            })
            .collect()
    }

    #[test]
    fn columns_below_a_heading_have_a_gutter() {
        let mut probes = vec![probe(50.0, 350.0, 0.0)];
        probes.extend(columns(10, 30.0));
        let gutter = find(&probes, &[], 10.0);
        let expected = Gutter {
            x: 210.0,
            y1: 30.0,
            y2: 30.0 + 9.0 * 14.0 + 3.0,
            whole: false,
        };
        assert_eq!(gutter, Some(expected));
        assert!(find(&probes[1..], &[], 10.0).is_some_and(|gutter| gutter.whole));
    }

    #[test]
    fn one_column_has_none() {
        let probes: Vec<Probe> = (0..20)
            .map(|row| {
                probe(
                    0.0,
                    300.0 + f64::from(row % 5) * 10.0,
                    f64::from(row) * 14.0,
                )
            })
            .collect();
        assert_eq!(find(&probes, &[], 10.0), None);
        assert_eq!(find(&[], &[], 10.0), None);
    }

    #[test]
    fn a_river_between_words_is_none() {
        let probes: Vec<Probe> = (0..3)
            .flat_map(|row| {
                let y = f64::from(row) * 14.0;
                [probe(0.0, 150.0, y), probe(159.0, 300.0, y)]
            })
            .collect();
        assert_eq!(find(&probes, &[], 10.0), None);
    }
}
