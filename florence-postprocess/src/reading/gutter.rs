//! The white strips between columns.

use super::probe::{HEADING, Probe};
use super::table::{self, Edge};

/// How wide a strip is tried, in heights of the text.
const STRIP: f64 = 0.9;
/// How far text may reach into it.
const SLACK: f64 = 0.15;
/// The widths that a strip must have: beside four lines or more, and beside fewer, where gaps
/// between words may lie below each other by chance.
const NARROWEST: f64 = 0.6;
const NARROWEST_BESIDE_FEW: f64 = 1.5;
/// Columns start on one height where their first lines differ by less.
const LEVEL: f64 = 0.6;
/// At most so many places are tried on a page, and so many strips looked at closely.
const PLACES: f64 = 512.0;
const LOOKS: usize = 48;

/// A white strip with columns on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gutter {
    /// What lies left of it belongs to the left column.
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
    /// The edge towards the strip.
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
/// the longest; `None` where the lines are one column, or a table.
pub(super) fn find(probes: &[Probe], height: f64) -> Option<Gutter> {
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
        .iter()
        .take(LOOKS)
        .find(|run| parts_columns(run, &probes[run.from..run.to], height))?;
    Some(Gutter {
        x: run.left.edge / 2.0 + run.right.edge / 2.0,
        y1: probes.get(run.from)?.y,
        y2: probes.get(run.to.checked_sub(1)?)?.y,
        whole: whole(run),
    })
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

/// On which side of a strip a line lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Left,
    Right,
    /// It crosses the strip, or parts what is above from what is below though it does not.
    Across,
}

/// What stands above a line.
#[derive(Debug, Clone, Copy)]
struct Above {
    /// Where the last line on the other side ends.
    end: f64,
    /// Where a line across the strip ends, if that is the one before.
    across: Option<f64>,
}

impl Default for Above {
    fn default() -> Self {
        Self {
            end: f64::NEG_INFINITY,
            across: None,
        }
    }
}

/// Where lines lie. A line in large letters, or the last of a few across the strip, with nothing
/// beside it, below which both columns start on one height or nothing follows, is a heading of
/// both, however short it is.
fn places_of(probes: &[Probe], start: f64, height: f64) -> Vec<Where> {
    let (left, right) = (start - (STRIP - SLACK) * height, start - SLACK * height);
    let mut places: Vec<Where> = probes
        .iter()
        .map(|probe| match probe {
            probe if probe.x1 < right && probe.x2 > left => Where::Across,
            probe if probe.x1 < right => Where::Left,
            _ => Where::Right,
        })
        .collect();
    let side = |place| usize::from(place == Where::Right);
    // Where the last line above ends, for each line on the other side.
    let mut ends = [f64::NEG_INFINITY; 2];
    let mut above = vec![Above::default(); probes.len()];
    let mut across = None;
    let mut since = None;
    for ((probe, place), above) in probes.iter().zip(&places).zip(&mut above) {
        let bottom = probe.y + probe.height / 2.0;
        if *place == Where::Across {
            (across, since) = (Some(bottom), None);
            continue;
        }
        let first = *since.get_or_insert(probe.y);
        above.across = across.filter(|_| first == probe.y);
        above.end = ends[1 - side(*place)];
        let end = &mut ends[side(*place)];
        *end = end.max(bottom);
    }
    // Where the next lines below start.
    let mut starts = [f64::INFINITY; 2];
    for ((probe, place), above) in probes.iter().zip(&mut places).zip(&above).rev() {
        if *place == Where::Across {
            starts = [f64::INFINITY; 2];
            continue;
        }
        let (own, other) = (starts[side(*place)], starts[1 - side(*place)]);
        let (top, bottom) = (probe.y - probe.height / 2.0, probe.y + probe.height / 2.0);
        let goes_on = above
            .across
            .is_some_and(|end| top - end + LEVEL / 2.0 * height < own - bottom);
        let is_heading = (goes_on || probe.height >= HEADING * height)
            && (own == other || (own - other).abs() < LEVEL * height)
            && other > bottom - SLACK * height
            && above.end < top + SLACK * height;
        if is_heading {
            *place = Where::Across;
        } else {
            starts[side(*place)] = top;
        }
    }
    places
}

/// The runs of lines beside the strip that ends at `start`.
fn runs(probes: &[Probe], start: f64, height: f64) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run = Run::new(0, start);
    for ((at, probe), place) in probes
        .iter()
        .enumerate()
        .zip(places_of(probes, start, height))
    {
        if place == Where::Across {
            runs.push(run);
            run = Run::new(at + 1, start);
            continue;
        }
        run.to = at + 1;
        let is_left = place == Where::Left;
        let side = if is_left {
            &mut run.left
        } else {
            &mut run.right
        };
        side.count += 1;
        side.first = side.first.min(probe.y);
        side.last = side.last.max(probe.y);
        side.edge = if is_left {
            side.edge.max(probe.x2)
        } else {
            side.edge.min(probe.x1)
        };
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
        let gutter = find(&probes, 10.0);
        let expected = Gutter {
            x: 210.0,
            y1: 30.0,
            y2: 30.0 + 9.0 * 14.0 + 3.0,
            whole: false,
        };
        assert_eq!(gutter, Some(expected));
        assert!(find(&probes[1..], 10.0).is_some_and(|gutter| gutter.whole));
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
        assert_eq!(find(&probes, 10.0), None);
        assert_eq!(find(&[], 10.0), None);
    }

    #[test]
    fn a_river_between_words_is_none() {
        let probes: Vec<Probe> = (0..3)
            .flat_map(|row| {
                let y = f64::from(row) * 14.0;
                [probe(0.0, 150.0, y), probe(159.0, 300.0, y)]
            })
            .collect();
        assert_eq!(find(&probes, 10.0), None);
    }
}
