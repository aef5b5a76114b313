//! Typed, bounded reading of untrusted JSON: every refusal names file and key.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::checkpoint::content::{self, Expected};
use crate::{Error, Result};

/// Maximum size of a JSON configuration.
const MAX_JSON_BYTES: usize = 64 << 20;

/// Parses a JSON file whose top level is an object. A byte order mark, which some editors write, is
/// skipped.
pub(crate) fn parse_object(file: &str, bytes: &[u8]) -> Result<Map<String, Value>> {
    if bytes.len() > MAX_JSON_BYTES {
        return Err(Error::malformed(
            file,
            format!(
                "{} bytes, a configuration has at most {MAX_JSON_BYTES}",
                bytes.len()
            ),
        ));
    }
    if bytes.is_empty() {
        return Err(Error::malformed(
            file,
            "not valid JSON: this is an empty file, download it again",
        ));
    }
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(json) {
        Ok(Value::Object(map)) => match content::message_in(&map) {
            Some(other) => Err(other.error(file, Expected::Json)),
            None => Ok(map),
        },
        Ok(_) => Err(Error::malformed(file, "expected a JSON object")),
        Err(error) => {
            content::check(file, bytes, bytes.len() as u64, Expected::Json)?;
            let cut = if error.is_eof() {
                "; the file was cut short, download it again"
            } else {
                ""
            };
            Err(Error::malformed(
                file,
                format!("not valid JSON: {error}{cut}"),
            ))
        }
    }
}

/// One object of a JSON file, with its path for messages.
#[derive(Clone)]
pub(crate) struct Section<'a> {
    file: &'a str,
    prefix: String,
    map: &'a Map<String, Value>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(file: &'a str, map: &'a Map<String, Value>) -> Self {
        Section {
            file,
            prefix: String::new(),
            map,
        }
    }

    /// The value of a key; `null` counts as absent.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// An error at `key`, with the value found there.
    pub(crate) fn refuse(&self, key: &str, expected: impl Into<String>) -> Error {
        const SHOWN: usize = 120;
        let mut found = self
            .map
            .get(key)
            .map_or_else(|| "absent".to_owned(), Value::to_string);
        if found.chars().count() > SHOWN {
            found = found.chars().take(SHOWN).chain("…".chars()).collect();
        }
        Error::Config {
            file: self.file.to_owned(),
            key: format!("{}{key}", self.prefix),
            found,
            expected: expected.into(),
        }
    }

    pub(crate) fn section(&self, key: &str) -> Result<Option<Section<'a>>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Section {
                file: self.file,
                prefix: format!("{}{key}.", self.prefix),
                map,
            })),
            Some(_) => Err(self.refuse(key, "an object")),
        }
    }

    pub(crate) fn usize(
        &self,
        key: &str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> Result<usize> {
        Ok(self.maybe_usize(key, range)?.unwrap_or(default))
    }

    pub(crate) fn maybe_usize(
        &self,
        key: &str,
        range: RangeInclusive<usize>,
    ) -> Result<Option<usize>> {
        self.value(key)
            .map(|v| self.bounded(key, v, &range))
            .transpose()
    }

    fn bounded(&self, key: &str, value: &Value, range: &RangeInclusive<usize>) -> Result<usize> {
        value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| range.contains(n))
            .ok_or_else(|| {
                self.refuse(
                    key,
                    format!("whole numbers from {} to {}", range.start(), range.end()),
                )
            })
    }

    /// A token id: absent and `null` give `None`.
    pub(crate) fn id(&self, key: &str) -> Result<Option<u32>> {
        Ok(self
            .maybe_usize(key, 0..=u32::MAX as usize)?
            .map(|n| n as u32))
    }

    pub(crate) fn float(&self, key: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64> {
        match self.value(key) {
            None => Ok(default),
            Some(v) => v.as_f64().filter(|x| range.contains(x)).ok_or_else(|| {
                self.refuse(
                    key,
                    format!("a number from {} to {}", range.start(), range.end()),
                )
            }),
        }
    }

    pub(crate) fn bool(&self, key: &str, default: bool) -> Result<bool> {
        match self.value(key) {
            None => Ok(default),
            Some(v) => v.as_bool().ok_or_else(|| self.refuse(key, "true or false")),
        }
    }

    /// A string of a closed set.
    pub(crate) fn one_of(&self, key: &str, default: &str, accepted: &[&str]) -> Result<String> {
        match self.value(key) {
            None => Ok(default.to_owned()),
            Some(Value::String(s)) if accepted.contains(&s.as_str()) => Ok(s.clone()),
            Some(_) => {
                let list: Vec<String> = accepted.iter().map(|a| format!("{a:?}")).collect();
                Err(self.refuse(key, list.join(", ")))
            }
        }
    }

    pub(crate) fn list(&self, key: &str) -> Result<Option<&'a [Value]>> {
        const MAX_ITEMS: usize = 64;
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array(items)) if items.len() <= MAX_ITEMS => Ok(Some(items)),
            Some(_) => Err(self.refuse(key, format!("a list of at most {MAX_ITEMS} items"))),
        }
    }

    pub(crate) fn usizes(
        &self,
        key: &str,
        default: &[usize],
        range: RangeInclusive<usize>,
    ) -> Result<Vec<usize>> {
        match self.list(key)? {
            None => Ok(default.to_vec()),
            Some(items) => items.iter().map(|v| self.bounded(key, v, &range)).collect(),
        }
    }

    pub(crate) fn bools(&self, key: &str, default: &[bool]) -> Result<Vec<bool>> {
        match self.list(key)? {
            None => Ok(default.to_vec()),
            Some(items) => items
                .iter()
                .map(|v| {
                    v.as_bool()
                        .ok_or_else(|| self.refuse(key, "a list of true and false"))
                })
                .collect(),
        }
    }

    /// Exactly three finite numbers, one per color channel.
    pub(crate) fn rgb(
        &self,
        key: &str,
        default: [f64; 3],
        range: RangeInclusive<f64>,
    ) -> Result<[f64; 3]> {
        let Some(items) = self.list(key)? else {
            return Ok(default);
        };
        let numbers: Option<Vec<f64>> = items
            .iter()
            .map(|v| v.as_f64().filter(|x| range.contains(x)))
            .collect();
        numbers.and_then(|n| n.try_into().ok()).ok_or_else(|| {
            self.refuse(
                key,
                format!("three numbers from {} to {}", range.start(), range.end()),
            )
        })
    }
}
