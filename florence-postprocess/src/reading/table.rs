//! What tells cells of a table from lines of columns.

use super::gutter::Probe;
use super::rect::quantile;

/// Gaps within a line are narrower than this, in heights of the text.
const CELL_GAP: f64 = 1.2;
/// Lines whose middles differ by less are one row.
const ALIGNED: f64 = 0.3;
/// Widths of cells in heights of the text: bullets and numbers of lists, and single words.
const MARKER: f64 = 2.0;
const NARROW: f64 = 6.0;

/// The line next to a gutter, on one of its sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    y: f64,
    width: f64,
    numeric: bool,
}

/// The lines of one side of a gutter from top to bottom, each as the cell with the most text:
/// pieces with no more than a word's gap between them.
pub(super) fn lines(probes: &[Probe], height: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut line: Vec<Probe> = Vec::new();
    for probe in probes {
        if line
            .last()
            .is_some_and(|last| probe.y - last.y > 0.5 * height)
        {
            cells.extend(cell(&mut line, height));
            line.clear();
        }
        line.push(*probe);
    }
    cells.extend(cell(&mut line, height));
    cells
}

/// The widest cell of a line.
fn cell(line: &mut [Probe], height: f64) -> Option<Cell> {
    line.sort_by(|a, b| a.x1.total_cmp(&b.x1));
    let mut widest: Option<(f64, f64)> = None;
    let mut current: Option<(f64, f64)> = None;
    for probe in line.iter() {
        current = match current {
            Some((x1, x2)) if probe.x1 - x2 <= CELL_GAP * height => Some((x1, x2.max(probe.x2))),
            _ => Some((probe.x1, probe.x2)),
        };
        if width(current) > width(widest) || widest.is_none() {
            widest = current;
        }
    }
    let first = line.first()?;
    let numeric = line.iter().filter(|probe| probe.numeric).count();
    Some(Cell {
        y: first.y,
        width: width(widest),
        numeric: numeric * 2 > line.len(),
    })
}

fn width(extent: Option<(f64, f64)>) -> f64 {
    extent.map_or(0.0, |(x1, x2)| x2 - x1)
}

/// Whether lines on two sides are rows of a table: most of the fewer stand beside one of the
/// others, and they look like cells: numbers, markers of a list, words, or of very unequal width.
pub(super) fn is_table(left: &[Cell], right: &[Cell], height: f64) -> bool {
    let (few, many) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    let aligned = few.iter().filter(|cell| {
        many.iter()
            .any(|other| (other.y - cell.y).abs() < ALIGNED * height)
    });
    if aligned.count() * 5 < few.len() * 4 {
        return false;
    }
    let sides = [left, right].map(|cells| Look::of(cells, height));
    let [a, b] = &sides;
    sides.iter().any(|side| side.width < MARKER || side.numeric)
        || (a.width < NARROW && (b.width < NARROW || b.fill < 0.8))
        || (b.width < NARROW && a.fill < 0.8)
        || (a.fill < 0.7 && b.fill < 0.7)
}

/// What the cells of one side have in common.
struct Look {
    /// The usual width in heights of the text.
    width: f64,
    /// That as a share of the largest width.
    fill: f64,
    numeric: bool,
}

impl Look {
    fn of(cells: &[Cell], height: f64) -> Self {
        let widths: Vec<f64> = cells.iter().map(|cell| cell.width).collect();
        let usual = quantile(widths.clone(), 0.5).unwrap_or_default();
        let largest = quantile(widths, 0.95).unwrap_or_default();
        let numeric = cells.iter().filter(|cell| cell.numeric).count();
        Self {
            width: usual / height,
            fill: if largest > 0.0 { usual / largest } else { 1.0 },
            numeric: numeric * 2 > cells.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(x: f64, widths: &[f64], offset: f64) -> Vec<Cell> {
        let probes: Vec<Probe> = widths
            .iter()
            .enumerate()
            .map(|(row, width)| Probe {
                x1: x,
                x2: x + width,
                y: offset + row as f64 * 14.0,
                numeric: false,
            })
            .collect();
        lines(&probes, 10.0)
    }

    #[test]
    fn words_in_rows_are_a_table() {
        let left = side(0.0, &[30.0, 42.0, 25.0, 50.0], 0.0);
        let right = side(100.0, &[40.0, 20.0, 36.0, 50.0], 1.0);
        assert!(is_table(&left, &right, 10.0));
    }

    #[test]
    fn full_lines_are_columns() {
        let left = side(0.0, &[200.0, 196.0, 190.0, 120.0], 0.0);
        let right = side(220.0, &[195.0, 200.0, 187.0, 191.0], 0.0);
        assert!(!is_table(&left, &right, 10.0));
    }

    #[test]
    fn words_between_the_rows_are_no_table() {
        let left = side(0.0, &[30.0, 42.0, 25.0, 50.0], 0.0);
        let right = side(100.0, &[40.0, 20.0, 36.0, 50.0], 6.0);
        assert!(!is_table(&left, &right, 10.0));
    }

    #[test]
    fn bullets_belong_to_their_lines() {
        let bullets = side(0.0, &[6.0, 6.0, 6.0], 0.0);
        let items = side(20.0, &[200.0, 180.0, 190.0], 0.0);
        assert!(is_table(&bullets, &items, 10.0));
    }
}
