//! A vocabulary from a `tokenizer.json`.

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

use crate::quantizer::BINS;
use crate::special::{CONTROLS, MARKERS};
use crate::token::{Piece, Vocabulary};

/// Ids index a table, so they are bounded; the published ones end at 51,288.
const MAX_ID: u32 = 1 << 22;

/// Markers before the locations in the order of the reference processor; the others come after.
const BEFORE_LOCATIONS: usize = 4;

/// The vocabulary of a `tokenizer.json` with BART's byte-level BPE (feature `tokenizer`).
///
/// Text tokens are decoded to raw bytes; added tokens become locations, markers and controls. Those of
/// Florence-2's 1,024 location and marker tokens that the file lacks are appended after the last id, as
/// the reference processor does.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BpeVocabulary, Piece, Vocabulary};
///
/// let json = r#"{
///     "model": {"type": "BPE", "vocab": {"<s>": 0, "</s>": 1, "Ġcar": 2}},
///     "added_tokens": [
///         {"id": 0, "content": "<s>", "special": true},
///         {"id": 1, "content": "</s>", "special": true}
///     ]
/// }"#;
/// let vocabulary = BpeVocabulary::from_tokenizer_json(json)?;
/// assert_eq!(vocabulary.piece(1), Piece::Control("</s>"));
/// assert_eq!(vocabulary.piece(2), Piece::Text(b" car"));
/// // Appended: <od>, </od>, <ocr>, </ocr>, then the locations.
/// assert_eq!(vocabulary.piece(7), Piece::Location(0));
/// # Ok::<(), florence_postprocess::VocabularyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BpeVocabulary {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
enum Entry {
    Absent,
    Text(Box<[u8]>),
    Location(u16),
    Marker(Box<str>),
    Control(Box<str>),
}

impl BpeVocabulary {
    /// Reads the text of a `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// [`VocabularyError`] for text that is not JSON, for any tokenizer but a byte-level BPE, and for
    /// ids that are not numbers below 4,194,304.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BpeVocabulary;
    ///
    /// let error = BpeVocabulary::from_tokenizer_json("{}").unwrap_err();
    /// assert_eq!(error.to_string(), "`model.vocab` is absent, expected a map from tokens to ids");
    /// ```
    pub fn from_tokenizer_json(json: &str) -> Result<Self, VocabularyError> {
        let file: Value = serde_json::from_str(json).map_err(VocabularyError::Json)?;
        check_kind(&file)?;
        let vocab = file["model"]["vocab"].as_object();
        let vocab = vocab.ok_or(VocabularyError::NoVocab)?;
        let mut vocabulary = Self {
            entries: Vec::new(),
        };
        for (token, id) in vocab {
            vocabulary.insert(token, id, Entry::Text(raw_bytes(token)))?;
        }
        let mut known = HashSet::new();
        for token in file["added_tokens"].as_array().into_iter().flatten() {
            let Some(content) = token["content"].as_str() else {
                continue;
            };
            let is_special = token["special"].as_bool().unwrap_or(false);
            vocabulary.insert(content, &token["id"], added(content, is_special))?;
            known.insert(content);
        }
        let (before, after) = MARKERS.split_at(BEFORE_LOCATIONS);
        let locations = (0..BINS).map(|bin| format!("<loc_{bin}>"));
        let names = before.iter().map(|&name| name.to_owned());
        let names = names.chain(locations);
        for name in names.chain(after.iter().map(|&name| name.to_owned())) {
            if !known.contains(name.as_str()) {
                vocabulary.entries.push(added(&name, true));
            }
        }
        Ok(vocabulary)
    }

    fn insert(&mut self, token: &str, id: &Value, entry: Entry) -> Result<(), VocabularyError> {
        let number = id.as_u64().and_then(|id| u32::try_from(id).ok());
        let Some(number) = number.filter(|id| *id < MAX_ID) else {
            return Err(VocabularyError::Id {
                token: token.to_owned(),
                id: id.to_string(),
            });
        };
        let at = number as usize;
        if self.entries.len() <= at {
            self.entries.resize(at + 1, Entry::Absent);
        }
        self.entries[at] = entry;
        Ok(())
    }
}

impl Vocabulary for BpeVocabulary {
    fn piece(&self, id: u32) -> Piece<'_> {
        match self.entries.get(id as usize) {
            Some(Entry::Text(bytes)) => Piece::Text(bytes),
            Some(Entry::Location(bin)) => Piece::Location(*bin),
            Some(Entry::Marker(name)) => Piece::Marker(name),
            Some(Entry::Control(name)) => Piece::Control(name),
            Some(Entry::Absent) | None => Piece::Control("<unk>"),
        }
    }
}

