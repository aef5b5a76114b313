//! Existing `data.yaml` files, and new classes for them.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::yaml::quoted;

/// Maximum file size.
const MOST_BYTES: usize = 64 << 20;

/// An existing `data.yaml` of a YOLO data set, written by [`yolo_data`](super::yolo_data) or another tool:
/// reads its classes and adds new ones after them. Everything else, comments included, is kept.
///
/// # Example
///
/// ```
/// use florence_export::YoloData;
///
/// let data = YoloData::parse("train: images # mine\nnc: 2\nnames: [car, 'the door']\n")?;
/// assert_eq!(data.names(), ["car", "the door"]);
/// let data = data.with_names(["dog"])?;
/// assert_eq!(data.text(), "train: images # mine\nnc: 3\nnames: [car, 'the door', \"dog\"]\n");
/// # Ok::<(), florence_export::YoloDataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YoloData {
    text: String,
    names: Vec<String>,
    count: Option<Span>,
    place: Place,
}

/// A `data.yaml` that cannot be used.
///
/// # Example
///
/// ```
/// use florence_export::YoloData;
///
/// let error = YoloData::parse("nc: 2\nnames: [car]\n").unwrap_err();
/// assert_eq!(error.to_string(), "`nc` is 2, but there are 1 `names`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum YoloDataError {
    /// It is not YAML.
    #[error("not YAML: {0}")]
    Syntax(String),
    /// It has another structure.
    #[error("expected {expected}")]
    Form {
        /// The expected structure.
        expected: String,
    },
    /// `nc` and `names` contradict each other.
    #[error("`nc` is {nc}, but there are {names} `names`")]
    Count {
        /// The value of `nc`.
        nc: String,
        /// The number of names.
        names: usize,
    },
    /// Classes cannot be added to it.
    #[error(
        "`names` is written in a way that no classes can be added to: expected a plain list or map"
    )]
    Fixed,
}

/// Where and how `names` continues.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// `[a, b]` or `{0: a}`, after the last name.
    Flow { numbered: bool, at: usize },
    /// A line for each, with this before the number or dash.
    Lines {
        numbered: bool,
        indent: String,
        at: usize,
    },
    /// Nothing yet; its placeholder is replaced.
    Nothing { from: usize, to: usize },
    /// `{}` or `[]` within a map in braces: after the bracket.
    Inside { numbered: bool, at: usize },
}

impl YoloData {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// [`YoloDataError`] where it is not YAML, has no `names`, or has names that are neither a list
    /// nor numbered 0, 1, 2, … without a gap.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::YoloData;
    ///
    /// let data = YoloData::parse("names:\n  1: door\n  0: \"car\"\n")?;
    /// assert_eq!(data.names(), ["car", "door"]);
    /// assert!(YoloData::parse("names:\n  0: car\n  2: door\n").is_err());
    /// # Ok::<(), florence_export::YoloDataError>(())
    /// ```
    pub fn parse(text: impl Into<String>) -> Result<Self, YoloDataError> {
        let text = text.into();
        let document = Document::new(&text)?;
        let names = document.value("names")?;
        let names = names.ok_or_else(|| form("a key `names`: a list, or a map from numbers"))?;
        let (names, place) = document.names(names)?;
        let count = match document.value("nc")?.map(|at| &document.events[at]) {
            None => None,
            Some((Event::Scalar(nc, ..), span)) => {
                if nc.parse() != Ok(names.len()) {
                    let nc = nc.to_string();
                    let names = names.len();
                    return Err(YoloDataError::Count { nc, names });
                }
                Some(*span)
            }
            Some(_) => return Err(form("a number for `nc`")),
        };
        drop(document);
        Ok(Self {
            text,
            names,
            count,
            place,
        })
    }

