//! Text to token ids and back: BART's byte-level BPE with Florence-2's 1,024
//! tokens for regions and markers.

mod added;
mod bytes;
mod load;
mod parts;
mod table;

use std::borrow::Cow;
use std::sync::Arc;

use tokenizers::{AddedVocabulary, NormalizerWrapper, OffsetReferential, OffsetType};

use crate::{Error, Result, TextConfig};
use table::Table;

pub(crate) use parts::VocabFiles;
pub use table::TokenKind;

/// A segment of a prompt; segments may come from different sources.
///
/// # Example
///
/// See [`Tokenizer::encode_segments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Plain text: `</s>` or `<loc_5>` in it are characters. Adjacent texts are encoded as one.
    Text(&'a str),
    /// One special token by its name, such as `<loc_5>`.
    Special(&'a str),
}

/// The tokenizer of a checkpoint. Cheap to clone.
///
/// Ids come from the files, never from constants: fine-tunes add tokens of
/// their own.
///
/// # Example: the published tokenizer
///
/// ```
/// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
/// use florence_core::Tokenizer;
///
/// let tokenizer = Tokenizer::from_parts(json, None)?;
/// let ids = tokenizer.encode("What is the region <loc_52><loc_332>?")?;
/// assert_eq!(ids, [0, 2264, 16, 5, 976, 1437, 50321, 50601, 116, 2]);
/// assert_eq!(tokenizer.decode(&ids), "<s>What is the region <loc_52><loc_332>?</s>");
/// assert_eq!(tokenizer.vocab_size(), 51_289);
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Has no added tokens, so it encodes everything as text.
    plain: tokenizers::Tokenizer,
    added: AddedVocabulary,
    table: Table,
    bos: u32,
    eos: u32,
    pad: u32,
    unk: u32,
}

impl Tokenizer {
    /// Reads `tokenizer.json` and, if the checkpoint has one,
    /// `added_tokens.json`.
    ///
    /// Truncation, padding and BPE dropout that a training script saved are
    /// switched off. Those of Florence-2's 1,024 tokens that the files lack
    /// are appended after the last id, in the reference processor's order.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for bytes that are not a JSON object,
    /// [`Error::Tokenizer`] for anything but a byte-level BPE, for a file
    /// without `<s>`, `</s>`, `<pad>` and `<unk>`, and for ids that leave gaps.
    ///
    /// # Example
    ///
    /// ```
    /// let error = florence_core::Tokenizer::from_parts(b"{}", None).unwrap_err();
    /// assert!(error.to_string().starts_with("tokenizer.json: `model` is null"));
    /// ```
    pub fn from_parts(tokenizer_json: &[u8], added_tokens_json: Option<&[u8]>) -> Result<Self> {
        Self::new(load::load(tokenizer_json, added_tokens_json)?)
    }

    /// Reads `vocab.json` and `merges.txt`, which older programs save instead
    /// of a `tokenizer.json`. The ids are those of the reference's
    /// `BartTokenizer`.
    pub(crate) fn from_vocab(files: &VocabFiles) -> Result<Self> {
        let map = parts::tokenizer_json(files)?;
        Self::new(load::build(map, files.added.as_deref())?)
    }

    fn new(mut plain: tokenizers::Tokenizer) -> Result<Self> {
        let added = plain.get_added_vocabulary().clone();
        let table = Table::build(&plain);
        plain.with_added_vocabulary(AddedVocabulary::new());
        let id = |token: &str| {
            table.id(token).ok_or_else(|| Error::Tokenizer {
                file: "tokenizer.json".to_owned(),
                reason: format!("no token `{token}`, which BART's vocabulary has"),
            })
        };
        let (bos, eos, pad, unk) = (id("<s>")?, id("</s>")?, id("<pad>")?, id("<unk>")?);
        Ok(Tokenizer {
            inner: Arc::new(Inner {
                plain,
                added,
                table,
                bos,
                eos,
                pad,
                unk,
            }),
        })
    }