/// A file that is not the `tokenizer.json` of a byte-level BPE.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BpeVocabulary, VocabularyError};
///
/// let json = r#"{"model": {"type": "WordPiece", "vocab": {}}}"#;
/// let error = BpeVocabulary::from_tokenizer_json(json).unwrap_err();
/// assert!(matches!(error, VocabularyError::Kind { .. }));
/// assert_eq!(error.to_string(), "`model` is \"WordPiece\", expected \"BPE\"");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum VocabularyError {
    /// The text is not JSON.
    Json(serde_json::Error),
    /// There is no map `model.vocab`.
    NoVocab,
    /// A part of the tokenizer is of another type.
    Kind {
        /// The part: `model` or `decoder`.
        part: &'static str,
        /// Its type.
        found: String,
        /// The type that Florence-2's tokenizer has.
        expected: &'static str,
    },
    /// An id that is not a number, or too large.
    Id {
        /// The token.
        token: String,
        /// The id as the file has it.
        id: String,
    },
}

impl fmt::Display for VocabularyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(_) => f.write_str("the text is not JSON"),
            Self::NoVocab => {
                f.write_str("`model.vocab` is absent, expected a map from tokens to ids")
            }
            Self::Kind {
                part,
                found,
                expected,
            } => write!(f, "`{part}` is {found:?}, expected {expected:?}"),
            Self::Id { token, id } => {
                let last = MAX_ID - 1;
                write!(f, "token {token:?} has the id {id}, expected 0 to {last}")
            }
        }
    }
}

impl std::error::Error for VocabularyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            _ => None,
        }
    }
}

/// Old files leave out the type of the model, and some tools the decoder.
fn check_kind(file: &Value) -> Result<(), VocabularyError> {
    for (part, expected) in [("model", "BPE"), ("decoder", "ByteLevel")] {
        let found = file[part]["type"].as_str().unwrap_or(expected);
        if found != expected {
            return Err(VocabularyError::Kind {
                part,
                found: found.to_owned(),
                expected,
            });
        }
    }
    Ok(())
}

fn added(content: &str, is_special: bool) -> Entry {
    if CONTROLS.contains(&content) {
        Entry::Control(content.into())
    } else if !is_special {
        Entry::Text(raw_bytes(content))
    } else {
        location(content).map_or_else(|| Entry::Marker(content.into()), Entry::Location)
    }
}

/// The bin of a location token: `<loc_01>` and `<loc_1000>` are none.
fn location(token: &str) -> Option<u16> {
    let digits = token.strip_prefix("<loc_")?.strip_suffix('>')?;
    let bin: u16 = digits.parse().ok()?;
    (bin < BINS && bin.to_string() == digits).then_some(bin)
}

/// The raw bytes of a vocabulary entry. An entry with a character outside of the byte alphabet is
/// taken as it is, as by the reference's decoder.
fn raw_bytes(token: &str) -> Box<[u8]> {
    let bytes: Option<Box<[u8]>> = token.chars().map(byte_of).collect();
    bytes.unwrap_or_else(|| token.as_bytes().into())
}

/// The byte that a character of a vocabulary entry stands for (the inverse of GPT-2's
/// `bytes_to_unicode`): printable Latin-1 bytes stand for themselves, the other 68 are shifted, in
/// order, to the characters from U+0100.
fn byte_of(c: char) -> Option<u8> {
    let code = u32::from(c);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => u8::try_from(code).ok(),
        0x100..=0x143 => {
            let shifted = u8::try_from(code - 0x100).ok()?;
            Some(match shifted {
                0..=0x20 => shifted,
                0x21..=0x42 => shifted - 0x21 + 0x7f,
                _ => 0xad,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_exactly_one_character() {
        let mut seen = [0; 256];
        for byte in ('\0'..='\u{ffff}').filter_map(byte_of) {
            seen[usize::from(byte)] += 1;
        }
        assert_eq!(seen, [1; 256]);
    }

    #[test]
    fn entries_are_the_bytes_that_they_stand_for() {
        assert_eq!(*raw_bytes("Ġworld"), *b" world");
        assert_eq!(*raw_bytes("Ċ"), *b"\n");
        assert_eq!(*raw_bytes("Ã©"), *"é".as_bytes());
        assert_eq!(*raw_bytes("my token"), *b"my token");
    }

    #[test]
    fn locations_are_read_exactly() {
        assert_eq!(location("<loc_0>"), Some(0));
        assert_eq!(location("<loc_999>"), Some(999));
        for other in [
            "<loc_>",
            "<loc_01>",
            "<loc_1000>",
            "<loc_+1>",
            "loc_1",
            "<loc_1",
        ] {
            assert_eq!(location(other), None, "{other}");
        }
    }
}
