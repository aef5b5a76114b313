//! The modules that PEFT puts an adapter on (`check_target_module_exists`).

use fancy_regex::Regex;
use serde_json::{Map, Value};

use super::pattern::{Pattern, Prefix};
use super::values::{expression, strings};
use crate::Result;
use crate::config::read::Section;

/// `target_modules` and what narrows it.
#[derive(Debug)]
pub(super) struct Targets {
    modules: Modules,
    exclude: Modules,
    layers: Option<Layers>,
}

/// Modules by their names.
#[derive(Debug)]
enum Modules {
    /// The option is absent.
    Unsaid,
    /// Names or their ends, of whole parts.
    Ends(Vec<String>),
    Pattern(Pattern),
    /// `all-linear`, which is not the output head.
    Linear,
}

/// `layers_to_transform`: the layers by number, and the expressions before that number.
#[derive(Debug)]
struct Layers {
    numbers: Vec<u64>,
    before: Vec<Regex>,
}

impl Targets {
    pub(super) fn read(section: &Section<'_>, map: &Map<String, Value>) -> Result<Self> {
        Ok(Targets {
            modules: Modules::read(section, map, "target_modules")?,
            exclude: Modules::read(section, map, "exclude_modules")?,
            layers: Layers::read(section, map)?,
        })
    }

    pub(super) fn matches(&self, module: &str, is_linear: bool) -> Result<bool, String> {
        let excluded = self.exclude.matches(module, is_linear)? == Some(true);
        let layers = match (&self.layers, &self.modules) {
            (Some(layers), Modules::Ends(_)) => layers.matches(module)?,
            _ => true,
        };
        Ok(!excluded && layers && self.modules.matches(module, is_linear)? != Some(false))
    }
}

impl Modules {
    fn read(section: &Section<'_>, map: &Map<String, Value>, key: &str) -> Result<Self> {
        match map.get(key) {
            None | Some(Value::Null) => Ok(Self::Unsaid),
            Some(Value::String(name)) if name.eq_ignore_ascii_case("all-linear") => {
                Ok(Self::Linear)
            }
            Some(Value::String(name)) => match Pattern::new(name, Prefix::Nothing) {
                Ok(pattern) => Ok(Self::Pattern(pattern)),
                Err(reason) => Err(section.refuse(key, expression(&reason))),
            },
            Some(_) => Ok(strings(section, key)?.map_or(Self::Unsaid, Self::Ends)),
        }
    }

    /// `None` when the option is absent.
    fn matches(&self, module: &str, is_linear: bool) -> Result<Option<bool>, String> {
        Ok(Some(match self {
            Self::Unsaid => return Ok(None),
            Self::Linear => is_linear && !module.ends_with("lm_head"),
            Self::Pattern(pattern) => pattern.matches(module)?,
            Self::Ends(ends) => ends.iter().any(|end| {
                let before = module.strip_suffix(end.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }),
        }))
    }
}

impl Layers {
    fn read(section: &Section<'_>, map: &Map<String, Value>) -> Result<Option<Self>> {
        const KEY: &str = "layers_to_transform";
        const PATTERN: &str = "layers_pattern";
        const MAX_PATTERNS: usize = 64;
        let refuse = || section.refuse(KEY, "whole numbers");
        let numbers = match map.get(KEY) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) if items.is_empty() => return Ok(None),
            Some(Value::Array(items)) => items.iter().map(Value::as_u64).collect(),
            Some(one) => one.as_u64().map(|one| vec![one]),
        };
        let numbers = numbers.ok_or_else(refuse)?;
        let patterns = strings(section, PATTERN)?.unwrap_or_default();
        if patterns.len() > MAX_PATTERNS {
            return Err(section.refuse(PATTERN, format!("at most {MAX_PATTERNS} expressions")));
        }
        let before = patterns
            .iter()
            .filter(|pattern| !pattern.is_empty())
            .map(|pattern| {
                Pattern::regex(pattern, r"\A(?:|.*?\.)(?:", r")\.(?P<layer>\d+)\.")
                    .map_err(|reason| section.refuse(PATTERN, expression(&reason)))
            });
        Ok(Some(Layers {
            numbers,
            before: before.collect::<Result<_>>()?,
        }))
    }

    fn matches(&self, module: &str) -> Result<bool, String> {
        let number = if self.before.is_empty() {
            first_number(module)
        } else {
            let mut number = None;
            for regex in &self.before {
                let found = regex.captures(module).map_err(|e| e.to_string())?;
                if let Some(found) = found.and_then(|found| found.name("layer")) {
                    number = found.as_str().parse().ok();
                    break;
                }
            }
            number
        };
        Ok(number.is_some_and(|number| self.numbers.contains(&number)))
    }
}

/// The first part that is a number, with two or more before it and one behind.
fn first_number(module: &str) -> Option<u64> {
    let parts: Vec<&str> = module.split('.').collect();
    let numbers = parts.get(2..parts.len().checked_sub(1)?)?.iter();
    let mut numbers = numbers.filter(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_digit()));
    numbers.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn targets(settings: Value) -> Targets {
        let map = settings.as_object().unwrap();
        Targets::read(&Section::new("f", map), map).unwrap()
    }

    #[test]
    fn lists_expressions_and_all_linear_layers() {
        let fc2 = "language_model.model.decoder.layers.1.fc2";
        for (settings, expected) in [
            (json!({}), true),
            (json!({"target_modules": null}), true),
            (json!({"target_modules": ["q_proj", "fc2"]}), true),
            (json!({"target_modules": ["c2"]}), false),
            (json!({"target_modules": []}), false),
            (json!({"target_modules": "fc2"}), false),
            (json!({"target_modules": ".*fc2"}), true),
            (json!({"target_modules": "all-linear"}), true),
            (
                json!({"target_modules": ["fc2"], "exclude_modules": ["layers.1.fc2"]}),
                false,
            ),
            (
                json!({"target_modules": ["fc2"], "exclude_modules": ".*encoder.*"}),
                true,
            ),
            (
                json!({"target_modules": ["fc2"], "layers_to_transform": [1]}),
                true,
            ),
            (
                json!({"target_modules": ["fc2"], "layers_to_transform": 0}),
                false,
            ),
            (
                json!({"target_modules": ["fc2"], "layers_to_transform": 1, "layers_pattern": "layers"}),
                true,
            ),
            (
                json!({"target_modules": ["fc2"], "layers_to_transform": 1, "layers_pattern": ["h", "blocks"]}),
                false,
            ),
            (
                json!({"target_modules": ["fc2"], "layers_to_transform": []}),
                true,
            ),
        ] {
            let found = targets(settings.clone()).matches(fc2, true).unwrap();
            assert_eq!(found, expected, "{settings}");
        }
        let all = targets(json!({"target_modules": "all-linear"}));
        assert!(!all.matches("language_model.lm_head", true).unwrap());
        assert!(!all.matches("vision_tower.convs.0.proj", false).unwrap());
    }

    #[test]
    fn the_number_of_a_layer() {
        assert_eq!(
            first_number("vision_tower.blocks.2.8.spatial_block"),
            Some(2)
        );
        assert_eq!(first_number("a.b.c.3.fc"), Some(3));
        for none in ["a.1.fc", "1.2", "", "a.b.7", "a.b.x1.fc"] {
            assert_eq!(first_number(none), None, "{none}");
        }
    }
}
