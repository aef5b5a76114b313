//! Python values with their dicts in order.

use std::fmt;
use std::ops::Index;

use super::number;

/// A value of a reference post-processor's result: what Python would print.
///
/// Dicts keep the order of their keys, and two of them are equal if that is equal too. Printed
/// ([`Display`](fmt::Display)) and serialized (feature `serde`) as JSON;
/// [`to_python_json`](super::to_python_json) prints as Python does.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Size, compat};
///
/// let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
/// let dict = compat::transformers::post_process(answer, "<OD>", Size::new(640, 480));
/// assert_eq!(dict["<OD>"]["labels"][0], "car");
/// assert_eq!(dict["<OD>"]["bboxes"][0][3].as_i64(), Some(339));
/// assert_eq!(dict.to_string(), r#"{"<OD>":{"bboxes":[[34,180,580,339]],"labels":["car"]}}"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `str`
    Str(String),
    /// `list`
    List(Vec<Value>),
    /// `dict`, in the order of its keys.
    Dict(Vec<(String, Value)>),
}

impl Value {
    /// The value of a key; `None` where there is no such key, or this is not a dict.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::compat::Value;
    ///
    /// let dict = Value::Dict(vec![("<OCR>".to_owned(), Value::from("STOP"))]);
    /// assert_eq!(dict.get("<OCR>"), Some(&Value::from("STOP")));
    /// assert_eq!(dict.get("<OD>"), None);
    /// ```
    pub fn get(&self, key: &str) -> Option<&Value> {
        let entries = self.as_dict()?;
        let entry = entries.iter().find(|(name, _)| name == key);
        entry.map(|(_, value)| value)
    }

    /// The integer, if this is one.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::compat::Value;
    ///
    /// assert_eq!(Value::Int(34).as_i64(), Some(34));
    /// assert_eq!(Value::Float(34.0).as_i64(), None);
    /// ```
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The number, integer or not, if this is one.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::compat::Value;
    ///
    /// assert_eq!(Value::Float(34.5).as_f64(), Some(34.5));
    /// assert_eq!(Value::Int(34).as_f64(), Some(34.0));
    /// ```
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, if this is one.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::compat::Value;
    ///
    /// assert_eq!(Value::from("STOP").as_str(), Some("STOP"));
    /// assert_eq!(Value::Int(1).as_str(), None);
    /// ```
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if this is a list.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::compat::Value;
    ///
    /// assert_eq!(Value::List(vec![Value::Int(1)]).as_list(), Some(&[Value::Int(1)][..]));
    /// assert_eq!(Value::Int(1).as_list(), None);
    /// ```
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries in order, if this is a dict.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::compat::Value;
    ///
    /// let dict = Value::Dict(vec![("a".to_owned(), Value::Int(1))]);
    /// assert_eq!(dict.as_dict().map(<[_]>::len), Some(1));
    /// assert_eq!(Value::Int(1).as_dict(), None);
    /// ```
    pub fn as_dict(&self) -> Option<&[(String, Value)]> {
        match self {
            Self::Dict(entries) => Some(entries),
            _ => None,
        }
    }
}

/// The value of a key.
///
/// # Panics
///
/// Where there is no such key, or this is not a dict: `KeyError` in Python.
/// [`get`](Value::get) does not panic.
impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        match self.get(key) {
            Some(value) => value,
            None => panic!("no key {key:?} in {self}"),
        }
    }
}

/// An item of a list.
///
/// # Panics
///
/// Where there is no such item, or this is not a list: `IndexError` in Python.
/// [`as_list`](Value::as_list) does not panic.
impl Index<usize> for Value {
    type Output = Value;

    fn index(&self, index: usize) -> &Value {
        match self.as_list().and_then(|items| items.get(index)) {
            Some(value) => value,
            None => panic!("no item {index} in {self}"),
        }
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == Some(text)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == Some(*text)
    }
}

