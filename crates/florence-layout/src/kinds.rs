//! Classifies paragraphs: heading, list item, body text.

use crate::list;
use crate::page::{Block, Paragraph, ParagraphKind};
use crate::rect::weighted_median;

/// Headings are larger than the text by this factor.
const LARGER: f64 = 1.22;
/// Headings of one level differ by less.
const SAME_LEVEL: f64 = 1.13;
/// Maximum lines and characters of headings.
const LINES: usize = 4;
const CHARACTERS: usize = 240;

/// Classifies every paragraph.
pub(super) fn assign(blocks: &mut [Block]) {
    let paragraphs = || blocks.iter().flat_map(|block| &block.paragraphs);
    let usual = usual_height(paragraphs());
    let mut heights: Vec<f64> = paragraphs()
        .filter(|paragraph| is_heading(paragraph, usual))
        .map(Paragraph::height)
        .collect();
    heights.sort_by(|a, b| b.total_cmp(a));
    // The height that each level starts with, from the largest down.
    let mut levels: Vec<f64> = Vec::new();
    for height in heights {
        if levels
            .last()
            .is_none_or(|level| height * SAME_LEVEL < *level)
        {
            levels.push(height);
        }
    }
    for paragraph in blocks.iter_mut().flat_map(|block| &mut block.paragraphs) {
        let height = paragraph.height();
        let first = paragraph.lines.first().map(|line| line.text());
        paragraph.kind = if is_heading(paragraph, usual) {
            let level = levels.iter().filter(|level| **level >= height).count();
            ParagraphKind::Heading {
                level: level.clamp(1, 6) as u8,
            }
        } else if first.is_some_and(|text| list::marker(&text).is_some()) {
            ParagraphKind::ListItem
        } else {
            ParagraphKind::Prose
        };
    }
}

/// The height of most characters on the page, of those that have one.
fn usual_height<'a>(paragraphs: impl Iterator<Item = &'a Paragraph>) -> Option<f64> {
    let lines = paragraphs.flat_map(|paragraph| &paragraph.lines);
    let heights = lines
        .filter(|line| line.height > 0.0)
        .map(|line| (f64::from(line.height), line.text().chars().count() as f64));
    weighted_median(heights.collect())
}

fn is_heading(paragraph: &Paragraph, usual: Option<f64>) -> bool {
    let text: usize = paragraph
        .lines
        .iter()
        .map(|line| line.text().chars().count())
        .sum();
    usual.is_some_and(|usual| paragraph.height() >= LARGER * usual)
        && paragraph.lines.len() <= LINES
        && (1..=CHARACTERS).contains(&text)
}
