//! Generation settings of a checkpoint.

use super::{ConfigDialect, TextConfig, read::Section};
use crate::Result;

/// When beam search stops looking for better answers, as stored in a
/// configuration: `true`, `false` or `"never"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum EarlyStopping {
    /// `true`: as soon as there are as many finished answers as beams.
    True,
    /// `false`: when no running beam can beat the worst finished answer,
    /// estimated at its present length.
    False,
    /// `"never"`: as `False`, estimated at the most favorable length.
    Never,
}

/// The generation settings that take effect in the reference for a checkpoint.
///
/// In Microsoft's layout the language model generates, and it takes its
/// settings from `text_config`; the top-level `generation_config.json` is
/// written by `save_pretrained` but never read, and in many fine-tunes its ids
/// are wrong. In the native layout the whole model generates: there
/// `generation_config.json` overrules `text_config`, which recent versions of
/// transformers strip of these keys. Token ids come from `text_config` in both
/// as far as it has them.
///
/// Keys that neither file holds take the library's defaults: greedy, no
/// repetition rule, no forced tokens but `</s>`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GenerationDefaults {
    /// Beams; 1 is greedy. Published: 3.
    pub num_beams: usize,
    /// When beam search stops. Published: `True`.
    pub early_stopping: EarlyStopping,
    /// Exponent of the length in a finished answer's score. Published: 1.
    pub length_penalty: f64,
    /// Length of token runs that may not occur twice; 0 allows all.
    /// Published: 3.
    pub no_repeat_ngram_size: usize,
    /// The token forced after the start token. Published: 0 (`<s>`).
    pub forced_bos_token_id: Option<u32>,
    /// The token forced when the limit is reached. Published: 2 (`</s>`).
    pub forced_eos_token_id: Option<u32>,
}

impl GenerationDefaults {
    pub(super) fn read(
        text_section: &Section<'_>,
        file: Option<&Section<'_>>,
        text: &TextConfig,
        dialect: ConfigDialect,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        if let Some(file) = file {
            warn_about_ids(file, text, warnings);
        }
        let native_file = file.filter(|_| dialect == ConfigDialect::Native);
        let strategy = |key: &str| match native_file {
            Some(file) if file.has(key) => file.clone(),
            _ => text_section.clone(),
        };
        let forced = |key: &str, default: Option<u32>| -> Result<Option<u32>> {
            let section = match native_file {
                Some(file) if !text_section.has(key) => file,
                _ => text_section,
            };
            match section.id(key)?.or(default) {
                Some(id) if id as usize >= text.vocab_size => Err(section.refuse(
                    key,
                    format!("a token id below vocab_size {}", text.vocab_size),
                )),
                id => Ok(id),
            }
        };
        if !strategy("num_beams").has("num_beams") {
            warnings.push(
                "no configuration file says `num_beams`: the reference decodes greedily then, \
                 published checkpoints use 3"
                    .to_owned(),
            );
        }
        Ok(GenerationDefaults {
            num_beams: strategy("num_beams").usize("num_beams", 1, 1..=256)?,
            early_stopping: early_stopping(&strategy("early_stopping"))?,
            length_penalty: strategy("length_penalty").float(
                "length_penalty",
                1.0,
                -100.0..=100.0,
            )?,
            no_repeat_ngram_size: strategy("no_repeat_ngram_size").usize(
                "no_repeat_ngram_size",
                0,
                0..=1 << 16,
            )?,
            forced_bos_token_id: forced("forced_bos_token_id", None)?,
            forced_eos_token_id: forced("forced_eos_token_id", Some(2))?,
        })
    }
}

fn early_stopping(s: &Section<'_>) -> Result<EarlyStopping> {
    use serde_json::Value;
    match s.value("early_stopping") {
        None | Some(Value::Bool(false)) => Ok(EarlyStopping::False),
        Some(Value::Bool(true)) => Ok(EarlyStopping::True),
        Some(Value::String(never)) if never == "never" => Ok(EarlyStopping::Never),
        Some(_) => Err(s.refuse("early_stopping", "true, false or \"never\"")),
    }
}

/// Warns of bos 2, eos 1, pad 0 in `generation_config.json`, with which many fine-tunes were saved:
/// they have no effect here.
fn warn_about_ids(file: &Section<'_>, text: &TextConfig, warnings: &mut Vec<String>) {
    for (key, ours) in [
        ("bos_token_id", text.bos_token_id),
        ("eos_token_id", text.eos_token_id),
        ("pad_token_id", text.pad_token_id),
        ("decoder_start_token_id", text.decoder_start_token_id),
    ] {
        if let Some(theirs) = file.value(key)
            && theirs.as_u64() != Some(u64::from(ours))
        {
            warnings.push(format!(
                "generation_config.json: `{key}` is {theirs}, text_config says {ours}, which is used"
            ));
        }
    }
}
