//! What `adapter_config.json` says.

use serde_json::{Map, Value};

use super::options;
use super::pattern::{Pattern, Prefix};
use super::targets::Targets;
use super::values::{MAX_ITEMS, expression, strings};
use crate::config::read::{Section, parse_object};
use crate::{Error, Result};

/// The file.
pub(super) const FILE: &str = "adapter_config.json";

/// Maximum length of patterns that are more than words, all together.
const MAX_REGEXES: usize = 1 << 14;

/// Maximum rank.
const MAX_RANK: usize = 1 << 16;

/// The settings of one adapter.
#[derive(Debug)]
pub(super) struct Settings {
    /// The file, for messages.
    pub(super) file: String,
    pub(super) base: Option<String>,
    pub(super) targets: Targets,
    /// Modules that the adapter has its own copy of, by the ends of their names.
    modules_to_save: Vec<String>,
    pub(super) ensure_weight_tying: bool,
    rank: usize,
    alpha: f64,
    rslora: bool,
    /// In the order of PEFT's files, which are sorted by key.
    ranks: Vec<(Pattern, usize)>,
    alphas: Vec<(Pattern, f64)>,
}

impl Settings {
    /// Reads the file called `file` in messages.
    pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        let map = parse_object(file, bytes)?;
        options::check(file, &map)?;
        let section = Section::new(file, &map);
        section.one_of("bias", "none", &["none", "all", "lora_only"])?;
        let rank = |key: &str, value: &Value| {
            let rank = value.as_u64().and_then(|n| usize::try_from(n).ok());
            let rank = rank.filter(|rank| (1..=MAX_RANK).contains(rank));
            rank.ok_or_else(|| section.refuse(key, format!("whole numbers from 1 to {MAX_RANK}")))
        };
        let alpha = |key: &str, value: &Value| {
            let alpha = value.as_f64().filter(|alpha| (*alpha as f32).is_finite());
            alpha.ok_or_else(|| section.refuse(key, "finite numbers"))
        };
        let number = |key: &str| map.get(key).unwrap_or(&Value::Null);
        let base = map.get("base_model_name_or_path").and_then(Value::as_str);
        Ok(Settings {
            file: file.to_owned(),
            base: base.filter(|base| !base.is_empty()).map(str::to_owned),
            targets: Targets::read(&section, &map)?,
            modules_to_save: strings(&section, "modules_to_save")?.unwrap_or_default(),
            ensure_weight_tying: section.bool("ensure_weight_tying", false)?,
            rank: rank("r", number("r"))?,
            alpha: alpha("lora_alpha", number("lora_alpha"))?,
            rslora: section.bool("use_rslora", false)?,
            ranks: patterns(&section, &map, "rank_pattern", rank)?,
            alphas: patterns(&section, &map, "alpha_pattern", alpha)?,
        })
    }

    /// The rank of the adapter of a module.
    pub(super) fn rank(&self, module: &str) -> Result<usize> {
        Ok(self.first(&self.ranks, module)?.unwrap_or(self.rank))
    }

    /// The factor of B·A at a module: alpha / rank, or alpha / √rank.
    pub(super) fn scale(&self, module: &str) -> Result<f32> {
        let rank = self.rank(module)? as f64;
        let alpha = self.first(&self.alphas, module)?.unwrap_or(self.alpha);
        let divisor = if self.rslora { rank.sqrt() } else { rank };
        Ok((alpha / divisor) as f32)
    }

    fn first<T: Copy>(&self, patterns: &[(Pattern, T)], module: &str) -> Result<Option<T>> {
        for (pattern, value) in patterns {
            if self.searched(pattern.matches(module), module)? {
                return Ok(Some(*value));
            }
        }
        Ok(None)
    }

    /// Whether the adapter has its own copy of a module or of one around it.
    pub(super) fn is_saved(&self, module: &str) -> bool {
        let ends = module.match_indices('.').map(|(at, _)| at);
        let around = ends.chain([module.len()]).map(|end| &module[..end]);
        let mut saved =
            around.filter(|name| self.modules_to_save.iter().any(|m| name.ends_with(m)));
        saved.next().is_some()
    }

    /// Whether PEFT puts an adapter on a module, of which `is_linear` is the kind.
    pub(super) fn targets(&self, module: &str, is_linear: bool) -> Result<bool> {
        self.searched(self.targets.matches(module, is_linear), module)
    }

    fn searched<T>(&self, found: Result<T, String>, module: &str) -> Result<T> {
        found.map_err(|reason| {
            Error::malformed(
                &self.file,
                format!("an expression cannot be searched in `{module}`: {reason}"),
            )
        })
    }
}

/// Values by patterns of names.
fn patterns<T>(
    section: &Section<'_>,
    map: &Map<String, Value>,
    key: &str,
    value: impl Fn(&str, &Value) -> Result<T>,
) -> Result<Vec<(Pattern, T)>> {
    let items = match map.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(items)) if items.len() <= MAX_ITEMS => items,
        Some(_) => {
            return Err(section.refuse(key, format!("an object of at most {MAX_ITEMS} items")));
        }
    };
    let mut patterns = Vec::with_capacity(items.len());
    let mut regexes = 0;
    for (name, item) in items {
        let pattern = Pattern::new(name, Prefix::Modules);
        let pattern = pattern.map_err(|reason| section.refuse(key, expression(&reason)))?;
        if let Pattern::Regex(_) = pattern {
            regexes += name.len();
        }
        if regexes > MAX_REGEXES {
            return Err(section.refuse(key, format!("expressions of at most {MAX_REGEXES} bytes")));
        }
        patterns.push((pattern, value(key, item)?));
    }
    Ok(patterns)
}
