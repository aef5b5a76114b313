//! An upright sheet that text is set on, in reading order.

use super::random::Random;

/// Ranges that sheets are drawn from. Lengths are in sizes of the font where not said otherwise.
pub(crate) struct Ranges {
    /// In pixels.
    pub(crate) font: [f64; 2],
    pub(crate) pitch: [f64; 2],
    pub(crate) gutter: [f64; 2],
    /// Added to the pitch between paragraphs.
    pub(crate) spacing: [f64; 2],
    pub(crate) indent: [f64; 2],
    /// Noise of every corner.
    pub(crate) jitter: [f64; 2],
    /// Noise of a noisy scan.
    pub(crate) noise: [f64; 2],
    /// Small skews in degrees, of either sign.
    pub(crate) skew: [f64; 2],
    pub(crate) heading: [f64; 2],
    /// Width and height in pixels.
    pub(crate) sizes: &'static [(f64, f64)],
}

/// An upright box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) x1: f64,
    pub(crate) y1: f64,
    pub(crate) x2: f64,
    pub(crate) y2: f64,
}

impl Place {
    pub(crate) fn hull(self, other: Place) -> Place {
        Place {
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
            x2: self.x2.max(other.x2),
            y2: self.y2.max(other.y2),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// A line, or a cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) words: Vec<Word>,
    pub(crate) paragraph: usize,
}

/// What a paragraph looks like.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub(crate) size: f64,
    pub(crate) justified: bool,
    pub(crate) centered: bool,
    /// In pixels.
    pub(crate) indent: f64,
    pub(crate) hanging: f64,
    /// Quads hug the letters: words without ascenders are lower.
    pub(crate) tight: bool,
}

/// A part of a sheet that text runs down in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) x1: f64,
    pub(crate) x2: f64,
    pub(crate) y: f64,
    pub(crate) end: f64,
}

impl Column {
    pub(crate) fn width(&self) -> f64 {
        self.x2 - self.x1
    }
}

pub(crate) struct Sheet {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) font: f64,
    pub(crate) pitch: f64,
    pub(crate) spacing: f64,
    pub(crate) style: Style,
    pub(crate) lines: Vec<Line>,
    paragraphs: usize,
}

const SYLLABLES: [&str; 24] = [
    "ba", "ten", "lo", "mir", "sa", "cu", "ple", "dor", "an", "ri", "gos", "ve", "hun", "ki", "mo",
    "ral", "e", "tis", "pa", "nu", "wen", "jo", "fa", "li",
];

