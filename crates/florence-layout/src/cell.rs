//! Multi-line cells in the first column of a table.
//!
//! The second line of such a cell is indented below the first, with nothing beside it: the cell is read
//! to its end before the rest of its row.

use crate::rect::Rect;
use crate::rows::{Piece, Row};

/// Minimum indent of later lines of a cell, in heights of the text.
const INDENT: f64 = 0.5;
/// The gap to the next line of a cell is no wider.
const NEXT: f64 = 0.6;
/// Gaps between the cells of its row are wider, as those between words are not.
const BETWEEN: f64 = 1.6;
/// The gap from a later line to the next cell is wider.
const CELL_GAP: f64 = 0.3;

/// The rows of a block, those of a cell of several lines as one.
pub(super) fn join(rows: Vec<Row>, pieces: &[Piece], height: f64) -> Vec<Row> {
    let mut joined: Vec<Row> = Vec::with_capacity(rows.len());
    // The lines of the first cell of the last row.
    let mut lines = 1;
    for row in rows {
        let goes_on = joined
            .last()
            .is_some_and(|above| goes_on(above, lines, &row, pieces, height));
        let whole = goes_on.then(|| joined.last()).flatten().and_then(|above| {
            let (cell, rest) = above.pieces.split_at(lines);
            Row::of([cell, &row.pieces, rest].concat(), pieces, height)
        });
        match (whole, joined.last_mut()) {
            (Some(whole), Some(above)) => {
                *above = whole;
                lines += 1;
            }
            _ => {
                joined.push(row);
                lines = 1;
            }
        }
    }
    joined
}

/// Whether a row is the next line of the first cell above it.
fn goes_on(above: &Row, lines: usize, row: &Row, pieces: &[Piece], height: f64) -> bool {
    let rect = |at: usize| -> Rect { pieces[at].rect };
    let ([only], [first, ..]) = (row.pieces.as_slice(), above.pieces.as_slice()) else {
        return false;
    };
    let (Some(last), Some(beside)) = (above.pieces.get(lines - 1), above.pieces.get(lines)) else {
        return false;
    };
    let (only, first, last, beside) = (rect(*only), rect(*first), rect(*last), rect(*beside));
    let cells = [&above.pieces[..1], &above.pieces[lines..]].concat();
    let cells: Vec<Rect> = cells.into_iter().map(rect).collect();
    !row.solid
        && !above.solid
        && only.x1 > first.x1 + INDENT * height
        && only.x1 < first.x2
        && only.x2 < beside.x1 - CELL_GAP * height
        && only.y1 - last.y2 < NEXT * height
        && cells
            .windows(2)
            .all(|pair| pair[1].x1 - pair[0].x2 > BETWEEN * height)
}