    /// The names of the classes, from number 0 on.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::YoloData;
    ///
    /// assert!(YoloData::parse("names: {}")?.names().is_empty());
    /// # Ok::<(), florence_export::YoloDataError>(())
    /// ```
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The text of the file.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::YoloData;
    ///
    /// assert_eq!(YoloData::parse("names: [car]")?.text(), "names: [car]");
    /// # Ok::<(), florence_export::YoloDataError>(())
    /// ```
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file with more classes after its own, in the style of those; `nc` counts them too.
    ///
    /// # Errors
    ///
    /// [`YoloDataError::Fixed`] where `names` is written in an unusual way, such as by references.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::YoloData;
    ///
    /// let data = YoloData::parse("names:\n- car\nval: images\n")?.with_names(["a: b"])?;
    /// assert_eq!(data.text(), "names:\n- car\n- \"a: b\"\nval: images\n");
    /// # Ok::<(), florence_export::YoloDataError>(())
    /// ```
    pub fn with_names<S: Into<String>>(
        &self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, YoloDataError> {
        let new: Vec<String> = names.into_iter().map(Into::into).collect();
        if new.is_empty() {
            return Ok(self.clone());
        }
        let mut all = self.names.clone();
        all.extend(new.iter().cloned());
        let (from, to, added) = self.addition(&new);
        let mut edits = vec![(from, to, added)];
        if let Some(count) = self.count {
            let offset = |index| byte_offset(&self.text, index);
            let (from, to) = (offset(count.start.index()), offset(count.end.index()));
            edits.push((from, to, all.len().to_string()));
        }
        // The last first, so that the places of the others stay.
        edits.sort_unstable_by_key(|(from, ..)| std::cmp::Reverse(*from));
        let mut text = self.text.clone();
        for (from, to, new) in edits {
            if !text.is_char_boundary(from) || !text.is_char_boundary(to) || from > to {
                return Err(YoloDataError::Fixed);
            }
            text.replace_range(from..to, &new);
        }
        // Whatever was there, nothing but the names has changed.
        let changed = Self::parse(text).map_err(|_| YoloDataError::Fixed)?;
        if changed.names != all
            || Document::new(&changed.text)?.rest() != Document::new(&self.text)?.rest()
        {
            return Err(YoloDataError::Fixed);
        }
        Ok(changed)
    }

    /// The range to replace, and its replacement.
    fn addition(&self, new: &[String]) -> (usize, usize, String) {
        let end = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let entry = |index: usize, numbered: bool| {
            let name = quoted(&new[index]);
            if numbered {
                format!("{}: {name}", self.names.len() + index)
            } else {
                name
            }
        };
        let each = |before: &str, numbered: bool| -> String {
            let entries = 0..new.len();
            entries
                .map(|index| format!("{before}{}", entry(index, numbered)))
                .collect()
        };
        match &self.place {
            Place::Flow { numbered, at } => (*at, *at, each(", ", *numbered)),
            Place::Inside { numbered, at } => {
                let added = each(", ", *numbered);
                (*at, *at, added.trim_start_matches(", ").to_owned())
            }
            Place::Lines {
                numbered,
                indent,
                at,
            } => {
                let dash = if *numbered { "" } else { "- " };
                let before = format!("{end}{indent}{dash}");
                (*at, *at, each(&before, *numbered))
            }
            Place::Nothing { from, to } => (*from, *to, each(&format!("{end}  "), true)),
        }
    }
}

/// A map, as the events of the parser.
struct Document<'a> {
    text: &'a str,
    events: Vec<(Event<'a>, Span)>,
    /// The positions of each key and of its value.
    keys: Vec<(usize, usize)>,
}

impl<'a> Document<'a> {
    fn new(text: &'a str) -> Result<Self, YoloDataError> {
        if text.len() > MOST_BYTES {
            return Err(form(format!("{MOST_BYTES} bytes at most")));
        }
        let mut parser = Parser::new_from_str(text);
        let mut events = Vec::new();
        while let Some(event) = parser.next_event() {
            events.push(event.map_err(|error| YoloDataError::Syntax(error.to_string()))?);
        }
        let mut document = Self {
            text,
            events,
            keys: Vec::new(),
        };
        // After the starts of the stream and of the document.
        let mut at = 2;
        if !matches!(document.event(at), Some(Event::MappingStart(..))) {
            return Err(form("a map with the key `names`"));
        }
        at += 1;
        while !matches!(document.event(at), Some(Event::MappingEnd) | None) {
            let value = document.after(at);
            document.keys.push((at, value));
            at = document.after(value);
        }
        match (document.event(at + 1), document.event(at + 2)) {
            (Some(Event::DocumentEnd), Some(Event::StreamEnd)) => Ok(document),
            _ => Err(form("one document")),
        }
    }

    fn event(&self, at: usize) -> Option<&Event<'a>> {
        self.events.get(at).map(|(event, _)| event)
    }

    /// The end of the node that starts here.
    fn after(&self, start: usize) -> usize {
        let mut depth = 0usize;
        for (at, (event, _)) in self.events.iter().enumerate().skip(start) {
            match event {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
        self.events.len()
    }

    /// The start of a key's value.
    fn value(&self, key: &str) -> Result<Option<usize>, YoloDataError> {
        let is_key =
            |at: usize| matches!(self.event(at), Some(Event::Scalar(name, ..)) if name == key);
        let mut found = self.keys.iter().filter(|(at, _)| is_key(*at));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(form(format!("the key `{key}` once"))),
            (first, None) => Ok(first.map(|(_, value)| *value)),
        }
    }

    /// All but the names and their number.
    fn rest(&self) -> Vec<&Event<'a>> {
        let is_other = |at: usize| !matches!(self.event(at), Some(Event::Scalar(name, ..)) if name == "names" || name == "nc");
        let others = self.keys.iter().filter(|(at, _)| is_other(*at));
        let events = others.flat_map(|(at, value)| &self.events[*at..self.after(*value)]);
        events.map(|(event, _)| event).collect()
    }

