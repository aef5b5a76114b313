//! Pages, blocks, paragraphs, lines and spans.

use crate::prose::{self, Joining};
use florence_postprocess::{BBox, QuadBox, Size};

/// A page in reading order: blocks of paragraphs of lines.
///
/// # Example
///
/// ```
/// use florence_layout::Page;
/// use florence_postprocess::{AnswerForm, Size, parse_text};
///
/// // Two columns of two lines; the model answers row by row.
/// let answer = "</s><s>\
///     Cats sleep most of<loc_50><loc_100><loc_400><loc_100><loc_400><loc_130><loc_50><loc_130>\
///     Dogs would rather<loc_450><loc_100><loc_800><loc_100><loc_800><loc_130><loc_450><loc_130>\
///     the day.<loc_50><loc_140><loc_200><loc_140><loc_200><loc_170><loc_50><loc_170>\
///     go for a walk.<loc_450><loc_140><loc_750><loc_140><loc_750><loc_170><loc_450><loc_170></s>";
/// let size = Size::new(1000, 1000);
/// let parsed = parse_text(AnswerForm::Quads, answer, size);
/// let page = Page::from_regions(parsed.answer.text_regions(), size);
///
/// assert_eq!(page.blocks.len(), 2);
/// assert_eq!(page.to_text(), "Cats sleep most of the day.\n\nDogs would rather go for a walk.\n");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Page {
    /// The size of the image.
    pub size: Size,
    /// The direction of the text in radians, as [`QuadBox::angle`]: 0 for an upright page, positive
    /// where lines descend to the right.
    pub angle: f32,
    /// The blocks in reading order.
    pub blocks: Vec<Block>,
}

/// A block: a column of text or a part of one, read from top to bottom.
///
/// # Example
///
/// ```
/// use florence_layout::Page;
/// use florence_postprocess::{QuadBox, Size, TextRegion};
///
/// let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
/// let stop = TextRegion::new("STOP", quad);
/// let page = Page::from_regions(&[stop], Size::new(100, 100));
/// assert_eq!(page.blocks[0].bbox.x2, 90.0);
/// assert_eq!(page.blocks[0].paragraphs.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Block {
    /// The smallest axis-aligned box around it.
    pub bbox: BBox,
    /// Its paragraphs from top to bottom.
    pub paragraphs: Vec<Paragraph>,
}

/// A paragraph.
///
/// # Example
///
/// ```
/// use florence_layout::{Page, ParagraphKind};
/// use florence_postprocess::{QuadBox, Size, TextRegion};
///
/// let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
/// let item = TextRegion::new("1. Mix flour and\nwater", quad);
/// let page = Page::from_regions(&[item], Size::new(100, 100));
/// let paragraph = &page.blocks[0].paragraphs[0];
/// assert_eq!(paragraph.kind, ParagraphKind::ListItem);
/// assert_eq!(paragraph.lines.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Paragraph {
    /// Its kind.
    pub kind: ParagraphKind,
    /// The smallest axis-aligned box around it.
    pub bbox: BBox,
    /// Its lines from top to bottom; at least one.
    pub lines: Vec<Line>,
}

/// The kind of a paragraph.
///
/// # Example
///
/// ```
/// use florence_layout::ParagraphKind;
///
/// assert_eq!(ParagraphKind::default(), ParagraphKind::Prose);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ParagraphKind {
    /// Body text, and everything else.
    #[default]
    Prose,
    /// A heading: a few lines in larger letters than most of the page.
    Heading {
        /// 1 for the largest on the page, up to 6.
        level: u8,
    },
    /// A list item: it starts with a bullet, or a number or letter of a list.
    ListItem,
}

/// A line of text.
///
/// # Example
///
/// ```
/// use florence_layout::Page;
/// use florence_postprocess::{QuadBox, Size, TextRegion};
///
/// let word = |text: &str, x: f32| {
///     let quad = QuadBox::from([x, 10.0, x + 40.0, 10.0, x + 40.0, 30.0, x, 30.0]);
///     TextRegion::new(text, quad)
/// };
/// let page = Page::from_regions(&[word("world", 55.0), word("hello", 10.0)], Size::new(100, 100));
/// let line = &page.blocks[0].paragraphs[0].lines[0];
/// assert_eq!(line.text(), "hello world");
/// assert_eq!(line.quad.to_bbox().to_array(), [10.0, 10.0, 95.0, 30.0]);
/// assert_eq!((line.height, line.spans[0].region), (20.0, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Line {
    /// The quad around it, clockwise from the start of the text's upper edge: that of its only span, or
    /// one in the direction of the page around all spans.
    pub quad: QuadBox,
    /// Its height in pixels across the direction of the text: the font height where it can be estimated
    /// from tight quads, otherwise the height of the quads.
    pub height: f32,
    /// Its spans in reading order; at least one.
    pub spans: Vec<Span>,
}

