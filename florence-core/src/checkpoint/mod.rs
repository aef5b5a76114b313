//! Opening checkpoints: configuration, tokenizer and weights together, checked
//! against each other before anything is computed.

mod adapter;
mod changes;
pub(crate) mod content;
mod expected;
mod file_names;
mod folder;
mod header;
mod layout;
mod names;
mod options;
mod pickle;
mod place;
pub(crate) mod quantized;
mod source;
mod surroundings;
mod weights;

use std::borrow::Cow;
use std::path::Path;

pub use expected::{ExpectedTensor, expected_tensors};

pub(crate) use file_names::SINGLE;
#[cfg(feature = "hub")]
pub(crate) use file_names::{INDEX, PICKLE, PICKLE_INDEX};
#[cfg(feature = "hub")]
pub(crate) use folder::shard_names;
pub use layout::Layout;
pub use options::CheckpointOptions;
pub(crate) use weights::{Files, Parameter, Weights};

use crate::tokenizer::VocabFiles;
use crate::{Config, InputSize, Result, Tokenizer};
use source::Source;

/// The files of a checkpoint, in memory.
///
/// # Example: files compiled into a program
///
/// ```no_run
/// # fn main() -> Result<(), florence_core::Error> {
/// # static CONFIG: &[u8] = b""; static TOKENIZER: &[u8] = b""; static WEIGHTS: &[u8] = b"";
/// use florence_core::{Checkpoint, CheckpointBytes};
///
/// // include_bytes!("…/config.json"), …/tokenizer.json and …/model.safetensors
/// let checkpoint = Checkpoint::from_bytes(CheckpointBytes::new(CONFIG, TOKENIZER, WEIGHTS))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CheckpointBytes {
    pub(crate) config: Cow<'static, [u8]>,
    pub(crate) tokenizer: Cow<'static, [u8]>,
    pub(crate) weights: Cow<'static, [u8]>,
    pub(crate) added_tokens: Option<Cow<'static, [u8]>>,
    pub(crate) preprocessor_config: Option<Cow<'static, [u8]>>,
    pub(crate) generation_config: Option<Cow<'static, [u8]>>,
}

impl CheckpointBytes {
    /// `config.json`, `tokenizer.json`, and `model.safetensors` or `pytorch_model.bin` in f64, f32,
    /// f16 or bf16.
    ///
    /// # Example
    ///
    /// See [`CheckpointBytes`].
    pub fn new(
        config: impl Into<Cow<'static, [u8]>>,
        tokenizer: impl Into<Cow<'static, [u8]>>,
        weights: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        Self {
            config: config.into(),
            tokenizer: tokenizer.into(),
            weights: weights.into(),
            added_tokens: None,
            preprocessor_config: None,
            generation_config: None,
        }
    }

    /// With `added_tokens.json`, which saved fine-tunes have.
    ///
    /// # Example
    ///
    /// See [`CheckpointBytes`].
    #[must_use]
    pub fn added_tokens(mut self, json: impl Into<Cow<'static, [u8]>>) -> Self {
        self.added_tokens = Some(json.into());
        self
    }

    /// With `preprocessor_config.json`, or a `processor_config.json` with an `image_processor` part.
    /// Without it images are prepared as for the published checkpoints.
    ///
    /// # Example
    ///
    /// See [`CheckpointBytes`].
    #[must_use]
    pub fn preprocessor_config(mut self, json: impl Into<Cow<'static, [u8]>>) -> Self {
        self.preprocessor_config = Some(json.into());
        self
    }

    /// With `generation_config.json`; see
    /// [`GenerationDefaults`](crate::config::GenerationDefaults) for what it decides.
    ///
    /// # Example
    ///
    /// See [`CheckpointBytes`].
    #[must_use]
    pub fn generation_config(mut self, json: impl Into<Cow<'static, [u8]>>) -> Self {
        self.generation_config = Some(json.into());
        self
    }
}

/// A checkpoint that was opened and validated, but not yet loaded.
///
/// Opening reads the small files and the header of the weights: every tensor that the configuration
/// requires is there, with the right shape and a floating-point type. The values are read when the
/// network is built.
///
/// # Example: open a folder
///
/// ```no_run
/// use florence_core::Checkpoint;
///
/// let checkpoint = Checkpoint::from_dir("Florence-2-base-ft")?;
/// println!("{:?}, {} parameters", checkpoint.layout(), checkpoint.parameter_count());
/// for warning in checkpoint.warnings() {
///     eprintln!("{warning}");
/// }
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(crate) config: Config,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) weights: Weights,
    pub(crate) warnings: Vec<String>,
}

