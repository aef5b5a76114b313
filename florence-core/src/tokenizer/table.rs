//! The table of the meaning of every id.

use std::collections::HashMap;

use super::{added, bytes};

/// The meaning of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind<'a> {
    /// Text: the token's raw bytes, which may be part of a UTF-8 character.
    Text(&'a [u8]),
    /// `<loc_N>`: the bin N, from 0 to 999, along one side of the image.
    Location(u16),
    /// Any other special token: `<poly>`, `<sep>`, `<od>`, `<image>` ….
    Marker(&'a str),
    /// A control token: `<s>`, `</s>`, `<pad>`, `<unk>`, `<mask>`.
    Control(&'a str),
}

/// BART's own special tokens.
const CONTROL: [&str; 5] = ["<s>", "</s>", "<pad>", "<unk>", "<mask>"];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Absent,
    Text,
    Location(u16),
    Marker,
    Control,
}

/// All tokens by id, their bytes one after another.
#[derive(Debug)]
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Token `i` is `bytes[ends[i - 1]..ends[i]]`.
    ends: Vec<usize>,
    kinds: Vec<Kind>,
    ids: HashMap<String, u32>,
    locations: Vec<Option<u32>>,
}

impl Table {
    pub(super) fn build(tokenizer: &tokenizers::Tokenizer) -> Self {
        let ids = tokenizer.get_vocab(true);
        let special = tokenizer.get_added_vocabulary();
        let len = ids.values().max().map_or(0, |max| *max as usize + 1);
        let mut by_id: Vec<Option<&str>> = vec![None; len];
        for (token, id) in &ids {
            by_id[*id as usize] = Some(token);
        }
        // Of two entries with one id the added token counts, as in decoding.
        for (token, id) in special.get_vocab() {
            by_id[*id as usize] = Some(token);
        }
        let mut table = Table {
            bytes: Vec::new(),
            ends: Vec::with_capacity(len),
            kinds: Vec::with_capacity(len),
            locations: vec![None; usize::from(added::LOCATIONS)],
            ids: HashMap::new(),
        };
        for (id, token) in by_id.into_iter().enumerate() {
            let kind = match token {
                None => Kind::Absent,
                Some(token) if CONTROL.contains(&token) => Kind::Control,
                Some(token) if special.is_special_token(token) => {
                    added::location(token).map_or(Kind::Marker, Kind::Location)
                }
                Some(_) => Kind::Text,
            };
            if let Kind::Location(bin) = kind {
                table.locations[usize::from(bin)] = Some(id as u32);
            }
            table.bytes.extend(bytes::raw_bytes(token.unwrap_or("")));
            table.ends.push(table.bytes.len());
            table.kinds.push(kind);
        }
        table.ids = ids;
        table
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(super) fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    pub(super) fn location(&self, bin: u16) -> Option<u32> {
        self.locations.get(usize::from(bin)).copied().flatten()
    }

    /// The bytes of a token; none for an id outside the vocabulary.
    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let Some(&end) = self.ends.get(id) else {
            return &[];
        };
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..end]
    }

    pub(super) fn kind(&self, id: u32) -> TokenKind<'_> {
        let bytes = self.bytes(id);
        let name = std::str::from_utf8(bytes);
        match (self.kinds.get(id as usize), name) {
            (Some(Kind::Text), _) => TokenKind::Text(bytes),
            (Some(Kind::Location(bin)), _) => TokenKind::Location(*bin),
            (Some(Kind::Marker), Ok(name)) => TokenKind::Marker(name),
            (Some(Kind::Control), Ok(name)) => TokenKind::Control(name),
            // A marker named with a lone byte of the alphabet is not UTF-8.
            (Some(Kind::Marker | Kind::Control), Err(_)) => TokenKind::Text(bytes),
            (Some(Kind::Absent) | None, _) => TokenKind::Control("<unk>"),
        }
    }
}
