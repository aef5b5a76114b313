//! A page as plain text.

use crate::page::{Page, Paragraph, ParagraphKind};
use crate::prose::{self, Joining};

/// How a page becomes text.
///
/// # Example
///
/// ```
/// use florence_layout::TextOptions;
///
/// let options = TextOptions { mend_hyphens: false, ..TextOptions::default() };
/// assert!(options.join_columns);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TextOptions {
    /// Put words together that were divided at a line's end: `impor-` and `tant`. A hyphen stays
    /// before a capital and beside a digit, and in words that have it elsewhere on the page.
    pub mend_hyphens: bool,
    /// Put the halves of a paragraph together that goes on in the next block: one that ends
    /// without a full stop, before one that starts with a small letter.
    pub join_columns: bool,
}

impl Default for TextOptions {
    /// All of it.
    fn default() -> Self {
        Self {
            mend_hyphens: true,
            join_columns: true,
        }
    }
}

impl Page {
    /// The page as plain text: paragraphs with an empty line between, their lines joined, words
    /// that were divided at line ends put together.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    /// use florence_postprocess::{QuadBox, Size, TextRegion};
    ///
    /// let line = |text: &str, y: f32| TextRegion {
    ///     text: text.to_owned(),
    ///     quad: QuadBox::from([10.0, y, 190.0, y, 190.0, y + 10.0, 10.0, y + 10.0]),
    ///     confidence: None,
    ///     text_confidence: None,
    ///     bins: [0; 8],
    /// };
    /// let regions = [line("It is an impor-", 10.0), line("tant matter.", 24.0), line("So there.", 60.0)];
    /// let page = Page::from_regions(&regions, Size::new(200, 100));
    /// assert_eq!(page.to_text(), "It is an important matter.\n\nSo there.\n");
    /// ```
    pub fn to_text(&self) -> String {
        self.to_text_with(TextOptions::default())
    }

    /// [`to_text`](Page::to_text) with options.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Page, TextOptions};
    /// use florence_postprocess::{QuadBox, Size, TextRegion};
    ///
    /// let sign = TextRegion {
    ///     text: "an impor-\ntant one".to_owned(),
    ///     quad: QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]),
    ///     confidence: None,
    ///     text_confidence: None,
    ///     bins: [0; 8],
    /// };
    /// let page = Page::from_regions(&[sign], Size::new(100, 100));
    /// let options = TextOptions { mend_hyphens: false, ..TextOptions::default() };
    /// assert_eq!(page.to_text_with(options), "an impor- tant one\n");
    /// ```
    pub fn to_text_with(&self, options: TextOptions) -> String {
        let passages = passages(self, options);
        let texts: Vec<&str> = passages
            .iter()
            .map(|passage| passage.text.as_str())
            .collect();
        let mut text = texts.join("\n\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}

/// A paragraph, or the halves of one, as text.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) kind: ParagraphKind,
    pub(super) text: String,
}

/// The paragraphs of a page that are not empty.
pub(super) fn passages(page: &Page, options: TextOptions) -> Vec<Passage> {
    let lines: Vec<String> = page.lines().map(|line| line.text()).collect();
    let joining = Joining {
        mend: options.mend_hyphens,
        hyphenated: prose::hyphenated(lines.iter().map(String::as_str)),
    };
    let mut passages: Vec<(ParagraphKind, Vec<String>)> = Vec::new();
    for block in &page.blocks {
        for (at, paragraph) in block.paragraphs.iter().enumerate() {
            let lines = written(paragraph);
            let Some(first) = lines.first() else {
                continue;
            };
            match passages.last_mut() {
                Some((kind, before))
                    if at == 0
                        && options.join_columns
                        && paragraph.kind == ParagraphKind::Prose
                        && !matches!(kind, ParagraphKind::Heading { .. })
                        && goes_on(before, first) =>
                {
                    before.extend(lines);
                }
                _ => passages.push((paragraph.kind, lines)),
            }
        }
    }
    let passage = |(kind, lines): (ParagraphKind, Vec<String>)| Passage {
        kind,
        text: prose::join(lines.into_iter(), &joining),
    };
    passages.into_iter().map(passage).collect()
}

fn written(paragraph: &Paragraph) -> Vec<String> {
    let lines = paragraph.lines.iter().map(|line| line.text());
    lines.filter(|line| !line.is_empty()).collect()
}

/// Whether a paragraph ends within a sentence that a line goes on with.
fn goes_on(before: &[String], line: &str) -> bool {
    let last = before.last().and_then(|line| line.chars().next_back());
    // Labels and page numbers do not go on anywhere.
    let long = before
        .iter()
        .map(|line| line.chars().count())
        .sum::<usize>()
        >= 20;
    let open = last.is_some_and(|c| c.is_lowercase() || matches!(c, '-' | ',' | ';' | '\u{ad}'));
    long && open && line.chars().next().is_some_and(char::is_lowercase)
}
