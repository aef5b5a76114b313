//! Distinguishes gaps between columns from those between table cells or words.

use crate::probe::{HEADING, Probe};
use crate::rect::quantile;

/// Gaps within a line are narrower than this, in heights of the text.
const CELL_GAP: f64 = 1.2;
/// Lines whose middles differ by less are one row.
const ALIGNED: f64 = 0.35;
/// Widths of cells in heights of the text: bullets and numbers of lists, and single words.
const MARKER: f64 = 2.0;
const NARROW: f64 = 6.0;
/// So few lines are rather a table, if they are not as wide as this.
const FEW: usize = 3;
const NARROW_OF_FEW: f64 = 10.0;
/// Maximum distance of a list marker from its text, in heights of the text.
const LEAD: f64 = 3.0;
/// Minimum number of lines to detect centered text.
const CENTERED: usize = 3;
/// The share of lines that had room for the first word of the next: few in a column of prose.
const LOOSE: f64 = 0.6;

/// The share of a piece that its first word has where it is a word.
const WORD: f64 = 0.9;
/// Gaps between cells are wider than this share of the cells; those between columns are not.
const WIDE_GAP: f64 = 0.45;
/// Or wider than this, in heights of the text.
const WIDEST_GUTTER: f64 = 5.0;

/// Which edge of a side is at the gutter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Left,
    Right,
}

/// The part of a line next to a gutter that has no more than a word's gap within.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    y: f64,
    x1: f64,
    x2: f64,
    /// The width of its first word.
    word: f64,
    numeric: bool,
    solid: bool,
    height: f64,
    /// The gap behind the piece next to the gutter, where that is a word and there is another.
    gap: Option<f64>,
    /// Whether the piece next to the gutter is a mark before text: a line follows close behind.
    leads: bool,
}

impl Cell {
    pub(super) fn width(&self) -> f64 {
        self.x2 - self.x1
    }
}

/// The lines of one side of a gutter from top to bottom.
pub(super) fn lines(probes: &[Probe], edge: Edge, height: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut line: Vec<Probe> = Vec::new();
    for probe in probes {
        if line
            .last()
            .is_some_and(|last| probe.y - last.y > 0.5 * height)
        {
            cells.extend(cell(&mut line, edge, height));
            line.clear();
        }
        line.push(*probe);
    }
    cells.extend(cell(&mut line, edge, height));
    next_to_gutter(&mut cells, edge);
    cells
}

/// Leaves the cells of the column next to the gutter: what a white gap parts from those at the
/// gutter belongs to the column behind it.
fn next_to_gutter(cells: &mut Vec<Cell>, edge: Edge) {
    let mut order: Vec<(f64, f64)> = cells
        .iter()
        .map(|cell| match edge {
            Edge::Left => (cell.x1, cell.x2),
            Edge::Right => (-cell.x2, -cell.x1),
        })
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut end = f64::NEG_INFINITY;
    for (at, (near, far)) in order.into_iter().enumerate() {
        if at > 0 && near >= end {
            break;
        }
        end = end.max(far);
    }
    cells.retain(|cell| match edge {
        Edge::Left => cell.x1 < end,
        Edge::Right => -cell.x2 < end,
    });
}

fn cell(line: &mut [Probe], edge: Edge, height: f64) -> Option<Cell> {
    match edge {
        Edge::Left => line.sort_by(|a, b| a.x1.total_cmp(&b.x1)),
        Edge::Right => line.sort_by(|a, b| b.x2.total_cmp(&a.x2)),
    }
    let (first, rest) = line.split_first()?;
    let mut cell = Cell {
        y: first.y,
        x1: first.x1,
        x2: first.x2,
        word: first.word,
        numeric: first.numeric,
        solid: first.solid,
        height: first.height,
        gap: None,
        leads: false,
    };
    let is_word = first.word > WORD * cell.width() && !first.solid;
    for (at, probe) in rest.iter().enumerate() {
        let gap = (probe.x1 - cell.x2).max(cell.x1 - probe.x2);
        if at == 0 && is_word {
            cell.gap = Some(gap);
            cell.leads = gap < LEAD * height && probe.x2 - probe.x1 >= NARROW_OF_FEW * height;
        }
        if gap > CELL_GAP * height {
            break;
        }
        if probe.x1 < cell.x1 {
            cell.word = probe.word;
        }
        cell.x1 = cell.x1.min(probe.x1);
        cell.x2 = cell.x2.max(probe.x2);
        cell.numeric &= probe.numeric;
    }
    Some(cell)
}

