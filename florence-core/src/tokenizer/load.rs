//! Reading tokenizer files: untrusted, saved by many versions of many tools.

use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::added;
use crate::config::read::parse_object;
use crate::{Error, Result};

const FILE: &str = "tokenizer.json";
const ADDED_FILE: &str = "added_tokens.json";

/// Ids index a table, so they are bounded; the published ones end at 51,288.
const MAX_ID: u32 = 1 << 22;

/// Reads both files and appends the tokens that Florence-2 needs.
pub(super) fn load(file: &[u8], added_file: Option<&[u8]>) -> Result<tokenizers::Tokenizer> {
    build(parse_object(FILE, file)?, added_file)
}

/// The same from the content of a `tokenizer.json`.
pub(super) fn build(
    mut map: Map<String, Value>,
    added_file: Option<&[u8]>,
) -> Result<tokenizers::Tokenizer> {
    // Saved by training scripts, all three would change what is encoded.
    map.insert("truncation".to_owned(), Value::Null);
    map.insert("padding".to_owned(), Value::Null);
    if let Some(Value::Object(model)) = map.get_mut("model") {
        model.insert("dropout".to_owned(), Value::Null);
    }
    check_kind(&map)?;
    check_ids(&map)?;
    // Through text: from a `Value`, all of the deserialization would be compiled here once more.
    let map = Value::Object(map);
    let mut tokenizer: tokenizers::Tokenizer = map
        .to_string()
        .parse()
        .map_err(|e| refuse(FILE, format!("not a usable tokenizer: {e}")))?;

    check_added_ids(&map, &tokenizer)?;
    if let Some(file) = added_file {
        add_listed(&mut tokenizer, file)?;
    }
    let missing: Vec<AddedToken> = added::all()
        .filter(|token| !is_added(&tokenizer, token))
        .map(special)
        .collect();
    add(&mut tokenizer, FILE, missing)?;
    Ok(tokenizer)
}

pub(super) fn refuse(file: &str, reason: impl Into<String>) -> Error {
    Error::Tokenizer {
        file: file.to_owned(),
        reason: reason.into(),
    }
}

/// A token that is matched as it stands, before any other processing.
fn special(content: String) -> AddedToken {
    AddedToken::from(content, true).normalized(false)
}

fn is_added(tokenizer: &tokenizers::Tokenizer, token: &str) -> bool {
    tokenizer
        .get_added_vocabulary()
        .get_vocab()
        .contains_key(token)
}

fn add(tokenizer: &mut tokenizers::Tokenizer, file: &str, tokens: Vec<AddedToken>) -> Result<()> {
    tokenizer
        .add_tokens(tokens)
        .map_err(|e| refuse(file, format!("tokens cannot be added: {e}")))?;
    Ok(())
}

/// Everything after this relies on byte-level BPE: that any text can be
/// encoded, and that every token stands for known bytes.
fn check_kind(map: &Map<String, Value>) -> Result<()> {
    let kind = |key: &str| match map.get(key) {
        None | Some(Value::Null) => "null".to_owned(),
        Some(value) => value
            .get("type")
            .and_then(Value::as_str)
            // Old files leave out the type of the model.
            .unwrap_or(if key == "model" { "BPE" } else { "unknown" })
            .to_owned(),
    };
    for (key, expected) in [
        ("model", "BPE"),
        ("pre_tokenizer", "ByteLevel"),
        ("decoder", "ByteLevel"),
        ("normalizer", "null"),
    ] {
        let found = kind(key);
        if found != expected {
            return Err(refuse(
                FILE,
                format!(
                    "`{key}` is {found}, expected {expected}: Florence-2 uses BART's byte-level BPE"
                ),
            ));
        }
    }
    Ok(())
}

fn check_ids(map: &Map<String, Value>) -> Result<()> {
    let vocab = map
        .get("model")
        .and_then(|m| m.get("vocab"))
        .and_then(Value::as_object)
        .ok_or_else(|| {
            refuse(
                FILE,
                "`model.vocab` is absent, expected a map from tokens to ids",
            )
        })?;
    let added = map
        .get("added_tokens")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|t| Some((t.get("content")?.as_str()?, t.get("id")?)));
    for (token, id) in vocab.iter().map(|(t, id)| (t.as_str(), id)).chain(added) {
        if id.as_u64().is_none_or(|id| id >= u64::from(MAX_ID)) {
            return Err(refuse(
                FILE,
                format!(
                    "token {token:?} has the id {id}, expected 0 to {}",
                    MAX_ID - 1
                ),
            ));
        }
    }
    Ok(())
}

/// The library numbers added tokens itself; where that contradicts the file,
/// every answer would be garbled.
fn check_added_ids(map: &Value, tokenizer: &tokenizers::Tokenizer) -> Result<()> {
    let listed = map.get("added_tokens").and_then(Value::as_array);
    for token in listed.into_iter().flatten() {
        let (Some(content), Some(id)) = (
            token.get("content").and_then(Value::as_str),
            token.get("id").and_then(Value::as_u64),
        ) else {
            continue;
        };
        check_id(tokenizer, FILE, content, id)?;
    }
    Ok(())
}

fn check_id(tokenizer: &tokenizers::Tokenizer, file: &str, token: &str, id: u64) -> Result<()> {
    match tokenizer.token_to_id(token) {
        Some(found) if u64::from(found) == id => Ok(()),
        found => Err(refuse(
            file,
            format!(
                "token {token:?} is listed with id {id}, but would get {}: ids must continue the \
                 vocabulary without a gap",
                found.map_or_else(|| "none".to_owned(), |n| n.to_string())
            ),
        )),
    }
}

/// Adds the tokens of `added_tokens.json`, a map from tokens to ids.
fn add_listed(tokenizer: &mut tokenizers::Tokenizer, file: &[u8]) -> Result<()> {
    let map = parse_object(ADDED_FILE, file)?;
    let mut listed = Vec::with_capacity(map.len());
    for (token, id) in map {
        match id.as_u64() {
            Some(n) if n < u64::from(MAX_ID) && !token.is_empty() => listed.push((n, token)),
            _ => {
                return Err(refuse(
                    ADDED_FILE,
                    format!(
                        "token {token:?} has the id {id}, expected 0 to {}",
                        MAX_ID - 1
                    ),
                ));
            }
        }
    }
    listed.sort_unstable();
    let new: Vec<AddedToken> = listed
        .iter()
        .filter(|(_, token)| !is_added(tokenizer, token))
        .map(|(_, token)| {
            if token.starts_with('<') && token.ends_with('>') {
                special(token.clone())
            } else {
                AddedToken::from(token.clone(), false)
            }
        })
        .collect();
    add(tokenizer, ADDED_FILE, new)?;
    listed
        .iter()
        .try_for_each(|(id, token)| check_id(tokenizer, ADDED_FILE, token, *id))
}