impl Checkpoint {
    /// Opens a folder with `config.json`, `tokenizer.json` (or `vocab.json` and
    /// `merges.txt`) and `model.safetensors` (or `model.safetensors.index.json`
    /// and its files, or `pytorch_model.bin`, of which nothing is executed, or
    /// the only file of weights whatever its name);
    /// `preprocessor_config.json` (or `processor_config.json`),
    /// `added_tokens.json` and `generation_config.json` are read if present.
    ///
    /// Wrappers of training tools around names (`module.`, `_orig_mod.`, `base_model.model.`) or
    /// around the whole (`model_state_dict`) are removed. An output head that is not the embedding
    /// table is used as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) when the folder or a file cannot be read,
    /// [`Error::MissingFile`](crate::Error::MissingFile) when a file is missing, and what
    /// [`Checkpoint::from_bytes`] refuses.
    ///
    /// # Example
    ///
    /// ```
    /// let error = florence_core::Checkpoint::from_dir("no/such/folder").unwrap_err();
    /// assert!(error.to_string().starts_with("no/such/folder: "));
    /// ```
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        Self::from_dir_with(dir, &CheckpointOptions::default())
    }

    /// As [`Checkpoint::from_dir`], with the processor of another folder, or images of another size.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::from_dir`]; [`Error::Argument`](crate::Error::Argument) for an image size
    /// that the network cannot take.
    ///
    /// # Example
    ///
    /// See [`CheckpointOptions`].
    pub fn from_dir_with(dir: impl AsRef<Path>, options: &CheckpointOptions) -> Result<Self> {
        let dir = dir.as_ref();
        surroundings::check_folder(dir)?;
        let config =
            folder::optional(dir, "config.json")?.ok_or_else(|| surroundings::no_config(dir))?;
        let map = Config::identify(&config)?;
        let weights = folder::has_weights(dir)?;
        if !weights && surroundings::is_something_else(dir) {
            return Err(surroundings::no_weights(dir));
        }
        if let Some(processor) = &options.processor {
            surroundings::check_folder(processor)?;
        }
        let processor = options.processor.as_deref().unwrap_or(dir);
        let tokenizer = tokenizer_of(processor)?.ok_or_else(|| match options.processor {
            Some(_) => surroundings::no_tokenizer_of_processor(processor),
            None => surroundings::no_tokenizer(dir, &map, weights),
        })?;
        let preprocessor = match image_processor(processor)? {
            None if options.processor.is_some() => image_processor(dir)?,
            found => found,
        };
        if !weights {
            return Err(surroundings::no_weights(dir));
        }
        let generation = folder::optional(dir, "generation_config.json")?;
        let config = Config::read(
            &config,
            preprocessor.as_deref(),
            generation.as_deref(),
            options.image_size,
        )?;
        let weights = Weights::match_up(folder::weights(dir)?, &config)?;
        let mut opened = Self::assemble(config, tokenizer, weights, preprocessor.is_some())?;
        if dir.join("adapter_config.json").exists() {
            opened.warnings.push(
                "adapter_config.json: an adapter lies beside the model and is not applied unless its \
                 folder is given as an adapter too"
                    .to_owned(),
            );
        }
        Ok(opened)
    }

    /// Opens a checkpoint whose files are in memory.
    ///
    /// # Errors
    ///
    /// What [`Config::from_json`] and [`Tokenizer::from_parts`] refuse;
    /// [`Error::Malformed`](crate::Error::Malformed) for weights that are cut
    /// off, corrupt or not Florence-2's;
    /// [`Error::MissingTensors`](crate::Error::MissingTensors),
    /// [`Error::TensorShape`](crate::Error::TensorShape) and
    /// [`Error::TensorDtype`](crate::Error::TensorDtype) for weights that are
    /// not the configuration's.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, CheckpointBytes};
    ///
    /// let empty = b"".as_slice();
    /// let error = Checkpoint::from_bytes(CheckpointBytes::new(empty, empty, empty)).unwrap_err();
    /// assert!(error.to_string().starts_with("config.json: not valid JSON"));
    /// ```
    pub fn from_bytes(bytes: CheckpointBytes) -> Result<Self> {
        let preprocessor = bytes.preprocessor_config.as_deref();
        let config = Config::from_json(
            &bytes.config,
            preprocessor,
            bytes.generation_config.as_deref(),
        )?;
        let opened = folder::single(Source::bytes(SINGLE, bytes.weights))?;
        let weights = Weights::match_up(opened, &config)?;
        let tokenizer = Tokenizer::from_parts(&bytes.tokenizer, bytes.added_tokens.as_deref())?;
        Self::assemble(config, tokenizer, weights, preprocessor.is_some())
    }

    /// The same checkpoint with a LoRA adapter, as PEFT saves it: a folder with
    /// `adapter_config.json` and `adapter_model.safetensors` (or `adapter_model.bin`).
    ///
    /// The network gives the answers of PEFT's model with that adapter active. Names may be those of
    /// Microsoft's remote code or of transformers' own class, whatever the layout of the checkpoint.
    /// Linear layers, patch embeddings and token tables may be adapted, the output head by itself;
    /// trained biases and whole modules (`modules_to_save`) are used. With several calls adapters are
    /// added in that order.
    ///
    /// The files of the checkpoint stay open and their headers are not read again, so a program can
    /// keep one `Checkpoint` and load it with one adapter after another; networks of it can share what
    /// no adapter changes, see [`Florence2::load_sharing`](crate::Florence2::load_sharing). See also
    /// [`LoadOptions::adapter`](crate::LoadOptions::adapter).
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) and [`Error::MissingFile`](crate::Error::MissingFile) for the
    /// folder; [`Error::Config`](crate::Error::Config) for other methods than LoRA and for options
    /// that change numbers in other ways (DoRA, `pissa` …);
    /// [`Error::AdapterShape`](crate::Error::AdapterShape) for an adapter of another base;
    /// [`Error::Malformed`](crate::Error::Malformed) for tensors that fit no parameter or lack their
    /// other half.
    ///
    /// # Example: one checkpoint, two networks
    ///
    /// ```
    /// use florence_core::{Checkpoint, Florence2};
    ///
    /// let base = Checkpoint::from_dir("tests/goldens/plain")?;
    /// let adapted = base.with_adapter("tests/goldens/adapters/layers")?;
    /// let (base, adapted) = (Florence2::load(base)?, Florence2::load(adapted)?);
    ///
    /// let error = Checkpoint::from_dir("tests/goldens/plain")?.with_adapter("tests").unwrap_err();
    /// assert!(error.to_string().starts_with("tests: no adapter_config.json in this folder"));
    /// assert_eq!(base.parameter_count(), adapted.parameter_count());
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn with_adapter(&self, dir: impl AsRef<Path>) -> Result<Self> {
        let mut warnings = self.warnings.clone();
        let changes = adapter::apply(dir.as_ref(), &self.weights, &self.config, &mut warnings)?;
        Ok(Checkpoint {
            weights: self.weights.with_changes(changes),
            warnings,
            ..self.clone()
        })
    }

    /// The same checkpoint for images that are resized to another size.
    ///
    /// # Errors
    ///
    /// As [`Config::with_image_size`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, InputSize};
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// let small = checkpoint.with_image_size(InputSize::square(64))?;
    /// assert_eq!(small.config().image.resize, Some(InputSize::square(64)));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn with_image_size(&self, size: InputSize) -> Result<Self> {
        let config = self.config.clone().with_image_size(size)?;
        Ok(Checkpoint {
            config,
            ..self.clone()
        })
    }

    fn assemble(
        config: Config,
        tokenizer: Tokenizer,
        weights: Weights,
        has_preprocessor: bool,
    ) -> Result<Self> {
        let mut warnings = config.warnings.clone();
        warnings.extend_from_slice(weights.warnings());
        if !has_preprocessor {
            warnings.push(
                "no preprocessor_config.json: images are prepared as for the published checkpoints"
                    .to_owned(),
            );
        }
        tokenizer.check_against(&config.text, &mut warnings)?;
        Ok(Checkpoint {
            config,
            tokenizer,
            weights,
            warnings,
        })
    }

    /// The configuration.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Checkpoint;
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// assert_eq!(checkpoint.config().text.d_model, 32);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The tokenizer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Checkpoint;
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// assert_eq!(checkpoint.tokenizer().token_id("</s>"), Some(2));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The naming scheme of the tensors.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Layout};
    ///
    /// assert_eq!(Checkpoint::from_dir("tests/goldens/plain")?.layout(), Layout::Native);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn layout(&self) -> Layout {
        self.weights.layout()
    }

    /// Number of parameters, tied ones counted once, a separate head too: 231,414,016 for
    /// Florence-2-base.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Checkpoint;
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// assert!(checkpoint.parameter_count() > 100_000);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn parameter_count(&self) -> usize {
        self.weights.parameter_count()
    }

    /// Warnings about irregularities in the files that could be resolved, one sentence each.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Checkpoint;
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// assert!(checkpoint.warnings().is_empty());
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The tokenizer of a folder; `None` when its files are missing.
fn tokenizer_of(dir: &Path) -> Result<Option<Tokenizer>> {
    let added = folder::optional(dir, "added_tokens.json")?;
    if let Some(tokenizer) = folder::optional(dir, "tokenizer.json")? {
        return Tokenizer::from_parts(&tokenizer, added.as_deref()).map(Some);
    }
    let vocab = folder::optional(dir, "vocab.json")?;
    let merges = folder::optional(dir, "merges.txt")?;
    let (Some(vocab), Some(merges)) = (vocab, merges) else {
        return Ok(None);
    };
    let files = VocabFiles {
        vocab,
        merges,
        added,
        config: folder::optional(dir, "tokenizer_config.json")?,
        special: folder::optional(dir, "special_tokens_map.json")?,
    };
    Tokenizer::from_vocab(&files).map(Some)
}

/// The image preparation: Microsoft's `processor_config.json` does not have it, recent versions of
/// transformers save nothing else.
fn image_processor(dir: &Path) -> Result<Option<Vec<u8>>> {
    if let Some(file) = folder::optional(dir, "preprocessor_config.json")? {
        return Ok(Some(file));
    }
    const FILE: &str = "processor_config.json";
    let Some(file) = folder::optional(dir, FILE)? else {
        return Ok(None);
    };
    let map = crate::config::read::parse_object(FILE, &file)?;
    Ok(map.contains_key("image_processor").then_some(file))
}
