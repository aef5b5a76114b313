//! Lists and expressions in the settings of adapters.

use serde_json::Value;

use crate::Result;
use crate::config::read::Section;

/// Maximum number of modules that a list names, or of patterns.
pub(super) const MAX_ITEMS: usize = 4096;

/// A list of names; a lone name counts as one.
pub(super) fn strings(section: &Section<'_>, key: &str) -> Result<Option<Vec<String>>> {
    let refuse = || section.refuse(key, format!("a list of at most {MAX_ITEMS} names"));
    match section.value(key) {
        None => Ok(None),
        Some(Value::String(name)) => Ok(Some(vec![name.clone()])),
        Some(Value::Array(items)) if items.len() <= MAX_ITEMS => {
            let names = items.iter().map(|item| item.as_str().map(str::to_owned));
            names.collect::<Option<_>>().map(Some).ok_or_else(refuse)
        }
        Some(_) => Err(refuse()),
    }
}

/// What would be right in place of an expression that cannot be used.
pub(super) fn expression(reason: &str) -> String {
    format!("regular expressions ({})", reason.trim())
}