impl PartialEq<f64> for Value {
    fn eq(&self, number: &f64) -> bool {
        matches!(self, Self::Float(own) if own == number)
    }
}

impl PartialEq<i64> for Value {
    fn eq(&self, number: &i64) -> bool {
        self.as_i64() == Some(*number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::List(items.into_iter().collect())
    }
}

/// JSON without spaces; floats that JSON does not have are `null`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = Style {
            comma: ",",
            colon: ":",
            not_finite: |_| "null",
        };
        write_json(self, &style, f)
    }
}

/// The differences between JSON as it is written here and as Python writes it.
pub(super) struct Style {
    pub(super) comma: &'static str,
    pub(super) colon: &'static str,
    pub(super) not_finite: fn(f64) -> &'static str,
}

pub(super) fn write_json(value: &Value, style: &Style, out: &mut impl fmt::Write) -> fmt::Result {
    match value {
        Value::Int(number) => write!(out, "{number}"),
        Value::Float(number) if number.is_finite() => number::write_repr(*number, out),
        Value::Float(number) => out.write_str((style.not_finite)(*number)),
        Value::Str(text) => write_string(text, out),
        Value::List(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { style.comma })?;
                write_json(item, style, out)?;
            }
            out.write_char(']')
        }
        Value::Dict(entries) => {
            out.write_char('{')?;
            for (index, (key, item)) in entries.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { style.comma })?;
                write_string(key, out)?;
                out.write_str(style.colon)?;
                write_json(item, style, out)?;
            }
            out.write_char('}')
        }
    }
}

/// A JSON string with everything but control characters, quotes and backslashes as it is.
fn write_string(text: &str, out: &mut impl fmt::Write) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            '\0'..' ' => write!(out, "\\u{:04x}", u32::from(c))?,
            _ => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

#[cfg(feature = "serde")]
mod serial {
    use std::fmt;

    use serde::de::{MapAccess, SeqAccess, Visitor};
    use serde::ser::SerializeMap;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Value;

    impl Serialize for Value {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Value::Int(number) => serializer.serialize_i64(*number),
                Value::Float(number) => serializer.serialize_f64(*number),
                Value::Str(text) => serializer.serialize_str(text),
                Value::List(items) => items.serialize(serializer),
                Value::Dict(entries) => {
                    let mut map = serializer.serialize_map(Some(entries.len()))?;
                    for (key, value) in entries {
                        map.serialize_entry(key, value)?;
                    }
                    map.end()
                }
            }
        }
    }

    struct Any;

    impl<'de> Deserialize<'de> for Value {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Any)
        }
    }

    impl<'de> Visitor<'de> for Any {
        type Value = Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, a string, a list or a dict")
        }

        fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
            Ok(Value::Int(number))
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
            i64::try_from(number).map(Value::Int).map_err(E::custom)
        }

        fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
            Ok(Value::Float(number))
        }

        fn visit_str<E>(self, text: &str) -> Result<Value, E> {
            Ok(Value::from(text))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = access.next_element()? {
                items.push(item);
            }
            Ok(Value::List(items))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = access.next_entry()? {
                entries.push(entry);
            }
            Ok(Value::Dict(entries))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_json_has_them() {
        let text = "\"quoted\" \\ \n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f} é 日本 🐈";
        let json = serde_json::Value::from(text).to_string();
        assert_eq!(Value::from(text).to_string(), json);
    }

    #[test]
    fn the_order_of_keys_counts() {
        let entry = |key: &str| (key.to_owned(), Value::Int(1));
        let there = Value::Dict(vec![entry("a"), entry("b")]);
        let back = Value::Dict(vec![entry("b"), entry("a")]);
        assert_ne!(there, back);
    }

    #[test]
    fn json_has_no_infinity() {
        assert_eq!(Value::Float(f64::INFINITY).to_string(), "null");
        assert_eq!(Value::Float(f64::NAN).to_string(), "null");
    }
}
