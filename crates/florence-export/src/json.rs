//! JSON whose keys stay in order, without `serde_json/preserve_order`, which would change the order of
//! the keys of all programs that this crate is part of.

use std::fmt::{self, Display, Formatter, Write};

use serde_json::Value;

/// A JSON value. Printed without spaces, with `{:#}` over indented lines.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    /// A number, a text or nothing.
    Leaf(Value),
    Array(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// An object with these entries in this order.
pub(crate) fn object<const N: usize>(entries: [(&'static str, Json); N]) -> Json {
    Json::Object(entries.into())
}

impl Json {
    /// Adds an entry at the end of an object.
    pub(crate) fn push(&mut self, key: &'static str, value: impl Into<Json>) {
        if let Self::Object(entries) = self {
            entries.push((key, value.into()));
        }
    }

    fn write(&self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Self::Leaf(value) => write!(f, "{value}"),
            Self::Array(items) => {
                let item = |f: &mut Formatter<'_>, item: &Json| item.write(f, depth + 1);
                list(f, ['[', ']'], items, depth, item)
            }
            Self::Object(entries) => list(f, ['{', '}'], entries, depth, |f, (key, value)| {
                let colon = if f.alternate() { ": " } else { ":" };
                write!(f, "{}{colon}", Value::from(*key))?;
                value.write(f, depth + 1)
            }),
        }
    }
}

fn list<T>(
    f: &mut Formatter<'_>,
    [open, close]: [char; 2],
    items: &[T],
    depth: usize,
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    let pretty = f.alternate() && !items.is_empty();
    let line = |f: &mut Formatter<'_>, depth: usize| match pretty {
        true => write!(f, "\n{:1$}", "", 2 * depth),
        false => Ok(()),
    };
    f.write_char(open)?;
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { "," })?;
        line(f, depth + 1)?;
        write(f, item)?;
    }
    line(f, depth)?;
    f.write_char(close)
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl FromIterator<Json> for Json {
    fn from_iter<I: IntoIterator<Item = Json>>(items: I) -> Self {
        Self::Array(items.into_iter().collect())
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<Json>, const N: usize> From<[T; N]> for Json {
    fn from(items: [T; N]) -> Self {
        items.into_iter().map(Into::into).collect()
    }
}

macro_rules! leaves {
    ($($leaf:ty),*) => {$(
        impl From<$leaf> for Json {
            fn from(value: $leaf) -> Self {
                Self::Leaf(Value::from(value))
            }
        }
    )*};
}

leaves!(&str, String, f64, u8, u32, u64, usize, Option<usize>);

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self::Leaf(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_order_and_lines_are_those_of_serde_json() {
        let empty: Vec<f64> = Vec::new();
        let json = object([
            ("z", "a \"quoted\" text".into()),
            ("numbers", vec![1.0, 2.5].into()),
            ("a", object([("none", None.into()), ("deep", empty.into())])),
            ("nothing", object([])),
        ]);
        let text = r#"{"z":"a \"quoted\" text","numbers":[1.0,2.5],"a":{"none":null,"deep":[]},"nothing":{}}"#;
        assert_eq!(json.to_string(), text);
        let single = object([("a", vec![object([("b", 1u32.into())])].into())]);
        let value = serde_json::json!({"a": [{"b": 1}]});
        assert_eq!(format!("{single:#}"), format!("{value:#}"));
        let value: Value = serde_json::from_str(text).unwrap();
        let lines = format!("{json:#}");
        assert_eq!(serde_json::from_str::<Value>(&lines).unwrap(), value);
        assert!(lines.starts_with("{\n  \"z\": \"a"));
        assert!(lines.ends_with("    \"deep\": []\n  },\n  \"nothing\": {}\n}"));
    }
}