/// A part of a line: a region, or a line of one.
///
/// # Example
///
/// ```
/// use florence_layout::Page;
/// use florence_postprocess::{QuadBox, Size, TextRegion};
///
/// let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
/// let sign = TextRegion::new("NO\nPARKING", quad).with_text_confidence(0.9);
/// let page = Page::from_regions(&[sign], Size::new(100, 100));
/// let spans: Vec<_> = page.lines().map(|line| &line.spans[0]).collect();
/// assert_eq!((spans[1].region, spans[1].line, spans[1].text.as_str()), (0, 1, "PARKING"));
/// assert_eq!(spans[1].quad.to_bbox().y1, 20.0);
/// assert_eq!(spans[1].confidence, Some(0.9));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Span {
    /// The index of the region that it comes from.
    pub region: usize,
    /// Its line in the region, from 0, without counting blank lines.
    pub line: usize,
    /// Its text without surrounding whitespace; empty where the region has none.
    pub text: String,
    /// Its corners in the image, clockwise: those of the region, or of a strip of it where it has several
    /// lines.
    pub quad: QuadBox,
    /// The region's text confidence, or the confidence of its quad where that is unknown.
    pub confidence: Option<f32>,
}

impl Page {
    /// All paragraphs in reading order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    ///
    /// assert_eq!(Page::default().paragraphs().count(), 0);
    /// ```
    pub fn paragraphs(&self) -> impl Iterator<Item = &Paragraph> {
        self.blocks.iter().flat_map(|block| &block.paragraphs)
    }

    /// All lines in reading order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    ///
    /// assert_eq!(Page::default().lines().count(), 0);
    /// ```
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.paragraphs().flat_map(|paragraph| &paragraph.lines)
    }

    /// The indices of the regions in reading order: each exactly once.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    /// use florence_postprocess::{QuadBox, Size, TextRegion};
    ///
    /// let word = |x: f32| {
    ///     let quad = QuadBox::from([x, 10.0, x + 20.0, 10.0, x + 20.0, 30.0, x, 30.0]);
    ///     TextRegion::new("la", quad)
    /// };
    /// let page = Page::from_regions(&[word(50.0), word(10.0)], Size::new(100, 100));
    /// assert_eq!(page.order(), [1, 0]);
    /// ```
    pub fn order(&self) -> Vec<usize> {
        let spans = self.lines().flat_map(|line| &line.spans);
        spans
            .filter(|span| span.line == 0)
            .map(|span| span.region)
            .collect()
    }
}

impl Block {
    /// A block of these paragraphs.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Block, Line, Paragraph, ParagraphKind, Span};
    /// use florence_postprocess::{BBox, QuadBox};
    ///
    /// let bbox = BBox::new(10.0, 10.0, 90.0, 30.0);
    /// let line = Line::new(vec![Span::new("STOP", QuadBox::from(bbox))]);
    /// let block = Block::new(vec![Paragraph::new(ParagraphKind::Prose, vec![line])]);
    /// assert_eq!((block.bbox, block.text().as_str()), (bbox, "STOP"));
    /// ```
    pub fn new(paragraphs: Vec<Paragraph>) -> Self {
        let boxes = paragraphs.iter().map(|paragraph| paragraph.bbox);
        let bbox = boxes
            .reduce(|all, bbox| all.hull(&bbox))
            .unwrap_or_default();
        Self { bbox, paragraphs }
    }

    /// Its paragraphs, separated by empty lines.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Block;
    ///
    /// assert_eq!(Block::default().text(), "");
    /// ```
    pub fn text(&self) -> String {
        let paragraphs = self.paragraphs.iter().map(Paragraph::text);
        let written: Vec<String> = paragraphs.filter(|text| !text.is_empty()).collect();
        written.join("\n\n")
    }

    /// The indices of its regions in reading order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Block;
    ///
    /// assert!(Block::default().regions().is_empty());
    /// ```
    pub fn regions(&self) -> Vec<usize> {
        distinct(self.paragraphs.iter().flat_map(Paragraph::regions))
    }
}

impl Paragraph {
    /// A paragraph of these lines.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Line, Paragraph, ParagraphKind, Span};
    /// use florence_postprocess::{BBox, QuadBox};
    ///
    /// let bbox = BBox::new(10.0, 10.0, 90.0, 30.0);
    /// let line = Line::new(vec![Span::new("1. eggs", QuadBox::from(bbox))]);
    /// let item = Paragraph::new(ParagraphKind::ListItem, vec![line]);
    /// assert_eq!((item.kind, item.bbox), (ParagraphKind::ListItem, bbox));
    /// ```
    pub fn new(kind: ParagraphKind, lines: Vec<Line>) -> Self {
        let boxes = lines.iter().map(|line| line.to_bbox());
        let bbox = boxes
            .reduce(|all, bbox| all.hull(&bbox))
            .unwrap_or_default();
        Self { kind, bbox, lines }
    }

    /// Its lines joined, and hyphenated words at line ends joined.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Line, Paragraph, ParagraphKind, Span};
    /// use florence_postprocess::QuadBox;
    ///
    /// let line = |text: &str| Line::new(vec![Span::new(text, QuadBox::default())]);
    /// let lines = vec![line("It is an impor-"), line("tant matter.")];
    /// let paragraph = Paragraph::new(ParagraphKind::Prose, lines);
    /// assert_eq!(paragraph.text(), "It is an important matter.");
    /// ```
    pub fn text(&self) -> String {
        prose::join(self.lines.iter().map(Line::text), &Joining::default())
    }

