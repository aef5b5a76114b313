//! Bands: tables, author lists and formulas beside a gutter that belong to the line across it.
//!
//! Rows of a table may leave the gutter free, and so may the authors below a title and the parts of a
//! formula. Above or below a line that crosses the gutter they belong to that line, not to the columns.

use std::ops::Range;

use crate::place::SLACK;
use crate::probe::Probe;
use crate::table::{self, Edge};

/// The white between a band and the columns, in heights of the text.
const WHITE: f64 = 0.8;
/// Segments closer to a part of a formula belong to it.
const TOUCH: f64 = 0.1;
/// Lines as wide as this share of their column fill it.
const FILLS: f64 = 0.6;
/// Indents of rows that have left edges of their own, in heights of the text.
const OFF_GRID: f64 = 1.0;
/// Minimum rows of a band on both sides.
const ROWS: usize = 3;
/// Maximum number of white strips examined.
const LOOKS: usize = 12;

/// Two columns beside a strip.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) left: [f64; 2],
    pub(super) right: [f64; 2],
    pub(super) height: f64,
}

/// What is above the first line of columns, or below the last.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beyond<'a> {
    Nothing,
    /// A line across both.
    Across(&'a Probe),
    /// A line across both in the margin, which is read separately.
    Apart,
}

impl Columns {
    /// The lines that belong to the columns.
    pub(super) fn own(&self, probes: &[Probe], above: Beyond, below: Beyond) -> Range<usize> {
        let from = self.band(probes, above);
        let mirrored = |probe: &Probe| Probe {
            y: -probe.y,
            ..*probe
        };
        let flipped: Vec<Probe> = probes[from..].iter().rev().map(mirrored).collect();
        let line;
        let below = match below {
            Beyond::Across(probe) => {
                line = mirrored(probe);
                Beyond::Across(&line)
            }
            other => other,
        };
        from..probes.len() - self.band(&flipped, below)
    }

    /// The number of first lines that belong to the line above.
    fn band(&self, probes: &[Probe], above: Beyond) -> usize {
        match above {
            Beyond::Nothing => 0,
            Beyond::Apart => self.rows(probes),
            Beyond::Across(line) => {
                let touching = self.touching(probes, line);
                touching + self.rows(&probes[touching..])
            }
        }
    }

    fn is_right(&self, probe: &Probe) -> bool {
        probe.x1 >= self.right[0] - SLACK * self.height
    }

    fn fills(&self, probe: &Probe) -> bool {
        let [x1, x2] = if self.is_right(probe) {
            self.right
        } else {
            self.left
        };
        probe.x2 - probe.x1 >= FILLS * (x2 - x1)
    }

    /// The parts of a formula across the strip: what touches it, or each other, unless that fills
    /// the columns.
    fn touching(&self, probes: &[Probe], line: &Probe) -> usize {
        let mut end = line.y + line.height / 2.0;
        let mut count = 0;
        let mut filled = [0.0; 2];
        for probe in probes {
            if probe.y - probe.height / 2.0 > end + TOUCH * self.height {
                break;
            }
            if self.fills(probe) {
                return 0;
            }
            end = end.max(probe.y + probe.height / 2.0);
            filled[usize::from(self.is_right(probe))] += probe.x2 - probe.x1;
            count += 1;
        }
        let widths = [self.left, self.right].map(|[x1, x2]| x2 - x1);
        let is_prose = filled
            .iter()
            .zip(widths)
            .all(|(filled, width)| *filled >= FILLS * width);
        if is_prose { 0 } else { count }
    }

    /// Rows of a table, or rows with edges of their own, up to a white strip.
    fn rows(&self, probes: &[Probe]) -> usize {
        let filling = probes.iter().position(|probe| self.fills(probe));
        let probes = &probes[..filling.map_or(probes.len(), |at| (at + 1).min(probes.len()))];
        let mut tops = vec![f64::INFINITY; probes.len() + 1];
        for (at, probe) in probes.iter().enumerate().rev() {
            tops[at] = tops[at + 1].min(probe.y - probe.height / 2.0);
        }
        let mut end = f64::NEG_INFINITY;
        let mut strips = Vec::new();
        for (at, probe) in probes.iter().enumerate() {
            if at > 0 && tops[at] - end >= WHITE * self.height {
                strips.push(at);
            }
            end = end.max(probe.y + probe.height / 2.0);
        }
        let strips = strips.into_iter().take(LOOKS).rev();
        strips
            .into_iter()
            .find(|at| self.is_band(&probes[..*at]))
            .unwrap_or_default()
    }

    fn is_band(&self, probes: &[Probe]) -> bool {
        let (right, left): (Vec<Probe>, Vec<Probe>) =
            probes.iter().partition(|probe| self.is_right(probe));
        let first = |probes: &[Probe]| {
            let edges = probes.iter().map(|probe| probe.x1);
            edges.fold(f64::INFINITY, f64::min)
        };
        let indent = OFF_GRID * self.height;
        let off_grid =
            first(&left) > self.left[0] + indent && first(&right) > self.right[0] + indent;
        let left = table::lines(&left, Edge::Right, self.height);
        let right = table::lines(&right, Edge::Left, self.height);
        let fills = |cells: &[table::Cell], [x1, x2]: [f64; 2]| {
            cells.iter().any(|cell| cell.width() >= FILLS * (x2 - x1))
        };
        left.len().min(right.len()) >= ROWS
            && !fills(&left, self.left)
            && !fills(&right, self.right)
            && (off_grid || table::is_table(&left, &right, self.height))
    }
}
