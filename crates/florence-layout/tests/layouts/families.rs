//! Kinds of pages, with their text set in the order that people read.

use super::random::Random;
use super::sheet::{Column, Ranges, Sheet, Style, sentences, title, word};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    OneColumn,
    TwoColumns,
    ThreeColumns,
    HeadingAcross,
    Sidebar,
    Captions,
    Margins,
    Lists,
    Tables,
    Rotated,
    Noisy,
    NewlineInQuad,
    Mixed,
}

impl Family {
    pub(crate) const ALL: [Family; 13] = [
        Family::OneColumn,
        Family::TwoColumns,
        Family::ThreeColumns,
        Family::HeadingAcross,
        Family::Sidebar,
        Family::Captions,
        Family::Margins,
        Family::Lists,
        Family::Tables,
        Family::Rotated,
        Family::Noisy,
        Family::NewlineInQuad,
        Family::Mixed,
    ];

    pub(crate) fn compose(self, random: &mut Random, ranges: &Ranges) -> Sheet {
        let mut sheet = Sheet::new(random, ranges);
        let page = sheet.inner();
        let gutter = random.between(ranges.gutter) * sheet.font;
        let mut setter = Setter {
            sheet: &mut sheet,
            random,
            ranges,
            gutter,
        };
        match self {
            Family::OneColumn => setter.with_headings(page),
            Family::TwoColumns => setter.columns(page, 2),
            Family::ThreeColumns => setter.columns(page, 3),
            Family::HeadingAcross => setter.heading_across(page),
            Family::Sidebar => setter.sidebar(page),
            Family::Captions => setter.captions(page),
            Family::Margins => setter.margins(page),
            Family::Lists => setter.lists(page),
            Family::Tables => setter.tables(page),
            Family::Rotated | Family::Noisy | Family::NewlineInQuad => setter.any(page),
            Family::Mixed => setter.mixed(page),
        }
        sheet
    }
}

struct Setter<'a> {
    sheet: &'a mut Sheet,
    random: &'a mut Random,
    ranges: &'a Ranges,
    gutter: f64,
}

