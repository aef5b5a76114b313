//! Words to line segments, segments to lines.

use crate::atom::Atom;
use crate::rect::Rect;

/// Words closer than this share of their height are one segment: no column gap is so narrow.
const WORD_GAP: f64 = 0.45;

/// Neighbors on a line are closer than this, in heights of the text.
const NEIGHBORS: f64 = 2.5;

/// A line segment: neighboring regions on one line, or one region of several lines.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) rect: Rect,
    /// Indices of atoms from left to right.
    pub(super) atoms: Vec<usize>,
    pub(super) solid: bool,
    /// The vertical position of its line: the mean center of its neighbors, since centers of tight quads
    /// differ within a line.
    pub(super) level: f64,
    /// The last atom's.
    end: Rect,
}

impl Piece {
    fn new(at: usize, atom: &Atom) -> Self {
        Self {
            rect: atom.rect,
            atoms: vec![at],
            solid: atom.is_solid(),
            level: atom.rect.middle_y(),
            end: atom.rect,
        }
    }
}

/// Joins neighboring words.
pub(super) fn pieces(atoms: &[Atom]) -> Vec<Piece> {
    let mut order: Vec<usize> = (0..atoms.len()).collect();
    order.sort_by(|a, b| atoms[*a].rect.x1.total_cmp(&atoms[*b].rect.x1));
    let mut pieces: Vec<Piece> = Vec::new();
    for at in order {
        let atom = &atoms[at];
        let before = pieces
            .iter_mut()
            .filter(|piece| !piece.solid && !atom.is_solid())
            .filter_map(|piece| {
                let gap = atom.rect.x1 - piece.end.x2;
                let height = piece.end.height().min(atom.rect.height());
                let near = gap <= WORD_GAP * height && gap >= -0.5 * height;
                near.then_some(())?;
                Some((piece.end.beside(&atom.rect)?, piece))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match before {
            Some((_, piece)) => {
                piece.rect = piece.rect.hull(&atom.rect);
                piece.end = atom.rect;
                piece.atoms.push(at);
            }
            None => pieces.push(Piece::new(at, atom)),
        }
    }
    pieces
}

/// Gives neighbors on a line their common level.
pub(super) fn level(pieces: &mut [Piece], height: f64) {
    let all: Vec<usize> = (0..pieces.len()).collect();
    for row in rows(pieces, &all, NEIGHBORS * height, height) {
        let middles = row.pieces.iter().map(|at| pieces[*at].rect.middle_y());
        let level = middles.sum::<f64>() / row.pieces.len() as f64;
        for at in row.pieces {
            pieces[at].level = level;
        }
    }
}

/// A row of a block: pieces beside each other, from left to right.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Indices of pieces.
    pub(super) pieces: Vec<usize>,
    end: Rect,
    pub(super) solid: bool,
    /// Where its first line is, summed over the pieces.
    middles: f64,
}

impl Row {
    /// Pieces as one row; `None` without pieces.
    pub(super) fn of(all: Vec<usize>, pieces: &[Piece], height: f64) -> Option<Self> {
        let end = pieces.get(*all.last()?)?.rect;
        let middles = all.iter().filter_map(|at| pieces.get(*at));
        Some(Self {
            end,
            solid: false,
            middles: middles.map(|piece| first_middle(piece, height)).sum(),
            pieces: all,
        })
    }

    fn middle(&self) -> f64 {
        self.middles / self.pieces.len() as f64
    }
}

/// Where the first line of a piece is: a high letter at the start of a paragraph stands with that.
fn first_middle(piece: &Piece, height: f64) -> f64 {
    piece.rect.y1 + piece.rect.height().min(height) / 2.0
}

/// The rows of a block from top to bottom. Each piece goes to the row whose last piece is most
/// beside it, so that lines may rise or fall a little.
pub(super) fn rows(pieces: &[Piece], block: &[usize], gap: f64, height: f64) -> Vec<Row> {
    let mut order = block.to_vec();
    order.sort_by(|a, b| {
        let (a, b) = (&pieces[*a].rect, &pieces[*b].rect);
        a.x1.total_cmp(&b.x1).then(a.y1.total_cmp(&b.y1))
    });
    let mut rows: Vec<Row> = Vec::new();
    for at in order {
        let piece = &pieces[at];
        let middle = first_middle(piece, height);
        let row = rows
            .iter_mut()
            .filter(|row| !row.solid && !piece.solid)
            .filter(|row| row.end.x2 - piece.rect.x1 <= 0.5 * height)
            .filter(|row| piece.rect.x1 - row.end.x2 <= gap)
            .filter_map(|row| Some((row.end.beside(&piece.rect)?, row)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match row {
            Some((_, row)) => {
                row.pieces.push(at);
                row.end = piece.rect;
                row.middles += middle;
            }
            None => rows.push(Row {
                pieces: vec![at],
                end: piece.rect,
                solid: piece.solid,
                middles: middle,
            }),
        }
    }
    rows.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
    rows
}
