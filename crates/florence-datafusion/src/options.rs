//! The settings: `SET florence.model = '…'` and its neighbors.

use std::any::Any;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::{DataFusionError, Result};
use florence_tasks::{Device, InputSize, Precision};

/// The settings of the functions and of tables of images, which belong to a session: in SQL
/// `SET florence.model = 'microsoft/Florence-2-base-ft'`, in a program this type as an extension of
/// the session's configuration. On a cluster they go to the executors with each query.
///
/// | setting | default | |
/// | --- | --- | --- |
/// | `florence.model` | `nano` | `nano`, the built-in demo model; a checkpoint folder; or a name on the Hugging Face hub, `owner/name` or `owner/name@revision` |
/// | `florence.device` | `cpu` | `cpu`, `cuda`, `cuda:N`, `metal`, `metal:N` or `auto` |
/// | `florence.precision` | of the device | `f32`, `f16`, `bf16` or `q8_0` |
/// | `florence.adapter` | none | LoRA adapters: folders or names on the hub, separated by commas |
/// | `florence.processor` | of the model | a folder or a name on the hub whose tokenizer and image preparation are used instead |
/// | `florence.image_size` | of the model | the size that images are resized to: `N` or `WIDTHxHEIGHT`, in pixels |
/// | `florence.batch` | 8 | questions that are answered together |
/// | `florence.num_beams` | of the checkpoint | beams of the search, 1 to 64 |
/// | `florence.max_new_tokens` | of the checkpoint | length of an answer in tokens, 1 to 4096 |
/// | `florence.exif_orientation` | `false` | whether photos are rotated upright |
/// | `florence.max_megapixels` | 256 | larger images are not decoded |
/// | `florence.max_megabytes` | 64 | larger files are not read (MiB) |
/// | `florence.read_timeout_seconds` | 30 | time for one attempt to read a file |
/// | `florence.read_attempts` | 3 | attempts to read a file when the storage fails |
/// | `florence.read_concurrency` | 16 | files that are read at a time, of all queries of the process |
/// | `florence.read_failure` | `error` | after the last attempt: `error` ends the query (on a cluster, repeats the task), `value` gives an answer with the field `error` |
/// | `florence.cache_megabytes` | 256 | memory for encoded images, so that several questions about an image encode it once (MiB) |
///
/// # Example
///
/// ```
/// use datafusion::prelude::SessionContext;
/// use florence_datafusion::FlorenceOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let ctx = SessionContext::new();
/// florence_datafusion::register(&ctx)?;
/// ctx.sql("SET florence.num_beams = 1").await?;
/// let options = FlorenceOptions::of(ctx.copied_config().options());
/// assert_eq!(options.num_beams, Some(1));
///
/// let error = ctx.sql("SET florence.device = 'gpu'").await.unwrap_err();
/// assert!(error.to_string().contains("expected auto, cpu, cuda"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FlorenceOptions {
    /// The checkpoint: `nano`, a folder, or a name on the hub.
    pub model: String,
    /// The device of the model, by its name: `auto` is decided where the model runs.
    pub device: String,
    /// The precision of the weights.
    pub precision: Option<Precision>,
    /// LoRA adapters: folders, or names on the hub.
    pub adapters: Vec<String>,
    /// A folder or a name on the hub whose tokenizer and image preparation are used.
    pub processor: Option<String>,
    /// The size that images are resized to.
    pub image_size: Option<InputSize>,
    /// Questions that are answered together.
    pub batch: usize,
    /// Beams of the search.
    pub num_beams: Option<usize>,
    /// Length of an answer in tokens.
    pub max_new_tokens: Option<usize>,
    /// Whether photos are rotated upright.
    pub exif_orientation: bool,
    /// Larger images are not decoded.
    pub max_megapixels: u64,
    /// Larger files are not read, in MiB.
    pub max_megabytes: u64,
    /// Time for one attempt to read a file.
    pub read_timeout: Duration,
    /// Attempts to read a file.
    pub read_attempts: usize,
    /// Files that are read at a time.
    pub read_concurrency: usize,
    /// What becomes of a file that the storage does not give.
    pub read_failure: ReadFailure,
    /// Memory for encoded images, in MiB.
    pub cache_megabytes: usize,
}

/// What becomes of a file that the storage does not give after the last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadFailure {
    /// The query ends with an error; a cluster repeats the task.
    #[default]
    Error,
    /// The answer about this file has the field `error`.
    Value,
}