    /// The indices of its regions in reading order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Paragraph;
    ///
    /// assert!(Paragraph::default().regions().is_empty());
    /// ```
    pub fn regions(&self) -> Vec<usize> {
        distinct(self.lines.iter().flat_map(Line::regions))
    }

    /// The usual height of its lines in pixels.
    pub(super) fn height(&self) -> f64 {
        let heights = self
            .lines
            .iter()
            .map(|line| f64::from(line.height))
            .collect();
        super::rect::quantile(heights, 0.5).unwrap_or_default()
    }
}

impl Line {
    /// A line of these spans, with the box around them as its quad.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Line, Span};
    /// use florence_postprocess::{BBox, QuadBox};
    ///
    /// let bbox = BBox::new(10.0, 10.0, 90.0, 30.0);
    /// let line = Line::new(vec![Span::new("STOP", QuadBox::from(bbox))]);
    /// assert_eq!((line.quad, line.height), (QuadBox::from(bbox), 20.0));
    /// ```
    pub fn new(spans: Vec<Span>) -> Self {
        let line = Self {
            spans,
            ..Self::default()
        };
        let bbox = line.to_bbox();
        Self {
            quad: bbox.into(),
            height: bbox.height(),
            ..line
        }
    }

    /// Its spans separated by spaces.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Line, Span};
    /// use florence_postprocess::QuadBox;
    ///
    /// let span = |text: &str| Span::new(text, QuadBox::default());
    /// let line = Line::new(vec![span("good"), span(""), span("day")]);
    /// assert_eq!(line.text(), "good day");
    /// ```
    pub fn text(&self) -> String {
        let mut text = String::new();
        for span in self.spans.iter().filter(|span| !span.text.is_empty()) {
            if prose::wants_space(&text, &span.text) {
                text.push(' ');
            }
            text.push_str(&span.text);
        }
        text
    }

    /// The smallest axis-aligned box around its spans.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Line, Span};
    /// use florence_postprocess::{BBox, QuadBox};
    ///
    /// let quad = QuadBox::from([1.0, 2.0, 9.0, 2.0, 9.0, 5.0, 1.0, 5.0]);
    /// let line = Line::new(vec![Span::new("", quad)]);
    /// assert_eq!(line.to_bbox(), BBox::new(1.0, 2.0, 9.0, 5.0));
    /// ```
    pub fn to_bbox(&self) -> BBox {
        let boxes = self.spans.iter().map(|span| span.quad.to_bbox());
        boxes
            .reduce(|all, bbox| all.hull(&bbox))
            .unwrap_or_default()
    }

    /// The indices of its regions in reading order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::{Line, Span};
    /// use florence_postprocess::QuadBox;
    ///
    /// let span = |region| Span::new("", QuadBox::default()).with_region(region);
    /// let line = Line::new(vec![span(4), span(2)]);
    /// assert_eq!(line.regions(), [4, 2]);
    /// ```
    pub fn regions(&self) -> Vec<usize> {
        distinct(self.spans.iter().map(|span| span.region))
    }
}

impl Span {
    /// A span of the first region, of unknown confidence.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Span;
    /// use florence_postprocess::QuadBox;
    ///
    /// let span = Span::new("STOP", QuadBox::default());
    /// assert_eq!((span.text.as_str(), span.region, span.confidence), ("STOP", 0, None));
    /// ```
    pub fn new(text: impl Into<String>, quad: QuadBox) -> Self {
        Self {
            text: text.into(),
            quad,
            ..Self::default()
        }
    }

    /// With the index of its region.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Span;
    /// use florence_postprocess::QuadBox;
    ///
    /// assert_eq!(Span::new("STOP", QuadBox::default()).with_region(3).region, 3);
    /// ```
    #[must_use]
    pub fn with_region(self, region: usize) -> Self {
        Self { region, ..self }
    }

    /// With this confidence.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Span;
    /// use florence_postprocess::QuadBox;
    ///
    /// let span = Span::new("STOP", QuadBox::default()).with_confidence(0.9);
    /// assert_eq!(span.confidence, Some(0.9));
    /// ```
    #[must_use]
    pub fn with_confidence(self, confidence: impl Into<Option<f32>>) -> Self {
        Self {
            confidence: confidence.into(),
            ..self
        }
    }

    /// The smallest axis-aligned box around it.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Span;
    /// use florence_postprocess::{BBox, QuadBox};
    ///
    /// let quad = QuadBox::from([1.0, 2.0, 9.0, 3.0, 9.0, 5.0, 1.0, 4.0]);
    /// assert_eq!(Span::new("", quad).to_bbox(), BBox::new(1.0, 2.0, 9.0, 5.0));
    /// ```
    pub fn to_bbox(&self) -> BBox {
        self.quad.to_bbox()
    }
}

/// The values without repetitions, in the order of their first appearance: the lines of a region
/// are neighbors, so that comparing with the previous one is enough.
fn distinct(values: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut all: Vec<usize> = values.into_iter().collect();
    all.dedup();
    all
}
