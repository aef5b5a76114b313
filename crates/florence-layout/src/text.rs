//! Plain text output.

use crate::page::{Page, Paragraph, ParagraphKind};
use crate::prose::{self, Joining};

/// Options of plain text. By default all are on.
///
/// # Example
///
/// ```
/// use florence_layout::TextOptions;
///
/// let options = TextOptions::new().with_dehyphenation(false);
/// assert_ne!(options, TextOptions::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct TextOptions {
    #[cfg_attr(feature = "serde", serde(rename = "mend_hyphens"))]
    dehyphenation: bool,
    join_columns: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            dehyphenation: true,
            join_columns: true,
        }
    }
}

impl TextOptions {
    /// The default: everything on.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::TextOptions;
    ///
    /// assert_eq!(TextOptions::new(), TextOptions::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether words hyphenated at line ends are joined: `impor-` and `tant`. A hyphen is kept before a
    /// capital, beside a digit, and in words that have it elsewhere on the page.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Page, TextOptions};
    /// use florence_postprocess::{QuadBox, Size, TextRegion};
    ///
    /// let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
    /// let sign = TextRegion::new("an impor-\ntant one", quad);
    /// let page = Page::from_regions(&[sign], Size::new(100, 100));
    /// let as_written = TextOptions::new().with_dehyphenation(false);
    /// assert_eq!(page.to_text(), "an important one\n");
    /// assert_eq!(page.to_text_with(as_written), "an impor- tant one\n");
    /// ```
    #[must_use]
    pub fn with_dehyphenation(self, yes: bool) -> Self {
        Self {
            dehyphenation: yes,
            ..self
        }
    }

    /// Whether a paragraph that continues in the next block is joined: one that ends without a full
    /// stop, before one that starts with a lowercase letter.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Page, TextOptions};
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s>\
    ///     Cats sleep most of<loc_50><loc_100><loc_400><loc_100><loc_400><loc_130><loc_50><loc_130>\
    ///     the day, and a few<loc_50><loc_140><loc_400><loc_140><loc_400><loc_170><loc_50><loc_170>\
    ///     of them at night,<loc_450><loc_100><loc_800><loc_100><loc_800><loc_130><loc_450><loc_130>\
    ///     too, in a basket.<loc_450><loc_140><loc_800><loc_140><loc_800><loc_170><loc_450><loc_170></s>";
    /// let size = Size::new(1000, 1000);
    /// let parsed = parse_text(AnswerForm::Quads, answer, size);
    /// let page = Page::from_regions(parsed.answer.text_regions(), size);
    /// let apart = page.to_text_with(TextOptions::new().with_join_columns(false));
    /// assert_eq!(
    ///     apart,
    ///     "Cats sleep most of the day, and a few\n\nof them at night, too, in a basket.\n",
    /// );
    /// assert_eq!(page.to_text(), apart.replace("\n\n", " "));
    /// ```
    #[must_use]
    pub fn with_join_columns(self, yes: bool) -> Self {
        Self {
            join_columns: yes,
            ..self
        }
    }
}

impl Page {
    /// The page as plain text: paragraphs separated by empty lines, their lines joined, hyphenated words
    /// joined.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    /// use florence_postprocess::{QuadBox, Size, TextRegion};
    ///
    /// let line = |text: &str, y: f32| {
    ///     let quad = QuadBox::from([10.0, y, 190.0, y, 190.0, y + 10.0, 10.0, y + 10.0]);
    ///     TextRegion::new(text, quad)
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
    /// let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
    /// let sign = TextRegion::new("an impor-\ntant one", quad);
    /// let page = Page::from_regions(&[sign], Size::new(100, 100));
    /// let options = TextOptions::new().with_dehyphenation(false);
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

/// A paragraph, or the parts of one, as text.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) kind: ParagraphKind,
    pub(super) text: String,
}

/// The paragraphs of a page that are not empty.
pub(super) fn passages(page: &Page, options: TextOptions) -> Vec<Passage> {
    let lines: Vec<String> = page.lines().map(|line| line.text()).collect();
    let joining = Joining {
        mend: options.dehyphenation,
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