pub(crate) fn word(random: &mut Random) -> String {
    let count = random.pick(&[1, 1, 2, 2, 2, 3, 3, 4]);
    (0..count).map(|_| random.pick(&SYLLABLES)).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Words of whole sentences.
pub(crate) fn sentences(random: &mut Random, count: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut left = 0;
    for at in 0..count {
        let mut text = word(random);
        if left == 0 {
            left = random.count(4, 14);
            text = capital(&text);
        }
        left -= 1;
        if left == 0 || at + 1 == count {
            left = 0;
            text.push('.');
        } else if random.chance(0.08) {
            text.push(',');
        }
        words.push(text);
    }
    words
}

/// A few words without a full stop.
pub(crate) fn title(random: &mut Random, count: usize) -> Vec<String> {
    (0..count).map(|_| capital(&word(random))).collect()
}

impl Sheet {
    pub(crate) fn new(random: &mut Random, ranges: &Ranges) -> Self {
        let (width, height) = random.pick(ranges.sizes);
        let font = random.between(ranges.font);
        let spaced = random.chance(0.5);
        let spacing = if spaced {
            random.between(ranges.spacing) * font
        } else {
            0.0
        };
        let indent = if spaced {
            0.0
        } else {
            random.between(ranges.indent) * font
        };
        Self {
            width,
            height,
            font,
            pitch: random.between(ranges.pitch),
            spacing,
            style: Style {
                size: font,
                justified: random.chance(0.5),
                centered: false,
                indent,
                hanging: 0.0,
                tight: random.chance(0.3),
            },
            lines: Vec::new(),
            paragraphs: 0,
        }
    }

    /// What lies within the margins.
    pub(crate) fn inner(&self) -> Column {
        let margin = self.width * 0.08;
        Column {
            x1: margin,
            x2: self.width - margin,
            y: self.height * 0.09,
            end: self.height * 0.91,
        }
    }

    /// Sets a paragraph and gives back how far the column is filled. Lines that do not fit are left
    /// out.
    pub(crate) fn paragraph(
        &mut self,
        random: &mut Random,
        column: Column,
        words: &[String],
        style: Style,
    ) -> f64 {
        let mut y = column.y;
        let paragraph = self.next_paragraph();
        let space = style.size * 0.27;
        let mut at = 0;
        while at < words.len() && y + style.size <= column.end {
            let start = if at == 0 { style.indent } else { style.hanging };
            let room = column.width() - start;
            let mut widths: Vec<f64> = Vec::new();
            let mut used = 0.0;
            while let Some(word) = words.get(at + widths.len()) {
                let width = width_of(random, word, style.size);
                let with = used + width + if widths.is_empty() { 0.0 } else { space };
                if with > room && !widths.is_empty() {
                    break;
                }
                used = with;
                widths.push(width);
            }
            let last = at + widths.len() == words.len();
            let spare = (room - used).max(0.0);
            let gap = if style.justified && !last && widths.len() > 1 {
                space + (spare / (widths.len() - 1) as f64).min(style.size * 0.6)
            } else {
                space
            };
            let mut x = column.x1 + start + if style.centered { spare / 2.0 } else { 0.0 };
            let line = widths.iter().zip(&words[at..]).map(|(width, text)| {
                let word = set_word(text, x, y, *width, &style);
                x += width + gap;
                word
            });
            let words = line.collect();
            self.lines.push(Line { words, paragraph });
            at += widths.len();
            y += style.size * self.pitch;
        }
        y
    }

    /// A number for lines that belong together.
    fn next_paragraph(&mut self) -> usize {
        self.paragraphs += 1;
        self.paragraphs
    }

    /// Sets one line from `x` on, and gives back where it ends.
    pub(crate) fn line_at(
        &mut self,
        random: &mut Random,
        x: f64,
        y: f64,
        words: &[String],
        size: f64,
    ) -> f64 {
        let paragraph = self.next_paragraph();
        let style = Style { size, ..self.style };
        let mut at = x;
        let mut set = Vec::new();
        for text in words {
            let width = width_of(random, text, size);
            set.push(set_word(text, at, y, width, &style));
            at += width + size * 0.27;
        }
        self.lines.push(Line {
            words: set,
            paragraph,
        });
        at - size * 0.27
    }

    /// Fills a column with paragraphs.
    pub(crate) fn fill(&mut self, random: &mut Random, column: Column) -> f64 {
        let mut column = column;
        while column.y + 2.0 * self.font * self.pitch < column.end {
            let count = random.count(18, 90);
            let words = sentences(random, count);
            column.y = self.paragraph(random, column, &words, self.style) + self.spacing;
        }
        column.y
    }

    /// Side by side, equally wide.
    pub(crate) fn columns(&self, within: Column, count: usize, gutter: f64) -> Vec<Column> {
        let width = (within.width() - gutter * (count - 1) as f64) / count as f64;
        (0..count)
            .map(|at| {
                let x1 = within.x1 + at as f64 * (width + gutter);
                Column {
                    x1,
                    x2: x1 + width,
                    ..within
                }
            })
            .collect()
    }
}

fn width_of(random: &mut Random, text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * random.between([0.46, 0.52])
}

fn set_word(text: &str, x: f64, y: f64, width: f64, style: &Style) -> Word {
    let high = text
        .contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "bdfhklt".contains(c));
    let low = text.contains(|c: char| "gjpqy,".contains(c));
    let (top, bottom) = if style.tight {
        (
            if high { 0.05 } else { 0.25 },
            if low { 0.98 } else { 0.78 },
        )
    } else {
        (0.0, 1.0)
    };
    Word {
        text: text.to_owned(),
        place: Place {
            x1: x,
            y1: y + top * style.size,
            x2: x + width,
            y2: y + bottom * style.size,
        },
    }
}
