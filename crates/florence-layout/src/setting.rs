//! Rows of a block as lines.

use crate::atom::{Atom, Strip};
use crate::frame::Frame;
use crate::page::Line;
use crate::rect::{Rect, quantile};
use crate::rows::{Piece, Row};

/// A line with its rectangle in the frame.
#[derive(Debug, Clone)]
pub(super) struct SetLine {
    pub(super) rect: Rect,
    pub(super) height: f64,
    pub(super) line: Line,
    pub(super) text: String,
    /// A line of a region of several, whose height is not quite known.
    pub(super) solid: bool,
}

impl SetLine {
    fn new(strips: &[&Strip], solid: bool, frame: &Frame) -> Option<Self> {
        let rects = strips.iter().map(|strip| strip.rect);
        let rect = rects.reduce(|all, rect| all.hull(&rect))?;
        // With tight quads only the whole line has ascenders and descenders; but the whole of a line
        // that is not level is too high.
        let heights = strips.iter().map(|strip| strip.rect.height());
        let height = rect.height().min(1.4 * quantile(heights.collect(), 0.8)?);
        let ink = strips.iter().map(|strip| strip.ink);
        let ink = ink.reduce(|all, rect| all.hull(&rect))?;
        let quad = match strips {
            [only] => only.span.quad,
            _ => frame.leave(&ink),
        };
        let line = Line {
            quad,
            height: height as f32,
            spans: strips.iter().map(|strip| strip.span.clone()).collect(),
        };
        let text = line.text();
        Some(Self {
            rect,
            height,
            line,
            text,
            solid,
        })
    }

    /// The width of its first word, as far as characters are equally wide.
    pub(super) fn first_word(&self) -> f64 {
        let all = self.text.chars().count().max(1);
        let first = self.text.split_whitespace().next().unwrap_or_default();
        self.rect.width() * first.chars().count() as f64 / all as f64
    }
}

/// The lines of a row: one, or those of its region.
pub(super) fn lines(row: &Row, pieces: &[Piece], atoms: &[Atom], frame: &Frame) -> Vec<SetLine> {
    let pieces = row.pieces.iter().filter_map(|at| pieces.get(*at));
    let atoms = pieces
        .flat_map(|piece| &piece.atoms)
        .filter_map(|at| atoms.get(*at));
    let strips: Vec<&Strip> = atoms.flat_map(|atom| &atom.strips).collect();
    let solid = strips.iter().any(|strip| strip.span.line > 0);
    let count = if solid { 1 } else { strips.len().max(1) };
    let lines = strips.chunks(count);
    lines
        .filter_map(|strips| SetLine::new(strips, solid, frame))
        .collect()
}
