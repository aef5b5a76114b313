//! The list of `--classes FILE`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use florence_export::YoloData;

use crate::failure::Failure;

/// The names of a `data.yaml`, or the lines of any other file.
pub(super) fn read(path: &Path) -> Result<Vec<String>, Failure> {
    let refused =
        |problem: String| Failure::Usage(format!("--classes {}: {problem}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let ending = path.extension().unwrap_or_default();
    let is_yaml = ["yaml", "yml"]
        .iter()
        .any(|yaml| ending.eq_ignore_ascii_case(yaml));
    let names: Vec<String> = if is_yaml {
        let data = YoloData::parse(text).map_err(|error| refused(error.to_string()))?;
        data.names().to_vec()
    } else {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if names.is_empty() {
        return Err(refused("expected one name per line, got none".to_owned()));
    }
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(refused(format!("{twice:?} appears twice"))),
        None => Ok(names),
    }
}
