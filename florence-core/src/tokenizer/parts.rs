//! `vocab.json` and `merges.txt`, the two files from before `tokenizer.json`.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::load::refuse;
use crate::checkpoint::content::{self, Expected};
use crate::config::read::parse_object;
use crate::{Error, Result};

const VOCAB: &str = "vocab.json";
const MERGES: &str = "merges.txt";
const CONFIG: &str = "tokenizer_config.json";

/// BART's own special tokens.
const SPECIAL: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

/// The files of such a tokenizer, as far as there are any.
#[derive(Debug, Default)]
pub(crate) struct VocabFiles {
    pub(crate) vocab: Vec<u8>,
    pub(crate) merges: Vec<u8>,
    /// `added_tokens.json`.
    pub(crate) added: Option<Vec<u8>>,
    /// `tokenizer_config.json`.
    pub(crate) config: Option<Vec<u8>>,
    /// `special_tokens_map.json`.
    pub(crate) special: Option<Vec<u8>>,
}

/// The `tokenizer.json` that `BartTokenizer` of the reference makes of the
/// files.
pub(super) fn tokenizer_json(files: &VocabFiles) -> Result<Map<String, Value>> {
    let vocab = parse_object(VOCAB, &files.vocab)?;
    let described = Described::read(files)?;
    let mut added = BTreeMap::new();
    let by_content = described.by_content();
    for content in SPECIAL {
        if let Some(id) = vocab.get(content).and_then(Value::as_u64) {
            added.insert(id, token(id, content, by_content.get(content)));
        }
    }
    for (id, content) in described.listed()? {
        added
            .entry(id)
            .or_insert_with(|| token(id, content, by_content.get(content)));
    }
    let added: Vec<Value> = added.into_values().collect();
    let merges = pairs(&files.merges, &vocab)?;
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    let parts = [
        ("version", json!("1.0")),
        ("added_tokens", json!(added)),
        ("pre_tokenizer", byte_level.clone()),
        ("decoder", byte_level),
        (
            "model",
            json!({
                "type": "BPE", "unk_token": null, "continuing_subword_prefix": "",
                "end_of_word_suffix": "", "fuse_unk": false, "vocab": vocab, "merges": merges,
            }),
        ),
    ];
    Ok(parts
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect())
}

/// The token descriptions in the other two files.
struct Described {
    config: Map<String, Value>,
    special: Map<String, Value>,
}

impl Described {
    fn read(files: &VocabFiles) -> Result<Self> {
        let object = |name: &str, file: &Option<Vec<u8>>| match file {
            Some(bytes) => parse_object(name, bytes),
            None => Ok(Map::new()),
        };
        Ok(Described {
            config: object(CONFIG, &files.config)?,
            special: object("special_tokens_map.json", &files.special)?,
        })
    }

    fn by_id(&self) -> impl Iterator<Item = (&String, &Value)> {
        let listed = self.config.get("added_tokens_decoder");
        listed.and_then(Value::as_object).into_iter().flatten()
    }

    /// The descriptions of each token, by its content; the first one counts.
    fn by_content(&self) -> HashMap<&str, &Value> {
        let objects = self.config.values().chain(self.special.values());
        let objects = objects.chain(self.by_id().map(|(_, token)| token));
        let mut by_content = HashMap::new();
        for object in objects {
            if let Some(content) = object.get("content").and_then(Value::as_str) {
                by_content.entry(content).or_insert(object);
            }
        }
        by_content
    }

    /// The tokens that are listed by id.
    fn listed(&self) -> Result<Vec<(u64, &str)>> {
        self.by_id()
            .map(|(id, token)| {
                let content = token.get("content").and_then(Value::as_str);
                id.parse().ok().zip(content).ok_or_else(|| {
                    refuse(
                        CONFIG,
                        format!("`added_tokens_decoder` has {id:?}, expected ids with a `content`"),
                    )
                })
            })
            .collect()
    }
}

/// A token as `tokenizer.json` lists it.
fn token(id: u64, content: &str, object: Option<&&Value>) -> Value {
    let flag = |key: &str, default: bool| {
        object
            .and_then(|object| object.get(key)?.as_bool())
            .unwrap_or(default)
    };
    json!({
        "id": id, "content": content, "special": flag("special", true),
        "normalized": flag("normalized", false), "lstrip": flag("lstrip", false),
        "rstrip": flag("rstrip", false), "single_word": flag("single_word", false),
    })
}

/// The merges, one pair of symbols a line, in the order in which they apply.
fn pairs(file: &[u8], vocab: &Map<String, Value>) -> Result<Vec<[String; 2]>> {
    content::check(MERGES, file, file.len() as u64, Expected::Merges)?;
    let text = std::str::from_utf8(file)
        .map_err(|e| Error::malformed(MERGES, format!("not UTF-8 text: {e}")))?;
    let mut pairs = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.is_empty() || line.starts_with("#version") {
            continue;
        }
        let Some((left, right)) = line
            .split_once(' ')
            .filter(|(_, right)| !right.contains(' '))
        else {
            return Err(refuse(
                MERGES,
                format!(
                    "line {} has no two symbols with a space between them",
                    number + 1
                ),
            ));
        };
        for symbol in [left, right, &format!("{left}{right}")] {
            if !vocab.contains_key(symbol) {
                return Err(refuse(
                    MERGES,
                    format!(
                        "line {} needs {symbol:?}, which {VOCAB} does not have: the two files are \
                         not of one tokenizer",
                        number + 1
                    ),
                ));
            }
        }
        pairs.push([left.to_owned(), right.to_owned()]);
    }
    Ok(pairs)
}
