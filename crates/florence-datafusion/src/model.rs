//! Loads the model that the settings name.

use std::path::{Path, PathBuf};

use florence_tasks::{Device, Error, Florence, HubOptions, Precision};

use crate::options::FlorenceOptions;

/// What a model is loaded with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelKey {
    model: String,
    device: String,
    precision: Option<Precision>,
    adapters: Vec<PathBuf>,
}

impl ModelKey {
    pub(crate) fn of(options: &FlorenceOptions) -> Self {
        Self {
            model: options.model.clone(),
            device: options.device.clone(),
            precision: options.precision,
            adapters: options.adapters.clone(),
        }
    }

    /// Loads the model, from the hub after a download where it is not in the cache.
    pub(crate) fn load(&self) -> Result<Florence, Error> {
        let device: Device = self.device.parse()?;
        let builder = Florence::builder().device(device);
        let builder = self
            .adapters
            .iter()
            .fold(builder, |builder, dir| builder.adapter(dir));
        let builder = match self.precision {
            Some(precision) => builder.precision(precision),
            None => builder,
        };
        if self.model == "nano" {
            return builder.nano();
        }
        match on_hub(&self.model).filter(|_| !Path::new(&self.model).exists()) {
            Some((name, Some(revision))) => {
                let options = HubOptions::from_env().revision(revision);
                builder.hub_options(options).from_hub(name)
            }
            Some((name, None)) => builder.from_hub(name),
            None => builder.from_dir(&self.model),
        }
    }
}

/// The name and revision of `owner/name` or `owner/name@revision`.
fn on_hub(text: &str) -> Option<(&str, Option<&str>)> {
    let (name, revision) = match text.split_once('@') {
        Some((name, revision)) => (name, Some(revision)),
        None => (text, None),
    };
    let (owner, model) = name.split_once('/')?;
    let is_name = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain)
    };
    let is_hub = is_name(owner) && is_name(model) && revision != Some("");
    is_hub.then_some((name, revision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_are_a_name_of_the_hub() {
        assert_eq!(on_hub("a/b"), Some(("a/b", None)));
        assert_eq!(on_hub("a/b@refs/pr/6"), Some(("a/b", Some("refs/pr/6"))));
        for folder in ["./a", "/a", "a/b/c", "a", "a/b@"] {
            assert_eq!(on_hub(folder), None, "{folder}");
        }
    }
}