    /// Encodes a prompt, `<s>` and `</s>` around it. Special tokens in the text
    /// are recognized; for text that is not yours see
    /// [`Tokenizer::encode_segments`].
    ///
    /// # Errors
    ///
    /// [`Error::Tokenizer`] when the BPE fails, which a valid file does not.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.encode("What does the image describe?")?, [0, 2264, 473, 5, 2274, 6190, 116, 2]);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let inner = &*self.inner;
        let mut ids = vec![inner.bos];
        // The library's own first step: special tokens cut the text into pieces.
        let pieces = inner
            .added
            .extract_and_normalize(None::<&NormalizerWrapper>, text);
        for (piece, _, tokens) in pieces.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            match tokens {
                Some(tokens) => ids.extend(tokens.iter().map(|token| token.id)),
                None => self.push_text(piece, &mut ids)?,
            }
        }
        ids.push(inner.eos);
        Ok(ids)
    }

    /// Encodes a prompt of separate segments, `<s>` and `</s>` around it.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a [`Segment::Special`] that is no added token of
    /// this tokenizer; [`Error::Tokenizer`] as for [`Tokenizer::encode`].
    ///
    /// # Example: text of a user that looks like a token stays text
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// use florence_core::{Segment, Tokenizer, TokenKind};
    ///
    /// let tokenizer = Tokenizer::from_parts(json, None)?;
    /// let ids = tokenizer.encode_segments(&[
    ///     Segment::Text("Locate "),
    ///     Segment::Text("</s> <loc_5>"),
    ///     Segment::Special("<loc_7>"),
    /// ])?;
    /// assert_eq!(tokenizer.decode(&ids), "<s>Locate </s> <loc_5><loc_7></s>");
    /// let inside = &ids[1..ids.len() - 1];
    /// let special = inside.iter().filter(|id| !matches!(tokenizer.token(**id), TokenKind::Text(_)));
    /// assert_eq!(special.count(), 1);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn encode_segments(&self, segments: &[Segment<'_>]) -> Result<Vec<u32>> {
        let inner = &*self.inner;
        let mut ids = vec![inner.bos];
        let mut text = Cow::Borrowed("");
        let mut trim_start = false;
        let flush = |text: &str, trim_start: bool, ids: &mut Vec<u32>| {
            self.push_text(if trim_start { text.trim_start() } else { text }, ids)
        };
        for segment in segments {
            match *segment {
                Segment::Text(more) if text.is_empty() => text = Cow::Borrowed(more),
                Segment::Text(more) => text.to_mut().push_str(more),
                Segment::Special(token) => {
                    let id = inner.added.get_vocab().get(token).copied();
                    let properties =
                        id.and_then(|id| inner.added.get_added_tokens_decoder().get(&id));
                    let (Some(id), Some(properties)) = (id, properties) else {
                        return Err(Error::argument(
                            "segments",
                            format!("Special({token:?})"),
                            "a special token of this tokenizer, such as \"<loc_5>\"",
                        ));
                    };
                    let before = if properties.lstrip {
                        text.trim_end()
                    } else {
                        &text
                    };
                    flush(before, trim_start, &mut ids)?;
                    ids.push(id);
                    text = Cow::Borrowed("");
                    trim_start = properties.rstrip;
                }
            }
        }
        flush(&text, trim_start, &mut ids)?;
        ids.push(inner.eos);
        Ok(ids)
    }

    fn push_text(&self, text: &str, ids: &mut Vec<u32>) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let encoding = self
            .inner
            .plain
            .encode_fast(text, false)
            .map_err(|e| Error::Tokenizer {
                file: "tokenizer.json".to_owned(),
                reason: format!("{text:?} cannot be encoded: {e}"),
            })?;
        ids.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    /// The text of a token sequence with all special tokens, exactly as
    /// `decode(ids, skip_special_tokens=False)` of the reference without
    /// `clean_up_tokenization_spaces`. Ids outside the vocabulary add nothing;
    /// bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.decode(&[0, 2264, 473, 5, 2274, 6190, 116, 2]), "<s>What does the image describe?</s>");
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn decode(&self, ids: &[u32]) -> String {
        let table = &self.inner.table;
        let bytes: Vec<u8> = ids
            .iter()
            .flat_map(|id| table.bytes(*id))
            .copied()
            .collect();
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The meaning of a token. Every id has one: those outside the vocabulary, which padded
    /// embedding tables have, are `TokenKind::Control("<unk>")`.
    ///
    /// # Example: half a character is bytes, not text
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// use florence_core::{Tokenizer, TokenKind};
    ///
    /// let tokenizer = Tokenizer::from_parts(json, None)?;
    /// let ids = tokenizer.encode("😀<loc_5><poly>")?;
    /// let kinds: Vec<TokenKind> = ids.iter().map(|id| tokenizer.token(*id)).collect();
    /// assert_eq!(
    ///     kinds,
    ///     [
    ///         TokenKind::Control("<s>"),
    ///         TokenKind::Text(b"\xf0\x9f\x98"),
    ///         TokenKind::Text(b"\x80"),
    ///         TokenKind::Location(5),
    ///         TokenKind::Marker("<poly>"),
    ///         TokenKind::Control("</s>"),
    ///     ],
    /// );
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn token(&self, id: u32) -> TokenKind<'_> {
        self.inner.table.kind(id)
    }

    /// The id of `<loc_{bin}>`, for bins from 0 to 999.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.location_id(0), Some(50_269));
    /// assert_eq!(tokenizer.location_id(1000), None);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn location_id(&self, bin: u16) -> Option<u32> {
        self.inner.table.location(bin)
    }

    /// The id of a token by its entry in the vocabulary, where `Ġ` stands for
    /// a space.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.token_id("<and>"), Some(51_288));
    /// assert_eq!(tokenizer.token_id("Ġworld"), Some(232));
    /// assert_eq!(tokenizer.token_id("<OD>"), None);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.table.id(token)
    }

    /// One more than the largest id. The network's embedding table may have
    /// more rows.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.vocab_size(), 51_289);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn vocab_size(&self) -> usize {
        self.inner.table.len()
    }

    /// `<s>`.
    ///
    /// # Example: the special ids of the published tokenizer
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let t = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!([t.bos_id(), t.pad_id(), t.eos_id(), t.unk_id()], [0, 1, 2, 3]);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn bos_id(&self) -> u32 {
        self.inner.bos
    }

    /// `</s>`.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.eos_id(), 2);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn eos_id(&self) -> u32 {
        self.inner.eos
    }

    /// `<pad>`.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.pad_id(), 1);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn pad_id(&self) -> u32 {
        self.inner.pad
    }

    /// `<unk>`.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/tokenizer.json"));
    /// let tokenizer = florence_core::Tokenizer::from_parts(json, None)?;
    /// assert_eq!(tokenizer.unk_id(), 3);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn unk_id(&self) -> u32 {
        self.inner.unk
    }

    /// Checks the tokenizer against the embedding table: ids that every request uses must have a
    /// row; for others a warning is enough.
    pub(crate) fn check_against(
        &self,
        text: &TextConfig,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let rows = text.vocab_size;
        let inner = &*self.inner;
        let used = (0..added::LOCATIONS)
            .filter_map(|bin| self.location_id(bin))
            .chain([inner.bos, inner.eos, inner.pad]);
        if let Some(id) = used.into_iter().find(|id| *id as usize >= rows) {
            return Err(Error::Tokenizer {
                file: "tokenizer.json".to_owned(),
                reason: format!(
                    "token `{}` has the id {id}, but text_config.vocab_size is {rows}: the \
                     tokenizer is not this checkpoint's",
                    self.decode(&[id])
                ),
            });
        }
        if self.vocab_size() > rows {
            warnings.push(format!(
                "tokenizer.json: ids go up to {}, the embedding table has {rows} rows; tokens \
                 beyond it cannot be used",
                self.vocab_size() - 1
            ));
        }
        for (name, ours, config) in [
            ("<s>", inner.bos, text.bos_token_id),
            ("</s>", inner.eos, text.eos_token_id),
            ("<pad>", inner.pad, text.pad_token_id),
        ] {
            if ours != config {
                warnings.push(format!(
                    "config.json: text_config gives `{name}` the id {config}, tokenizer.json {ours}"
                ));
            }
        }
        Ok(())
    }
}
