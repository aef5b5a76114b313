//! Segmentation of a page into blocks in reading order.
//!
//! A recursive X-Y cut that looks for gutters first: white strips that a number of consecutive lines
//! leave free (the whitespace cover of Breuel's layout analysis, of which only the next strip is
//! needed). A gutter that nothing crosses splits the page into left and right; one between lines that
//! cross it splits the page into above, left, right and below. A page is therefore cut horizontally only
//! at headings and changes of columns, not at gaps between paragraphs of the same height.

use crate::atom::Atom;
use crate::gutter;
use crate::probe::Probe;
use crate::rect::Rect;
use crate::rows::Piece;

/// Average number of times a segment is examined: a bound for degenerate input, beyond any page.
const LOOKS: usize = 256;
/// The share of a page's height that its margins have at most.
const MARGIN: f64 = 0.12;
/// Their height: more is a heading.
const MARGIN_HEIGHT: f64 = 1.18;
/// The gap between the margins' lines and the rest, in heights of the text.
const MARGIN_GAP: f64 = 1.2;

/// The blocks of a page as indices of its pieces.
pub(super) fn blocks(pieces: &[Piece], atoms: &[Atom], height: f64) -> Vec<Vec<usize>> {
    let mut cutter = Cutter {
        pieces,
        atoms,
        height,
        outside: Vec::new(),
    };
    let mut all: Vec<usize> = (0..pieces.len()).collect();
    all.sort_by(|a, b| {
        let (a, b) = (&pieces[*a], &pieces[*b]);
        a.level
            .total_cmp(&b.level)
            .then(a.rect.x1.total_cmp(&b.rect.x1))
    });
    let mut blocks = Vec::new();
    let Margins {
        headers,
        body,
        footers,
    } = cutter.margins(all);
    let margins = headers.iter().chain(&footers).flatten();
    cutter.outside = margins.map(|at| pieces[*at].rect).collect();
    blocks.extend(headers);
    cutter.cut(body, &mut blocks);
    blocks.extend(footers);
    blocks
}

/// Headers, body and footers of a page.
struct Margins {
    headers: Vec<Vec<usize>>,
    body: Vec<usize>,
    footers: Vec<Vec<usize>>,
}

struct Cutter<'a> {
    pieces: &'a [Piece],
    atoms: &'a [Atom],
    height: f64,
    /// The segments in the margins.
    outside: Vec<Rect>,
}

impl Cutter<'_> {
    /// Cuts pieces, which come sorted by their middles, and adds their blocks.
    fn cut(&self, pieces: Vec<usize>, blocks: &mut Vec<Vec<usize>>) {
        let mut looks = LOOKS * pieces.len();
        let mut open = vec![pieces];
        while let Some(pieces) = open.pop() {
            if pieces.is_empty() {
                continue;
            }
            let left = looks.checked_sub(pieces.len());
            looks = left.unwrap_or_default();
            match left.and_then(|_| self.parts(&pieces)) {
                Some(parts) => open.extend(parts.into_iter().rev()),
                None => blocks.push(pieces),
            }
        }
    }

    /// Splits segments at a gutter: above, left, right and below.
    fn parts(&self, pieces: &[usize]) -> Option<[Vec<usize>; 4]> {
        let gutter = gutter::find(&self.probes(pieces), &self.outside, self.height)?;
        let mut parts: [Vec<usize>; 4] = Default::default();
        for at in pieces {
            let piece = &self.pieces[*at];
            let part = match piece.level {
                y if !gutter.whole && y < gutter.y1 => 0,
                y if !gutter.whole && y > gutter.y2 => 3,
                _ if piece.rect.middle_x() < gutter.x => 1,
                _ => 2,
            };
            parts[part].push(*at);
        }
        let is_cut = parts.iter().all(|part| part.len() < pieces.len());
        is_cut.then_some(parts)
    }

    /// The lines of pieces, sorted by their middles.
    fn probes(&self, pieces: &[usize]) -> Vec<Probe> {
        let mut probes: Vec<Probe> = pieces
            .iter()
            .flat_map(|at| self.probes_of(&self.pieces[*at]))
            .collect();
        probes.sort_by(|a, b| a.y.total_cmp(&b.y));
        probes
    }

    fn probes_of(&self, piece: &Piece) -> Vec<Probe> {
        let atoms = piece.atoms.iter().filter_map(|at| self.atoms.get(*at));
        let numeric = atoms.clone().filter(|atom| atom.numeric).count() * 2 > piece.atoms.len();
        let word = atoms.clone().next().map_or(0.0, Atom::first_word);
        let probe = |rect: &Rect, y: f64| Probe {
            x1: rect.x1,
            x2: rect.x2,
            y,
            height: rect.height(),
            word,
            numeric,
            solid: piece.solid,
        };
        if !piece.solid {
            return vec![probe(&piece.rect, piece.level)];
        }
        let strips = atoms.flat_map(|atom| &atom.strips);
        strips
            .map(|strip| probe(&strip.rect, strip.rect.middle_y()))
            .collect()
    }

    /// Takes single lines off the top and the bottom of a page: running heads, page numbers,
    /// footers. They may stand in a gutter or over one column, and are read before or after all.
    fn margins(&self, mut body: Vec<usize>) -> Margins {
        let page = self.around(&body);
        let outer = page.height() * MARGIN;
        let mut headers = Vec::new();
        let mut before = 0.0;
        while let Some((line, gap)) = self.lone_line(body.iter(), before) {
            let rect = self.around(&body[..line]);
            if headers.len() == 2 || !self.is_small(&rect) || rect.y2 > page.y1 + outer {
                break;
            }
            headers.push(body.drain(..line).collect());
            before = gap;
        }
        let mut footers = Vec::new();
        let mut before = 0.0;
        while let Some((line, gap)) = self.lone_line(body.iter().rev(), before) {
            let rect = self.around(&body[body.len() - line..]);
            if footers.len() == 2 || !self.is_small(&rect) || rect.y1 < page.y2 - outer {
                break;
            }
            footers.insert(0, body.split_off(body.len() - line));
            before = gap;
        }
        Margins {
            headers,
            body,
            footers,
        }
    }

    /// The number of first segments that form a line with a gap to all that follow, and that gap, which has
    /// to be at least `before`.
    fn lone_line<'a>(
        &self,
        mut pieces: impl Iterator<Item = &'a usize>,
        before: f64,
    ) -> Option<(usize, f64)> {
        let mut line = self.pieces[*pieces.next()?].rect;
        // Pieces come by their middles: what is a gap away from all so far is so from all to come,
        // but for pieces much higher than a line, which are no running heads.
        for (count, at) in (1..).zip(pieces) {
            let rect = &self.pieces[*at].rect;
            let gap = (rect.y1 - line.y2).max(line.y1 - rect.y2);
            if gap >= MARGIN_GAP * self.height {
                return (gap >= before).then_some((count, gap));
            }
            line = line.hull(rect);
        }
        None
    }

    fn around(&self, pieces: &[usize]) -> Rect {
        let rects = pieces.iter().map(|at| self.pieces[*at].rect);
        let nowhere = Rect {
            x1: 0.0,
            y1: 0.0,
            x2: 0.0,
            y2: 0.0,
        };
        rects.reduce(|all, rect| all.hull(&rect)).unwrap_or(nowhere)
    }

    fn is_small(&self, line: &Rect) -> bool {
        line.height() <= MARGIN_HEIGHT * self.height
    }
}