impl Setter<'_> {
    fn font(&self) -> f64 {
        self.sheet.font
    }

    fn any(&mut self, page: Column) {
        match self.random.count(0, 7) {
            0 => self.with_headings(page),
            1 => self.columns(page, 2),
            2 => self.columns(page, 3),
            3 | 4 => self.heading_across(page),
            5 => self.margins(page),
            6 => self.captions(page),
            _ => self.sidebar(page),
        }
    }

    /// A heading in larger letters, and the column below it.
    fn heading(&mut self, column: Column, larger: f64, centered: bool) -> Column {
        let size = self.font() * larger;
        let count = self.random.count(2, 6);
        let words = title(self.random, count);
        let style = Style {
            size,
            centered,
            justified: false,
            indent: 0.0,
            ..self.sheet.style
        };
        let y = self.sheet.paragraph(self.random, column, &words, style);
        Column {
            y: y + self.font() * self.random.between([0.3, 1.0]),
            ..column
        }
    }

    /// Text with headings between.
    fn with_headings(&mut self, page: Column) {
        let mut column = page;
        while column.y + 8.0 * self.font() < column.end {
            let larger = self.random.between(self.ranges.heading);
            let centered = self.random.chance(0.3);
            column = self.heading(column, larger, centered);
            let part = self.random.between([10.0, 30.0]) * self.font();
            let end = (column.y + part).min(column.end);
            column.y = self.sheet.fill(self.random, Column { end, ..column }) + self.font() * 1.2;
        }
    }

    /// Columns of text: balanced, or with a last one that is not full; some with headings.
    fn columns(&mut self, page: Column, count: usize) {
        let headed = self.random.chance(0.4);
        let columns = self.sheet.columns(page, count, self.gutter);
        for (at, mut column) in columns.into_iter().enumerate() {
            if at + 1 == count && self.random.chance(0.4) {
                let share = self.random.between([0.3, 0.9]);
                column.end = column.y + (column.end - column.y) * share;
            }
            if headed {
                self.with_headings(column);
            } else {
                self.sheet.fill(self.random, column);
            }
        }
    }

    /// A title over columns, and sometimes headings across them further down.
    fn heading_across(&mut self, page: Column) {
        let count = self.random.count(2, 3);
        let parts = self.random.count(1, 3);
        let height = (page.end - page.y) / parts as f64;
        for part in 0..parts {
            let top = page.y + part as f64 * height;
            let within = Column {
                y: top,
                end: top + height - self.font(),
                ..page
            };
            let larger = self.random.between([1.3, 2.5]);
            let centered = self.random.chance(0.5);
            let below = self.heading(within, larger, centered);
            for column in self.sheet.columns(below, count, self.gutter) {
                self.sheet.fill(self.random, column);
            }
        }
    }

    /// A narrow box of other text beside the main one, read after it.
    fn sidebar(&mut self, page: Column) {
        let share = self.random.between([0.2, 0.33]);
        let width = page.width() * share;
        let main = Column {
            x2: page.x2 - width - self.gutter,
            ..page
        };
        let count = self.random.count(1, 2);
        if count == 1 {
            self.with_headings(main);
        } else {
            self.columns(main, 2);
        }
        let offset = self.random.between([0.0, 0.4]) * (page.end - page.y);
        let length = self.random.between([0.25, 0.6]) * (page.end - page.y);
        let y = page.y + offset;
        let side = Column {
            x1: page.x2 - width,
            x2: page.x2,
            y,
            end: (y + length).min(page.end),
        };
        let style = self.sheet.style;
        let scale = self.random.pick(&[0.85, 1.0]);
        self.sheet.style = Style {
            size: style.size * scale,
            justified: false,
            ..style
        };
        let side = if self.random.chance(0.5) {
            self.heading(side, 1.2, false)
        } else {
            side
        };
        self.sheet.fill(self.random, side);
        self.sheet.style = style;
    }

    /// Figures, which are empty, with captions below them in smaller letters.
    fn captions(&mut self, page: Column) {
        let count = self.random.count(1, 3);
        let mut page = page;
        if self.random.chance(0.5) {
            // A figure over all columns.
            page.y += self.random.between([0.15, 0.3]) * (page.end - page.y);
            let words = self.random.count(8, 40);
            page = self.caption(page, words);
        }
        for column in self.sheet.columns(page, count, self.gutter) {
            let height = column.end - column.y;
            let above = self.random.between([0.1, 0.5]) * height;
            let mut rest = Column {
                end: column.y + above,
                ..column
            };
            rest.y = self.sheet.fill(self.random, rest);
            rest.y += self.random.between([0.1, 0.2]) * height;
            let words = self.random.count(4, 20);
            let rest = self.caption(
                Column {
                    end: column.end,
                    ..rest
                },
                words,
            );
            self.sheet.fill(self.random, rest);
        }
    }

    fn caption(&mut self, column: Column, count: usize) -> Column {
        let mut words = vec!["Figure".to_owned(), format!("{}:", self.random.count(1, 9))];
        words.extend(sentences(self.random, count));
        let style = Style {
            size: self.font() * self.random.pick(&[0.85, 1.0]),
            centered: self.random.chance(0.5),
            justified: false,
            indent: 0.0,
            ..self.sheet.style
        };
        let y = self.sheet.paragraph(self.random, column, &words, style);
        Column {
            y: y + self.font() * self.random.between([1.0, 2.0]),
            ..column
        }
    }

    /// Running heads, footers and page numbers around columns.
    fn margins(&mut self, page: Column) {
        let (font, random) = (self.font(), &mut *self.random);
        let sheet = &mut *self.sheet;
        let top = page.y - font * random.between([2.5, 3.5]);
        let head = title(random, 2);
        let number = vec![random.count(1, 400).to_string()];
        let with_head = random.chance(0.7);
        if with_head {
            sheet.line_at(random, page.x1, top, &head, font * 0.9);
            if random.chance(0.6) {
                let words = title(random, 2);
                let width =
                    0.5 * font * words.iter().map(|word| word.len() + 1).sum::<usize>() as f64;
                sheet.line_at(random, page.x2 - width, top, &words, font * 0.9);
            }
        }
        let count = self.random.count(1, 3);
        self.columns(page, count);
        let (font, random) = (self.font(), &mut *self.random);
        let bottom = page.end + font * random.between([2.0, 3.0]);
        let x = random.pick(&[page.x1, (page.x1 + page.x2) / 2.0, page.x2 - font * 1.5]);
        self.sheet.line_at(random, x, bottom, &number, font * 0.9);
    }

    /// Lists with bullets or numbers, the mark in a region of its own or with the text.
    fn lists(&mut self, page: Column) {
        let count = self.random.count(1, 2);
        let numbered = self.random.chance(0.5);
        let apart = self.random.chance(0.4);
        let hanging = self.font() * self.random.between([1.2, 2.0]);
        for mut column in self.sheet.columns(page, count, self.gutter) {
            while column.y + 8.0 * self.font() < column.end {
                let length = self.random.count(20, 50);
                let words = sentences(self.random, length);
                column.y = self
                    .sheet
                    .paragraph(self.random, column, &words, self.sheet.style);
                column.y += self.font() * 0.4;
                for item in 1..=self.random.count(3, 7) {
                    let mark = if numbered {
                        format!("{item}.")
                    } else {
                        "•".to_owned()
                    };
                    let length = self.random.count(3, 25);
                    let mut words = sentences(self.random, length);
                    if column.y + self.font() > column.end {
                        break;
                    }
                    let mut style = Style {
                        justified: false,
                        indent: 0.0,
                        hanging,
                        ..self.sheet.style
                    };
                    if apart {
                        self.sheet.line_at(
                            self.random,
                            column.x1,
                            column.y,
                            &[mark],
                            self.sheet.font,
                        );
                        style.indent = hanging;
                    } else {
                        words.insert(0, mark);
                    }
                    column.y = self.sheet.paragraph(self.random, column, &words, style);
                }
                column.y += self.font() * 0.6;
            }
        }
    }

    /// Tables between paragraphs, read row by row.
    fn tables(&mut self, page: Column) {
        let count = self.random.count(1, 2);
        for mut column in self.sheet.columns(page, count, self.gutter) {
            while column.y + 12.0 * self.font() < column.end {
                let end = column.y + self.random.between([4.0, 12.0]) * self.font();
                column.y = self.sheet.fill(
                    self.random,
                    Column {
                        end: end.min(column.end),
                        ..column
                    },
                );
                column.y += self.font() * self.random.between([0.6, 1.2]);
                column.y = self.table(column) + self.font() * self.random.between([0.6, 1.2]);
            }
        }
    }

    fn table(&mut self, column: Column) -> f64 {
        let fits = (column.width() / (self.font() * 7.0)) as usize;
        let cells = self.random.count(2, fits.clamp(2, 5));
        let numeric = self.random.chance(0.5);
        let leading = self.font() * self.sheet.pitch * self.random.between([1.0, 1.4]);
        let width = column.width() / cells as f64;
        let mut y = column.y;
        for row in 0..self.random.count(3, 9) {
            if y + self.font() > column.end {
                break;
            }
            for cell in 0..cells {
                let most = ((width / self.font() - 1.5) / 0.52).max(3.0) as usize;
                let mut text = if numeric && row > 0 && cell > 0 {
                    format!("{}.{}", self.random.count(0, 999), self.random.count(0, 9))
                } else {
                    let more = if self.random.chance(0.5) {
                        word(self.random)
                    } else {
                        String::new()
                    };
                    format!("{} {more}", word(self.random))
                };
                text.truncate(most);
                let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                let x = column.x1 + cell as f64 * width;
                self.sheet
                    .line_at(self.random, x, y, &words, self.sheet.font);
            }
            y += leading;
        }
        y
    }

    /// Title, columns, a figure with a caption across, more columns, a page number.
    fn mixed(&mut self, page: Column) {
        let below = self.heading(page, 2.0, true);
        let half = (below.y + below.end) / 2.0;
        let count = self.random.count(2, 3);
        let upper = Column {
            end: half - self.font(),
            ..below
        };
        for column in self.sheet.columns(upper, count, self.gutter) {
            self.sheet.fill(self.random, column);
        }
        let figure = self.random.between([0.05, 0.15]) * self.sheet.height;
        let words = self.random.count(15, 40);
        let lower = self.caption(
            Column {
                y: half + figure,
                ..page
            },
            words,
        );
        let count = self.random.count(1, 3);
        for column in self.sheet.columns(lower, count, self.gutter) {
            self.with_headings(column);
        }
        let number = vec![self.random.count(1, 400).to_string()];
        let x = self
            .random
            .pick(&[page.x1, (page.x1 + page.x2) / 2.0, page.x2 - self.font()]);
        let y = page.end + self.font() * 2.5;
        self.sheet
            .line_at(self.random, x, y, &number, self.sheet.font);
    }
}