impl FromStr for ReadFailure {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        match name {
            "error" => Ok(Self::Error),
            "value" => Ok(Self::Value),
            _ => Err("expected error or value".to_owned()),
        }
    }
}

impl Default for FlorenceOptions {
    fn default() -> Self {
        Self {
            model: "nano".to_owned(),
            device: "cpu".to_owned(),
            precision: None,
            adapters: Vec::new(),
            processor: None,
            image_size: None,
            batch: 8,
            num_beams: None,
            max_new_tokens: None,
            exif_orientation: false,
            max_megapixels: 256,
            max_megabytes: 64,
            read_timeout: Duration::from_secs(30),
            read_attempts: 3,
            read_concurrency: 16,
            read_failure: ReadFailure::Error,
            cache_megabytes: 256,
        }
    }
}

impl FlorenceOptions {
    /// The settings of a session; the defaults where nothing was registered.
    ///
    /// # Example
    ///
    /// See [`FlorenceOptions`].
    pub fn of(config: &ConfigOptions) -> Self {
        config.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

impl ConfigExtension for FlorenceOptions {
    const PREFIX: &'static str = "florence";
}

impl ExtensionOptions for FlorenceOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "model" if value.is_empty() => {
                return Err(wrong(key, value, "expected nano, a folder or owner/name"));
            }
            "model" => self.model = value.to_owned(),
            "device" => {
                parsed::<Device>(key, value)?;
                self.device = value.to_owned();
            }
            "precision" => self.precision = optional(key, value)?,
            "adapter" => {
                let folders = value.split(',').map(str::trim);
                self.adapters = folders
                    .filter(|dir| !dir.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
            "processor" => self.processor = Some(value.to_owned()).filter(|it| !it.is_empty()),
            "image_size" => self.image_size = optional(key, value)?,
            "batch" => self.batch = within(key, value, 1, 1024)?,
            "num_beams" => self.num_beams = some_within(key, value, 1, 64)?,
            "max_new_tokens" => self.max_new_tokens = some_within(key, value, 1, 4096)?,
            "exif_orientation" => self.exif_orientation = parsed(key, value)?,
            "max_megapixels" => self.max_megapixels = within(key, value, 1, 1000)?,
            "max_megabytes" => self.max_megabytes = within(key, value, 1, 1024)?,
            "read_timeout_seconds" => {
                self.read_timeout = Duration::from_secs(within(key, value, 1, 3600)?);
            }
            "read_attempts" => self.read_attempts = within(key, value, 1, 20)?,
            "read_concurrency" => self.read_concurrency = within(key, value, 1, 1024)?,
            "read_failure" => self.read_failure = parsed(key, value)?,
            "cache_megabytes" => self.cache_megabytes = within(key, value, 0, 1 << 20)?,
            _ => {
                let keys = self.entries().into_iter().map(|entry| entry.key);
                let keys: Vec<String> = keys.collect();
                return Err(DataFusionError::Configuration(format!(
                    "there is no setting florence.{key}: expected one of {}",
                    keys.join(", ")
                )));
            }
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let adapters = Some(self.adapters.join(",")).filter(|adapters| !adapters.is_empty());
        let read_failure = match self.read_failure {
            ReadFailure::Error => "error",
            ReadFailure::Value => "value",
        };
        let some = |value: &dyn Display| Some(value.to_string());
        let or_null = |value: Option<usize>| value.map(|value| value.to_string());
        let entries = [
            (
                "florence.model",
                some(&self.model),
                "nano, a checkpoint folder, or owner/name on the Hugging Face hub",
            ),
            (
                "florence.device",
                some(&self.device),
                "cpu, cuda, cuda:N, metal, metal:N or auto",
            ),
            (
                "florence.precision",
                self.precision.map(|precision| precision.to_string()),
                "f32, f16, bf16 or q8_0",
            ),
            (
                "florence.adapter",
                adapters,
                "LoRA adapters, folders or owner/name on the hub, separated by commas",
            ),
            (
                "florence.processor",
                self.processor.clone(),
                "a folder or owner/name on the hub with tokenizer and image preparation",
            ),
            (
                "florence.image_size",
                self.image_size.map(|size| size.to_string()),
                "the size that images are resized to, N or WIDTHxHEIGHT",
            ),
            (
                "florence.batch",
                some(&self.batch),
                "questions that are answered together",
            ),
            (
                "florence.num_beams",
                or_null(self.num_beams),
                "beams of the search",
            ),
            (
                "florence.max_new_tokens",
                or_null(self.max_new_tokens),
                "length of an answer in tokens",
            ),
            (
                "florence.exif_orientation",
                some(&self.exif_orientation),
                "whether photos are rotated upright",
            ),
            (
                "florence.max_megapixels",
                some(&self.max_megapixels),
                "larger images are not decoded",
            ),
            (
                "florence.max_megabytes",
                some(&self.max_megabytes),
                "larger files are not read (MiB)",
            ),
            (
                "florence.read_timeout_seconds",
                some(&self.read_timeout.as_secs()),
                "time for one attempt to read a file",
            ),
            (
                "florence.read_attempts",
                some(&self.read_attempts),
                "attempts to read a file when the storage fails",
            ),
            (
                "florence.read_concurrency",
                some(&self.read_concurrency),
                "files that are read at a time",
            ),
            (
                "florence.read_failure",
                some(&read_failure),
                "after the last attempt: error or value",
            ),
            (
                "florence.cache_megabytes",
                some(&self.cache_megabytes),
                "memory for encoded images (MiB)",
            ),
        ];
        let entries = entries
            .into_iter()
            .map(|(key, value, description)| ConfigEntry {
                key: key.to_owned(),
                value,
                description,
            });
        entries.collect()
    }
}

fn wrong(key: &str, value: &str, expected: impl Display) -> DataFusionError {
    DataFusionError::Configuration(format!("florence.{key} is {value:?}: {expected}"))
}

fn parsed<T: FromStr<Err: Display>>(key: &str, value: &str) -> Result<T> {
    value.parse().map_err(|error| wrong(key, value, error))
}

/// Nothing for an empty text, which resets a setting.
fn optional<T: FromStr<Err: Display>>(key: &str, value: &str) -> Result<Option<T>> {
    Some(value)
        .filter(|value| !value.is_empty())
        .map(|value| parsed(key, value))
        .transpose()
}

fn within<T: FromStr + PartialOrd + Display>(key: &str, value: &str, min: T, max: T) -> Result<T> {
    match value.parse() {
        Ok(number) if number >= min && number <= max => Ok(number),
        _ => Err(wrong(
            key,
            value,
            format_args!("expected a number from {min} to {max}"),
        )),
    }
}

fn some_within(key: &str, value: &str, min: usize, max: usize) -> Result<Option<usize>> {
    Some(value)
        .filter(|value| !value.is_empty())
        .map(|value| within(key, value, min, max))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_entries_say_can_be_set_again() {
        let mut options = FlorenceOptions::default();
        for (key, value) in [
            ("model", "a/b@c"),
            ("device", "cuda:1"),
            ("precision", "bf16"),
            ("adapter", "x, y"),
            ("processor", "a/b"),
            ("image_size", "64x32"),
            ("batch", "3"),
            ("num_beams", "2"),
            ("max_new_tokens", "7"),
            ("exif_orientation", "true"),
            ("max_megapixels", "9"),
            ("max_megabytes", "8"),
            ("read_timeout_seconds", "5"),
            ("read_attempts", "1"),
            ("read_concurrency", "4"),
            ("read_failure", "value"),
            ("cache_megabytes", "0"),
        ] {
            options.set(key, value).unwrap();
        }
        // As they travel to the executors of a cluster.
        let mut other = FlorenceOptions::default();
        for ConfigEntry { key, value, .. } in options.entries() {
            let key = key.strip_prefix("florence.").unwrap();
            other.set(key, &value.unwrap()).unwrap();
        }
        assert_eq!(other, options);
        assert_eq!(options.entries().len(), 17);
    }

    #[test]
    fn wrong_values_are_refused_with_what_would_be_right() {
        let mut options = FlorenceOptions::default();
        for (key, value, expected) in [
            (
                "batch",
                "0",
                "florence.batch is \"0\": expected a number from 1 to 1024",
            ),
            (
                "read_failure",
                "skip",
                "florence.read_failure is \"skip\": expected error or value",
            ),
            (
                "modell",
                "x",
                "there is no setting florence.modell: expected one of florence.model, ",
            ),
        ] {
            let error = options.set(key, value).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(options, FlorenceOptions::default());
    }
}
