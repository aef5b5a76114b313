//! Loads the model that the settings name.

use std::path::{Path, PathBuf};

use florence_core::hub::{self, HubOptions, Part};
use florence_tasks::{Device, Error, Florence, InputSize, Precision};

use crate::options::FlorenceOptions;

/// What a model is loaded with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelKey {
    model: String,
    device: String,
    precision: Option<Precision>,
    adapters: Vec<String>,
    processor: Option<String>,
    image_size: Option<InputSize>,
}

impl ModelKey {
    pub(crate) fn of(options: &FlorenceOptions) -> Self {
        Self {
            model: options.model.clone(),
            device: options.device.clone(),
            precision: options.precision,
            adapters: options.adapters.clone(),
            processor: options.processor.clone(),
            image_size: options.image_size,
        }
    }

    /// Loads the model, from the hub after a download where it is not in the cache.
    pub(crate) fn load(&self) -> Result<Florence, Error> {
        let mut builder = Florence::builder().device(self.device.parse::<Device>()?);
        if let Some(precision) = self.precision {
            builder = builder.precision(precision);
        }
        if let Some(size) = self.image_size {
            builder = builder.image_size(size);
        }
        for adapter in &self.adapters {
            builder = builder.adapter(place(adapter, Part::Adapter)?);
        }
        let mut part = Part::Checkpoint;
        if let Some(processor) = &self.processor {
            builder = builder.processor(place(processor, Part::Processor)?);
            part = Part::Network;
        }
        match self.model.as_str() {
            "nano" => builder.nano(),
            model => builder.from_dir(place(model, part)?),
        }
    }
}

/// The folder that is named, or that of a model or adapter on the hub.
fn place(name: &str, part: Part) -> Result<PathBuf, Error> {
    match on_hub(name).filter(|_| !Path::new(name).exists()) {
        None => Ok(name.into()),
        Some((name, revision)) => {
            let options = HubOptions::from_env();
            let options = match revision {
                Some(revision) => options.revision(revision),
                None => options,
            };
            Ok(hub::download_part(name, part, &options)?)
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
