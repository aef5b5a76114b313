//! Markdown output.

use crate::list;
use crate::page::{Page, ParagraphKind};
use crate::text::{self, Passage, TextOptions};

impl Page {
    /// The page as Markdown: headings by their height, lists, paragraphs. Markdown syntax in the text is
    /// escaped.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    /// use florence_postprocess::{QuadBox, Size, TextRegion};
    ///
    /// let line = |text: &str, y: f32, height: f32| {
    ///     let quad = QuadBox::from([10.0, y, 290.0, y, 290.0, y + height, 10.0, y + height]);
    ///     TextRegion::new(text, quad)
    /// };
    /// let regions = [
    ///     line("Bread", 10.0, 24.0),
    ///     line("You need for one loaf, baked in a tin:", 50.0, 10.0),
    ///     line("• flour", 64.0, 10.0),
    ///     line("• salt *", 78.0, 10.0),
    /// ];
    /// let page = Page::from_regions(&regions, Size::new(300, 100));
    /// assert_eq!(
    ///     page.to_markdown(),
    ///     "# Bread\n\nYou need for one loaf, baked in a tin:\n\n- flour\n- salt \\*\n",
    /// );
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut markdown = String::new();
        let mut in_list = false;
        for passage in text::passages(self, TextOptions::default()) {
            let is_item = passage.kind == ParagraphKind::ListItem;
            if !markdown.is_empty() {
                markdown.push_str(if is_item && in_list { "\n" } else { "\n\n" });
            }
            markdown.push_str(&set(&passage));
            in_list = is_item;
        }
        if !markdown.is_empty() {
            markdown.push('\n');
        }
        markdown
    }
}

fn set(passage: &Passage) -> String {
    match passage.kind {
        ParagraphKind::Heading { level } => {
            let marks = "#".repeat(usize::from(level.clamp(1, 6)));
            format!("{marks} {}", unclosed(escape(&passage.text)))
        }
        ParagraphKind::ListItem => item(&passage.text),
        ParagraphKind::Prose => escape(&passage.text),
    }
}

/// The text of a heading, with a closing `#` escaped.
fn unclosed(text: String) -> String {
    let bare = text.trim_end_matches('#');
    if bare.len() < text.len() && bare.ends_with([' ', '\t']) {
        format!("{bare}\\{}", &text[bare.len()..])
    } else {
        text
    }
}

/// An item of a list: bullets become Markdown's, numbers stay, letters and the like follow a bullet.
fn item(text: &str) -> String {
    match (list::marker(text), list::parts(text)) {
        (Some(list::Marker::Bullet), Some((_, rest))) => format!("- {}", escape(rest)),
        (Some(list::Marker::Number), Some((mark, rest)))
            if mark.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            format!("{mark} {}", escape(rest))
        }
        _ => format!("- {}", escape(text)),
    }
}

/// A text that Markdown shows as it is: marks within lines are escaped, and those that count at the
/// start of a paragraph only there.
fn escape(text: &str) -> String {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let marks = matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~'
        );
        let opens = at == 0 && matches!(c, '#' | '+' | '-' | '=');
        let numbers = digits > 0 && at == digits && matches!(c, '.' | ')');
        if marks || opens || numbers {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_escaped_where_they_count() {
        for (text, markdown) in [
            ("a_b * c", "a\\_b \\* c"),
            ("# one # two", "\\# one # two"),
            ("1990. The year", "1990\\. The year"),
            ("in 1990. The", "in 1990. The"),
            ("- no", "\\- no"),
            ("&amp; <b>", "\\&amp; \\<b\\>"),
        ] {
            assert_eq!(escape(text), markdown);
        }
    }

    #[test]
    fn marks_at_the_end_of_a_heading_stay() {
        for (text, markdown) in [
            ("Room #", "Room \\#"),
            ("Room ##", "Room \\##"),
            ("C#", "C#"),
            ("\\#", "\\#"),
        ] {
            assert_eq!(unclosed(text.to_owned()), markdown);
        }
    }

    #[test]
    fn items_keep_their_numbers() {
        assert_eq!(item("2) stir"), "2) stir");
        assert_eq!(item("(b) stir"), "- (b) stir");
        assert_eq!(item("– stir"), "- stir");
        assert_eq!(item("•"), "- ");
    }
}