    fn names(&self, at: usize) -> Result<(Vec<String>, Place), YoloDataError> {
        let (event, span) = &self.events[at];
        let numbered = match event {
            Event::SequenceStart(..) => false,
            Event::MappingStart(..) => true,
            Event::Scalar(value, ScalarStyle::Plain, ..) if is_null(value) => {
                let from = self.colon(at);
                // A value that is left out is placed anywhere before the next key.
                let to = if span.is_empty() {
                    from
                } else {
                    self.offset(span.end.index())
                };
                return Ok((Vec::new(), Place::Nothing { from, to }));
            }
            _ => return Err(form("`names` to be a list, or a map from numbers to names")),
        };
        let end = self.after(at) - 1;
        let nodes: Vec<&(Event<'a>, Span)> = self.events[at + 1..end].iter().collect();
        let mut scalars = Vec::with_capacity(nodes.len());
        for (event, span) in nodes {
            match event {
                Event::Scalar(value, style, ..) => scalars.push((value, *style, *span)),
                _ => return Err(form("every one of `names` to be a text")),
            }
        }
        let width = if numbered { 2 } else { 1 };
        let mut names = BTreeMap::new();
        for (index, entry) in scalars.chunks_exact(width).enumerate() {
            let (name, style, _) = entry[width - 1];
            if is_null(name) && style == ScalarStyle::Plain {
                return Err(form("every one of `names` to be a text"));
            }
            let number = if numbered {
                entry[0].0.parse().ok()
            } else {
                Some(index)
            };
            let Some(number) = number.filter(|number| !names.contains_key(number)) else {
                let key = entry[0].0;
                return Err(form(format!(
                    "`names` to be numbered once each, got {key:?}"
                )));
            };
            names.insert(number, name.to_string());
        }
        if let Some(missing) = (0..names.len()).find(|number| !names.contains_key(number)) {
            let expected =
                format!("`names` to be numbered from 0 on without a gap: {missing} is missing");
            return Err(form(expected));
        }
        let names = names.into_values().collect();
        let last = scalars.chunks_exact(width).last();
        let last = last.map(|entry| (entry[0].2, entry[width - 1].2));
        Ok((names, self.place(at, numbered, last)))
    }

    /// Where `names` continues, after the entry with these first and last scalars.
    fn place(&self, start: usize, numbered: bool, last: Option<(Span, Span)>) -> Place {
        let open = self.offset(self.events[start].1.start.index());
        let is_flow = self.text[open..].starts_with(['[', '{']);
        let Some((first, last)) = last else {
            let whole = self.offset(self.events[2].1.start.index());
            if self.text[whole..].starts_with('{') {
                return Place::Inside {
                    numbered,
                    at: open + 1,
                };
            }
            let close = self.text[open..].find([']', '}']);
            let to = close.map_or(open, |close| open + close + 1);
            return Place::Nothing {
                from: self.colon(start),
                to,
            };
        };
        let after = self.offset(last.end.index());
        if is_flow {
            return Place::Flow {
                numbered,
                at: after,
            };
        }
        let line = |at: usize| self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let begin = self.offset(first.start.index());
        let lead = &self.text[line(begin)..begin];
        let spaces = lead.len() - lead.trim_start_matches(' ').len();
        let end = self.text[after..]
            .find('\n')
            .map_or(self.text.len(), |end| after + end);
        let at = end - usize::from(self.text[..end].ends_with('\r'));
        Place::Lines {
            numbered,
            indent: lead[..spaces].to_owned(),
            at,
        }
    }

    /// The end of the key whose value starts here, its colon included.
    fn colon(&self, value: usize) -> usize {
        let key = self.keys.iter().find(|(_, start)| *start == value);
        let end = key.map_or(0, |(key, _)| self.offset(self.events[*key].1.end.index()));
        self.text[end..]
            .find(':')
            .map_or(end, |colon| end + colon + 1)
    }

    fn offset(&self, index: usize) -> usize {
        byte_offset(self.text, index)
    }
}

/// The byte at which a character starts.
fn byte_offset(text: &str, index: usize) -> usize {
    text.char_indices()
        .nth(index)
        .map_or(text.len(), |(offset, _)| offset)
}

fn is_null(value: &str) -> bool {
    matches!(value, "" | "~" | "null" | "Null" | "NULL")
}

fn form(expected: impl Into<String>) -> YoloDataError {
    let expected = expected.into();
    YoloDataError::Form { expected }
}