/// Pairs of cells of two sides on one line.
fn pairs<'a>(
    left: &'a [Cell],
    right: &'a [Cell],
    height: f64,
) -> impl Iterator<Item = (&'a Cell, &'a Cell)> {
    left.iter().filter_map(move |a| {
        let near = ALIGNED * height;
        let first = right.partition_point(|b| b.y <= a.y - near);
        let b = right.get(first)?;
        (b.y < a.y + near).then_some((a, b))
    })
}

/// Whether the gap between two sides is one between words: most lines have another as wide a word
/// away, as justified lines do. Numbers are no words: those of a table of contents stand away from it.
pub(super) fn is_river(left: &[Cell], right: &[Cell], height: f64) -> bool {
    let (mut all, mut rivers) = (0, 0);
    for (a, b) in pairs(left, right, height) {
        let gap = b.x1 - a.x2;
        let as_wide =
            |cell: &Cell| !cell.numeric && cell.gap.is_some_and(|behind| behind > 0.8 * gap);
        all += 1;
        rivers += usize::from(as_wide(a) || as_wide(b));
    }
    rivers * 2 > all
}

/// Whether lines on two sides are rows of a table: most of the fewer stand beside one of the
/// others, and they look like cells: numbers, markers of a list, words, or texts that end before
/// the column does.
pub(super) fn is_table(left: &[Cell], right: &[Cell], height: f64) -> bool {
    // Lines of one region are not torn apart: it is a paragraph.
    let solid = |cells: &[Cell]| cells.iter().filter(|cell| cell.solid).count() * 2 > cells.len();
    if solid(left) || solid(right) {
        return false;
    }
    let gaps: Vec<f64> = pairs(left, right, height)
        .map(|(a, b)| b.x1 - a.x2)
        .collect();
    if gaps.len() * 8 < left.len().min(right.len()) * 7 {
        return false;
    }
    if [left, right].iter().all(|cells| is_centered(cells, height)) {
        return false;
    }
    // Short lines leave wide gaps in columns too.
    let gap = quantile(gaps, 0.25).unwrap_or_default() / height;
    let sides = [left, right].map(|cells| Look::of(cells, height));
    let [a, b] = &sides;
    let few = left.len().min(right.len()) <= FEW;
    // Marks on the right of a gutter stand before the text behind them.
    let leads = right.iter().filter(|cell| cell.leads).count() * 2 > right.len();
    let is_mark = |side: &Look| side.wide < MARKER || side.numeric && side.wide < NARROW_OF_FEW;
    is_mark(a)
        || is_mark(b) && !leads
        || gap > WIDE_GAP * a.width.min(b.width)
            && (gap > WIDEST_GUTTER || a.loose.max(b.loose) > LOOSE / 2.0)
        || few && sides.iter().all(|side| side.width < NARROW_OF_FEW)
        || sides
            .iter()
            .all(|side| side.width < NARROW || side.loose > LOOSE)
            && (a.loose > LOOSE || b.loose > LOOSE || a.width.max(b.width) < NARROW)
}

/// Whether lines are centered one below the other, as those of authors are below a title, and too wide
/// for words or numbers in a table.
fn is_centered(cells: &[Cell], height: f64) -> bool {
    let spread = |value: fn(&Cell) -> f64| {
        let values: Vec<f64> = cells.iter().map(value).collect();
        let middle = quantile(values.clone(), 0.5).unwrap_or_default();
        let off = values.iter().map(|value| (value - middle).abs());
        off.sum::<f64>() / values.len().max(1) as f64
    };
    let look = Look::of(cells, height);
    let edges = spread(|cell| cell.x1).min(spread(|cell| cell.x2));
    cells.len() >= CENTERED
        && look.width >= NARROW
        && !look.numeric
        && edges > 0.5 * height
        && spread(|cell| cell.x1 / 2.0 + cell.x2 / 2.0) < edges / 4.0
}

