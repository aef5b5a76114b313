//! Splits the lines of a block into paragraphs.

use crate::list;
use crate::rect::{quantile, weighted_median};
use crate::setting::SetLine;

/// Lines higher or lower than the previous one by this factor start a paragraph.
const OTHER_HEIGHT: f64 = 1.22;
/// The same for lines of few characters, and for those of regions of several.
const OTHER_HEIGHT_OF_FEW: f64 = 1.5;
const SHORT: usize = 12;
/// The distance between lines grows by this factor where a paragraph ends.
const WIDER: f64 = 1.28;
/// Minimum and maximum indent of a paragraph's first line, in heights of the text.
const INDENT: f64 = 0.8;
const DEEPEST_INDENT: f64 = 8.0;

/// What is usual for lines of a page: the distance of their middles in heights of the text.
pub(super) fn usual_pitch(blocks: &[Vec<SetLine>], height: f64) -> f64 {
    let pitches = blocks.iter().flat_map(|block| pitches(block, height));
    let pitch = weighted_median(pitches.map(|pitch| (pitch, 1.0)).collect());
    pitch.map_or(1.4 * height, |pitch| pitch.clamp(height, 2.2 * height))
}

/// The distances of neighbors of the usual height.
fn pitches(block: &[SetLine], height: f64) -> impl Iterator<Item = f64> {
    let usual = move |line: &SetLine| similar(line.height, height);
    let pairs = block.windows(2).filter_map(|pair| match pair {
        [above, below] => Some((above, below)),
        _ => None,
    });
    pairs
        .filter(move |(above, below)| usual(above) && usual(below))
        .map(|(above, below)| below.rect.middle_y() - above.rect.middle_y())
        .filter(move |pitch| (0.5 * height..4.0 * height).contains(pitch))
}

fn similar(a: f64, b: f64) -> bool {
    a <= b * OTHER_HEIGHT && b <= a * OTHER_HEIGHT
}

/// Whether two lines are set in letters of another size. With tight quads a short line without ascenders
/// and descenders is low.
fn is_other_size(before: &SetLine, line: &SetLine) -> bool {
    let short = before.text.chars().count().min(line.text.chars().count()) < SHORT;
    let factor = if short || before.solid || line.solid {
        OTHER_HEIGHT_OF_FEW
    } else {
        OTHER_HEIGHT
    };
    line.height > before.height * factor || before.height > line.height * factor
}

/// The lines of a block as paragraphs. `pitch` is the page's usual one for lines of `height`.
pub(super) fn split(block: Vec<SetLine>, height: f64, pitch: f64) -> Vec<Vec<SetLine>> {
    let shape = Shape::of(&block, height, pitch);
    let mut starts: Vec<bool> = (0..block.len())
        .map(|at| shape.starts(&block, at))
        .collect();
    if let Some(first) = starts.first_mut() {
        *first = true;
    }
    let mut paragraphs: Vec<Vec<SetLine>> = Vec::new();
    for (line, starts) in block.into_iter().zip(starts) {
        match paragraphs.last_mut() {
            Some(paragraph) if !starts => paragraph.push(line),
            _ => paragraphs.push(vec![line]),
        }
    }
    paragraphs
}

/// The edges and the pitch of a block.
#[derive(Debug)]
struct Shape {
    height: f64,
    pitch: f64,
    left: f64,
    right: f64,
}

impl Shape {
    fn of(block: &[SetLine], height: f64, page_pitch: f64) -> Self {
        let own = pitches(block, height).collect::<Vec<f64>>();
        let pitch = if own.len() < 4 {
            page_pitch
        } else {
            // Wider ones are gaps between paragraphs: where these are many, the page knows better.
            quantile(own, 0.4)
                .unwrap_or(page_pitch)
                .min(1.2 * page_pitch)
        };
        let edges = |edge: fn(&SetLine) -> f64, share| {
            quantile(block.iter().map(edge).collect(), share).unwrap_or_default()
        };
        Self {
            height,
            pitch,
            left: edges(|line| line.rect.x1, 0.15),
            right: edges(|line| line.rect.x2, 0.9),
        }
    }

    fn starts(&self, block: &[SetLine], at: usize) -> bool {
        let Some(before) = at.checked_sub(1).and_then(|above| block.get(above)) else {
            return true;
        };
        let Some(line) = block.get(at) else {
            return true;
        };
        let next = block.get(at + 1);
        is_other_size(before, line)
            || self.is_apart(before, line)
            || self.is_indented(before, line, next)
            || self.is_list_item(before, line)
            || is_speech(before, line)
            || self.ends_early(before, line)
    }

    /// More space above than usual: for larger letters, in proportion.
    fn is_apart(&self, before: &SetLine, line: &SetLine) -> bool {
        let scale = (line.height.min(before.height) / self.height).max(1.0);
        let pitch = line.rect.middle_y() - before.rect.middle_y();
        pitch > WIDER * self.pitch * scale && pitch - self.pitch * scale > 0.3 * self.height
    }

    fn indent(&self, line: &SetLine) -> f64 {
        (line.rect.x1 - self.left) / self.height
    }

    /// The first line is indented, and those around it are not.
    fn is_indented(&self, before: &SetLine, line: &SetLine, next: Option<&SetLine>) -> bool {
        let back = |other: &SetLine| line.rect.x1 - other.rect.x1 >= INDENT * self.height;
        let full = self.right - line.rect.x2 < 6.0 * self.height;
        // Lines of a list item are indented after the first; a paragraph's first line is.
        list::marker(&before.text).is_none()
            && (INDENT..DEEPEST_INDENT).contains(&self.indent(line))
            && self.indent(before) < INDENT / 2.0
            && back(before)
            && next.map_or(full || ends_sentence(&before.text), back)
    }

    fn is_list_item(&self, before: &SetLine, line: &SetLine) -> bool {
        match list::marker(&line.text) {
            None => false,
            Some(list::Marker::Bullet) => true,
            // "…in the year / 1990. The…" is not a list item.
            Some(list::Marker::Number) => {
                list::marker(&before.text).is_some()
                    || ends_sentence(&before.text)
                    || self.has_room(before, line)
                    || before.rect.x1 - line.rect.x1 >= INDENT * self.height
            }
        }
    }

    /// The line before could have taken the first word of this one, and ends a sentence.
    fn ends_early(&self, before: &SetLine, line: &SetLine) -> bool {
        ends_sentence(&before.text) && self.has_room(before, line)
    }

    fn has_room(&self, before: &SetLine, line: &SetLine) -> bool {
        self.right - before.rect.x2 > line.first_word() + 1.5 * self.height
    }
}

/// A dash after a sentence starts direct speech; elsewhere it may be anywhere in prose.
fn is_speech(before: &SetLine, line: &SetLine) -> bool {
    line.text.starts_with('—') && ends_sentence(&before.text)
}

fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end_matches(['"', '\'', '”', '’', '»', ')', ']']);
    text.ends_with(['.', '!', '?', ':', '…', '。', '！', '？', '：'])
}
