//! Where models come from.

use std::path::Path;

#[cfg(feature = "hub")]
use florence_core::hub::HubOptions;
use florence_core::{Checkpoint, CheckpointBytes, Florence2, LoadOptions};

use crate::error::Result;
use crate::florence::Florence;

impl Florence {
    /// Loads a checkpoint from a folder, as the hub has them: `config.json`, `tokenizer.json`,
    /// `model.safetensors`, and the optional files beside them.
    ///
    /// # Errors
    ///
    /// Whatever [`Checkpoint::from_dir`] and [`Florence2::load`] refuse; the message names the
    /// file and what would be right.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use florence_tasks::Florence;
    ///
    /// let florence = Florence::from_dir("Florence-2-base-ft")?;
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        Self::from_dir_with(dir, &LoadOptions::default())
    }

    /// As [`Florence::from_dir`], with options.
    ///
    /// # Errors
    ///
    /// As [`Florence::from_dir`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, LoadOptions, Precision};
    ///
    /// let options = LoadOptions { precision: Precision::Q8_0 };
    /// let florence = Florence::from_dir_with("../florence-nano", &options)?;
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn from_dir_with(dir: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        Self::from_checkpoint_with(Checkpoint::from_dir(dir)?, options)
    }

    /// Loads a checkpoint whose files are in memory. For options, see
    /// [`Florence::from_checkpoint_with`].
    ///
    /// # Errors
    ///
    /// Whatever [`Checkpoint::from_bytes`] and [`Florence2::load`] refuse.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CheckpointBytes, Florence};
    ///
    /// let error = Florence::from_bytes(CheckpointBytes::default()).unwrap_err();
    /// assert!(error.to_string().starts_with("config.json: "));
    /// ```
    pub fn from_bytes(bytes: CheckpointBytes) -> Result<Self> {
        Self::from_checkpoint(Checkpoint::from_bytes(bytes)?)
    }

    /// Loads a checkpoint that was opened already.
    ///
    /// # Errors
    ///
    /// Whatever [`Florence2::load`] refuses.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use florence_tasks::{Checkpoint, Florence};
    ///
    /// let checkpoint = Checkpoint::from_dir("Florence-2-base-ft")?;
    /// println!("{} parameters", checkpoint.parameter_count());
    /// let florence = Florence::from_checkpoint(checkpoint)?;
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Result<Self> {
        Self::from_checkpoint_with(checkpoint, &LoadOptions::default())
    }

    /// As [`Florence::from_checkpoint`], with options: a [`Checkpoint`] opens whatever can be
    /// loaded, from a folder, from memory or from the hub.
    ///
    /// # Errors
    ///
    /// As [`Florence::from_checkpoint`].
    ///
    /// # Example: weights of a quarter of the size
    ///
    /// ```
    /// use florence_tasks::{Checkpoint, Florence, LoadOptions, Precision};
    ///
    /// let checkpoint = Checkpoint::from_dir("../florence-nano")?;
    /// let options = LoadOptions { precision: Precision::Q8_0 };
    /// let florence = Florence::from_checkpoint_with(checkpoint, &options)?;
    /// assert_eq!(florence.model().precision(), Precision::Q8_0);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn from_checkpoint_with(checkpoint: Checkpoint, options: &LoadOptions) -> Result<Self> {
        Ok(Self::from_model(Florence2::load_with(checkpoint, options)?))
    }

    /// Loads the small model that ships with the workspace: coloured shapes and printed words at
    /// 128 × 128 pixels. For first steps and tests; it knows nothing of the real world.
    ///
    /// # Errors
    ///
    /// None in a workspace that is whole.
    ///
    /// # Example
    ///
    /// ```
    /// let florence = florence_tasks::Florence::nano()?;
    /// assert!(florence.model().parameter_count() < 5_000_000);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[cfg(feature = "nano")]
    pub fn nano() -> Result<Self> {
        Self::nano_with(&LoadOptions::default())
    }

    /// As [`Florence::nano`], with options.
    ///
    /// # Errors
    ///
    /// None in a workspace that is whole.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence, LoadOptions, Precision};
    ///
    /// let florence = Florence::nano_with(&LoadOptions { precision: Precision::Q8_0 })?;
    /// println!("{}", florence.run(Caption, &image::open("tests/data/scene.png")?)?.text);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "nano")]
    pub fn nano_with(options: &LoadOptions) -> Result<Self> {
        let checkpoint = Checkpoint::from_bytes(CheckpointBytes {
            config: florence_nano::CONFIG.into(),
            tokenizer: florence_nano::TOKENIZER.into(),
            added_tokens: None,
            preprocessor_config: Some(florence_nano::PREPROCESSOR_CONFIG.into()),
            generation_config: Some(florence_nano::GENERATION_CONFIG.into()),
            weights: florence_nano::WEIGHTS.into(),
        })?;
        Self::from_checkpoint_with(checkpoint, options)
    }

    /// Loads a checkpoint by its name on the Hugging Face hub: downloaded once, then taken from the
    /// usual cache. The environment decides as it does for other programs (`HF_HOME`, `HF_TOKEN`,
    /// `HF_HUB_OFFLINE` …). For load options, give `Checkpoint::from_hub(name)?` to
    /// [`Florence::from_checkpoint_with`].
    ///
    /// # Errors
    ///
    /// Whatever [`Checkpoint::from_hub`] and [`Florence2::load`] refuse.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use florence_tasks::Florence;
    ///
    /// let florence = Florence::from_hub("microsoft/Florence-2-base-ft")?;
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[cfg(feature = "hub")]
    pub fn from_hub(name: &str) -> Result<Self> {
        Self::from_checkpoint(Checkpoint::from_hub(name)?)
    }

    /// Loads a checkpoint from the hub, with a revision, a cache, offline mode or a watcher of one's
    /// own.
    ///
    /// # Errors
    ///
    /// As [`Florence::from_hub`].
    ///
    /// # Example: what is not in the cache is not there
    ///
    /// ```
    /// use florence_tasks::{Florence, HubOptions};
    ///
    /// let mut options = HubOptions::from_env();
    /// options.offline = true;
    /// options.cache_dir = Some("no/such/cache".into());
    /// assert!(Florence::from_hub_with("microsoft/Florence-2-base", &options).is_err());
    /// ```
    #[cfg(feature = "hub")]
    pub fn from_hub_with(name: &str, options: &HubOptions) -> Result<Self> {
        Self::from_checkpoint(Checkpoint::from_hub_with(name, options)?)
    }
}