/// What the cells of one side have in common.
struct Look {
    /// The usual width in heights of the text.
    width: f64,
    /// The width of the wide ones.
    wide: f64,
    /// The share of lines that had room for the first word of the next.
    loose: f64,
    numeric: bool,
}

impl Look {
    fn of(cells: &[Cell], height: f64) -> Self {
        let width = |share| quantile(cells.iter().map(Cell::width).collect(), share);
        let end = quantile(cells.iter().map(|cell| cell.x2).collect(), 0.95).unwrap_or_default();
        // The lines of headings are short anyway.
        let text: Vec<&Cell> = cells
            .iter()
            .filter(|cell| cell.height < HEADING * height)
            .collect();
        let roomy = text.windows(2).filter(|pair| match pair {
            [line, next] => end - line.x2 > next.word + 0.5 * height,
            _ => false,
        });
        let numeric = cells.iter().filter(|cell| cell.numeric).count();
        Self {
            width: width(0.5).unwrap_or_default() / height,
            wide: width(0.8).unwrap_or_default() / height,
            loose: roomy.count() as f64 / text.len().saturating_sub(1).max(1) as f64,
            numeric: numeric * 2 > cells.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(x: f64, widths: &[f64], offset: f64, edge: Edge) -> Vec<Cell> {
        let probes: Vec<Probe> = widths
            .iter()
            .enumerate()
            .map(|(row, width)| Probe {
                x1: x,
                x2: x + width,
                y: offset + row as f64 * 14.0,
                height: 10.0,
                word: 25.0,
                numeric: false,
                solid: false,
            })
            .collect();
        lines(&probes, edge, 10.0)
    }

    #[test]
    fn words_in_rows_are_a_table() {
        let left = side(0.0, &[30.0, 42.0, 25.0, 50.0], 0.0, Edge::Right);
        let right = side(100.0, &[40.0, 20.0, 36.0, 50.0], 1.0, Edge::Left);
        assert!(is_table(&left, &right, 10.0));
    }

    #[test]
    fn full_lines_are_columns() {
        let left = side(0.0, &[200.0, 196.0, 190.0, 120.0], 0.0, Edge::Right);
        let right = side(220.0, &[195.0, 200.0, 187.0, 191.0], 0.0, Edge::Left);
        assert!(!is_table(&left, &right, 10.0));
    }

    #[test]
    fn words_between_the_rows_are_no_table() {
        let left = side(0.0, &[30.0, 42.0, 25.0, 50.0], 0.0, Edge::Right);
        let right = side(100.0, &[40.0, 20.0, 36.0, 50.0], 6.0, Edge::Left);
        assert!(!is_table(&left, &right, 10.0));
    }

    #[test]
    fn bullets_belong_to_their_lines() {
        let bullets = side(0.0, &[6.0, 6.0, 6.0], 0.0, Edge::Right);
        let items = side(20.0, &[200.0, 180.0, 190.0], 0.0, Edge::Left);
        assert!(is_table(&bullets, &items, 10.0));
    }

    #[test]
    fn gaps_as_wide_as_others_are_a_river() {
        let probe = |x1: f64, x2: f64, row: f64| Probe {
            x1,
            x2,
            y: row * 14.0,
            height: 10.0,
            word: x2 - x1,
            numeric: false,
            solid: false,
        };
        let rows = [0.0, 1.0, 2.0, 3.0];
        let left: Vec<Probe> = rows
            .iter()
            .flat_map(|row| [probe(0.0, 60.0, *row), probe(71.0, 120.0, *row)])
            .collect();
        let right: Vec<Probe> = rows.iter().map(|row| probe(131.0, 200.0, *row)).collect();
        let cells = |probes: &[Probe], edge| lines(probes, edge, 10.0);
        assert!(is_river(
            &cells(&left, Edge::Right),
            &cells(&right, Edge::Left),
            10.0
        ));
        let apart: Vec<Probe> = rows.iter().map(|row| probe(140.0, 200.0, *row)).collect();
        assert!(!is_river(
            &cells(&left, Edge::Right),
            &cells(&apart, Edge::Left),
            10.0
        ));
    }
}
