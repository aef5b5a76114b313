//! Display formulas: rows that overlap vertically, as those of fractions and sums do, are merged to one
//! line, read from left to right and, where parts are stacked, from top to bottom.

use crate::rect::{Rect, quantile};
use crate::rows::{Piece, Row};

/// Minimum indent of formulas, in heights of the text.
const INDENT: f64 = 2.0;
/// Rows closer than this may be of one formula, in heights of the text.
const TOUCH: f64 = 0.1;
/// Minimum vertical overlap of at least two parts of different rows.
const REACH: f64 = 0.3;
/// Maximum parts of a formula.
const PARTS: usize = 256;
/// How far parts may reach over a white strip between them.
const SLACK: f64 = 0.2;

/// The rows of a block, those of a formula as one.
pub(super) fn join(rows: Vec<Row>, pieces: &[Piece], height: f64) -> Vec<Row> {
    let rects: Vec<Rect> = rows.iter().map(|row| around(&row.pieces, pieces)).collect();
    let edges = rects.iter().map(|rect| rect.x1).collect();
    let left = quantile(edges, 0.15).unwrap_or_default();
    let mut joined: Vec<Row> = Vec::with_capacity(rows.len());
    let mut group: Vec<Row> = Vec::new();
    let mut end = f64::NEG_INFINITY;
    for (row, rect) in rows.into_iter().zip(rects) {
        let stands_in = rect.x1 > left + INDENT * height && !row.solid;
        if !stands_in || rect.y1 > end + TOUCH * height {
            joined.extend(close(std::mem::take(&mut group), pieces, height));
            end = f64::NEG_INFINITY;
        }
        if stands_in {
            end = end.max(rect.y2);
            group.push(row);
        } else {
            joined.push(row);
        }
    }
    joined.extend(close(group, pieces, height));
    joined
}

/// Rows that touch each other: one row if they are a formula.
fn close(rows: Vec<Row>, pieces: &[Piece], height: f64) -> Vec<Row> {
    let rects = |row: &Row| -> Vec<Rect> { row.pieces.iter().map(|at| pieces[*at].rect).collect() };
    let reaches = rows.windows(2).any(|pair| {
        let (above, below) = (rects(&pair[0]), rects(&pair[1]));
        let bottom = above
            .iter()
            .map(|rect| rect.y2)
            .fold(f64::NEG_INFINITY, f64::max);
        below.iter().any(|rect| bottom - rect.y1 > REACH * height)
    });
    let count: usize = rows.iter().map(|row| row.pieces.len()).sum();
    if !reaches || count > PARTS {
        return rows;
    }
    let all: Vec<usize> = rows
        .iter()
        .flat_map(|row| row.pieces.iter().copied())
        .collect();
    let mut read = Vec::with_capacity(all.len());
    parts(all, true, pieces, height, &mut read);
    Row::of(read, pieces, height).into_iter().collect()
}

/// Adds parts of a formula in reading order: split at white strips, vertical and horizontal in turn.
fn parts(all: Vec<usize>, downwards: bool, pieces: &[Piece], height: f64, read: &mut Vec<usize>) {
    let mut open = vec![(all, downwards, false)];
    while let Some((all, downwards, tried)) = open.pop() {
        let parts = cut(all, downwards, pieces, height);
        match <[Vec<usize>; 1]>::try_from(parts) {
            Ok([whole]) if tried || whole.len() < 2 => read.extend(whole),
            Ok([whole]) => open.push((whole, !downwards, true)),
            Err(parts) => open.extend(
                parts
                    .into_iter()
                    .rev()
                    .map(|part| (part, !downwards, false)),
            ),
        }
    }
}

/// Splits parts at white strips, in order.
fn cut(all: Vec<usize>, downwards: bool, pieces: &[Piece], height: f64) -> Vec<Vec<usize>> {
    let extent = |at: &usize| {
        let rect = &pieces[*at].rect;
        if downwards {
            (rect.x1, rect.x2)
        } else {
            (rect.y1, rect.y2)
        }
    };
    let mut order = all;
    order.sort_by(|a, b| extent(a).0.total_cmp(&extent(b).0));
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut end = f64::NEG_INFINITY;
    for at in order {
        let (from, to) = extent(&at);
        match parts.last_mut() {
            Some(part) if from < end - SLACK * height => part.push(at),
            _ => parts.push(vec![at]),
        }
        end = end.max(to);
    }
    parts
}

fn around(row: &[usize], pieces: &[Piece]) -> Rect {
    let rects = row.iter().map(|at| pieces[*at].rect);
    let nowhere = Rect {
        x1: 0.0,
        y1: 0.0,
        x2: 0.0,
        y2: 0.0,
    };
    rects.reduce(|all, rect| all.hull(&rect)).unwrap_or(nowhere)
}
