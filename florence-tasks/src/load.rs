//! Loading of models, and the options for it.

use std::path::{Path, PathBuf};

#[cfg(feature = "hub")]
use florence_core::hub::{self, HubOptions, Part};
use florence_core::{
    Checkpoint, CheckpointBytes, CheckpointOptions, Device, Florence2, InputSize, LoadOptions,
    Precision,
};

use crate::error::{Error, Result};
use crate::florence::Florence;

/// Options for loading a model: device, precision, adapters, processor, image size, busy-waiting, and
/// access to the hub.
///
/// # Example: 8-bit weights
///
/// ```
/// use florence_tasks::{Device, Florence, Precision};
///
/// let florence = Florence::builder()
///     .device(Device::Cpu)
///     .precision(Precision::Q8_0)
///     .from_dir("../crates/florence-nano")?;
/// assert_eq!(florence.model().precision(), Precision::Q8_0);
/// # Ok::<(), florence_tasks::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FlorenceBuilder {
    options: LoadOptions,
    checkpoint: CheckpointOptions,
    #[cfg(feature = "hub")]
    hub: Option<HubOptions>,
}

impl FlorenceBuilder {
    /// The device that the model runs on; by default the CPU.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Device, Florence};
    ///
    /// let device: Device = "auto".parse()?;
    /// let florence = Florence::builder().device(device).from_dir("../crates/florence-nano")?;
    /// assert_eq!(florence.model().device(), device);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.options = self.options.device(device);
        self
    }

    /// The precision of the weights; by default `f32`, and `bf16` on CUDA.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Precision};
    ///
    /// let florence = Florence::builder().precision(Precision::F32).from_dir("../crates/florence-nano")?;
    /// assert_eq!(florence.model().precision(), Precision::F32);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.options = self.options.precision(precision);
        self
    }

    /// Whether idle threads busy-wait, instead of sleeping, while a single answer is generated on
    /// the CPU; by default they do.
    ///
    /// # Example: an application that shares its threads
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let florence = Florence::builder().busy_wait(false).from_dir("../crates/florence-nano")?;
    /// let caption = florence.run(Caption, &image::open("tests/data/scene.png")?)?;
    /// assert!(!caption.value.text.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn busy_wait(mut self, busy_wait: bool) -> Self {
        self.options = self.options.busy_wait(busy_wait);
        self
    }

    /// Adds a LoRA adapter, the folder that PEFT's `save_pretrained` writes; with several calls
    /// adapters are added in that order. To switch between adapters, see [`Florence::load_sharing`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// let adapted = Florence::builder()
    ///     .adapter("../florence-core/tests/goldens/adapters/layers")
    ///     .from_dir("../florence-core/tests/goldens/plain");
    /// assert!(adapted.is_ok());
    ///
    /// let error = Florence::builder().adapter("no/such/folder").from_dir("../crates/florence-nano");
    /// assert_eq!(error.unwrap_err().to_string(), "no/such/folder: no such folder");
    /// ```
    #[must_use]
    pub fn adapter(mut self, dir: impl AsRef<Path>) -> Self {
        self.options = self.options.adapter(dir);
        self
    }

    /// The folders of the adapters, in their order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// let builder = Florence::builder().adapter("style");
    /// assert_eq!(builder.get_adapters(), [std::path::Path::new("style")]);
    /// ```
    pub fn get_adapters(&self) -> &[PathBuf] {
        self.options.get_adapters()
    }

    /// Takes tokenizer and image preparation from this folder, as `AutoProcessor.from_pretrained` of
    /// another model does in Python: some fine-tunes are published without. Where it has no
    /// `preprocessor_config.json`, the checkpoint's is used. For [`from_dir`](FlorenceBuilder::from_dir)
    /// and `from_hub`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// let florence = Florence::builder()
    ///     .processor("../crates/florence-nano")
    ///     .from_dir("../crates/florence-nano")?;
    ///
    /// let error = Florence::builder().processor("no/such/folder").from_dir("../crates/florence-nano");
    /// assert_eq!(error.unwrap_err().to_string(), "no/such/folder: no such folder");
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn processor(mut self, dir: impl AsRef<Path>) -> Self {
        self.checkpoint = self.checkpoint.processor(dir);
        self
    }

    /// Resizes images to this size instead of that of the checkpoint, in pixels: smaller is faster,
    /// and right for a fine-tune that was trained so. Boxes stay in pixels of the original image.
    ///
    /// # Example: small crops
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence, InputSize};
    ///
    /// let florence = Florence::builder()
    ///     .image_size(InputSize::square(64))
    ///     .from_dir("../crates/florence-nano")?;
    /// let encoded = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// // 4 × 4 positions, and their mean; of 128 × 128 pixels it would be 65.
    /// assert_eq!(encoded.features().tokens(), 17);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn image_size(mut self, size: InputSize) -> Self {
        self.checkpoint = self.checkpoint.image_size(size);
        self
    }

    /// How [`FlorenceBuilder::from_hub`] uses the hub: a revision, a cache, offline mode or a
    /// progress callback. By default the environment decides.
    ///
    /// # Example: offline, with an empty cache
    ///
    /// ```
    /// use florence_tasks::{Florence, HubOptions};
    ///
    /// let options = HubOptions::from_env().offline(true).cache_dir("no/such/cache");
    /// let builder = Florence::builder().hub_options(options);
    /// assert!(builder.from_hub("microsoft/Florence-2-base").is_err());
    /// ```
    #[cfg(feature = "hub")]
    #[must_use]
    pub fn hub_options(mut self, options: HubOptions) -> Self {
        self.hub = Some(options);
        self
    }

    /// As [`Florence::from_dir`].
    ///
    /// # Errors
    ///
    /// As [`Florence::from_dir`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// assert!(Florence::builder().from_dir("../crates/florence-nano").is_ok());
    /// assert!(Florence::builder().from_dir("no/such/folder").is_err());
    /// ```
    pub fn from_dir(&self, dir: impl AsRef<Path>) -> Result<Florence> {
        self.loaded(Checkpoint::from_dir_with(dir, &self.checkpoint)?)
    }

    /// As [`Florence::from_bytes`].
    ///
    /// # Errors
    ///
    /// As [`Florence::from_bytes`], and a [`processor`](FlorenceBuilder::processor).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CheckpointBytes, Florence};
    ///
    /// let empty = b"".as_slice();
    /// let bytes = CheckpointBytes::new(empty, empty, empty);
    /// assert!(Florence::builder().from_bytes(bytes).is_err());
    /// ```
    pub fn from_bytes(&self, bytes: CheckpointBytes) -> Result<Florence> {
        self.from_checkpoint(Checkpoint::from_bytes(bytes)?)
    }

    /// As [`Florence::from_checkpoint`].
    ///
    /// # Errors
    ///
    /// As [`Florence::from_checkpoint`], and a [`processor`](FlorenceBuilder::processor).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Checkpoint, Florence};
    ///
    /// let checkpoint = Checkpoint::from_dir("../crates/florence-nano")?;
    /// assert!(Florence::builder().from_checkpoint(checkpoint).is_ok());
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn from_checkpoint(&self, checkpoint: Checkpoint) -> Result<Florence> {
        if let Some(dir) = self.checkpoint.get_processor() {
            return Err(Error::Core(florence_core::Error::Argument {
                argument: "processor",
                found: dir.display().to_string(),
                expected: "none: these files have a tokenizer".to_owned(),
            }));
        }
        self.loaded(match self.checkpoint.get_image_size() {
            Some(size) => checkpoint.with_image_size(size)?,
            None => checkpoint,
        })
    }

    fn loaded(&self, checkpoint: Checkpoint) -> Result<Florence> {
        let model = Florence2::load_with(checkpoint, &self.options)?;
        Ok(Florence::from_model(model))
    }

    /// As [`Florence::nano`].
    ///
    /// # Errors
    ///
    /// When the device or the precision is not available.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence, Precision};
    ///
    /// let florence = Florence::builder().precision(Precision::Q8_0).nano()?;
    /// let caption = florence.run(Caption, &image::open("tests/data/scene.png")?)?;
    /// assert!(!caption.value.text.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "nano")]
    pub fn nano(&self) -> Result<Florence> {
        let files = CheckpointBytes::new(
            florence_nano::CONFIG,
            florence_nano::TOKENIZER,
            florence_nano::WEIGHTS,
        );
        self.from_bytes(
            files
                .preprocessor_config(florence_nano::PREPROCESSOR_CONFIG)
                .generation_config(florence_nano::GENERATION_CONFIG),
        )
    }

    /// As [`Florence::from_hub`].
    ///
    /// # Errors
    ///
    /// As [`Florence::from_hub`].
    ///
    /// # Example: from the hub, on a GPU, in half precision
    ///
    /// ```no_run
    /// use florence_tasks::{Device, Florence, Precision};
    ///
    /// let florence = Florence::builder()
    ///     .device(Device::Cuda(0))
    ///     .precision(Precision::BF16)
    ///     .from_hub("microsoft/Florence-2-base-ft")?;
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[cfg(feature = "hub")]
    pub fn from_hub(&self, name: &str) -> Result<Florence> {
        let options = self.hub.clone().unwrap_or_else(HubOptions::from_env);
        let part = match self.checkpoint.get_processor() {
            Some(_) => Part::Network,
            None => Part::Checkpoint,
        };
        self.from_dir(hub::download_part(name, part, &options)?)
    }
}

impl Florence {
    /// Loads a model with options, such as its device and precision.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Precision};
    ///
    /// let florence = Florence::builder().precision(Precision::Q8_0).from_dir("../crates/florence-nano")?;
    /// assert_eq!(florence.model().precision(), Precision::Q8_0);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn builder() -> FlorenceBuilder {
        FlorenceBuilder::default()
    }

    /// Loads a checkpoint from a folder, laid out as on the hub: `config.json`, `tokenizer.json`,
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
        Self::builder().from_dir(dir)
    }

    /// Loads a checkpoint whose files are in memory.
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
    /// let empty = b"".as_slice();
    /// let error = Florence::from_bytes(CheckpointBytes::new(empty, empty, empty)).unwrap_err();
    /// assert!(error.to_string().starts_with("config.json: "));
    /// ```
    pub fn from_bytes(bytes: CheckpointBytes) -> Result<Self> {
        Self::builder().from_bytes(bytes)
    }

    /// Loads a checkpoint that is already open.
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
        Self::builder().from_checkpoint(checkpoint)
    }

    /// Loads a model of the checkpoint that this one was loaded from, with other adapters, or for
    /// images of another size. The two share what no adapter changes, so that switching between
    /// adapters costs little time and memory; see [`Florence2::load_sharing`].
    ///
    /// # Errors
    ///
    /// As [`Florence2::load_sharing`].
    ///
    /// # Example: one base, two models
    ///
    /// ```
    /// use florence_tasks::{Checkpoint, Florence};
    ///
    /// let checkpoint = Checkpoint::from_dir("../florence-core/tests/goldens/plain")?;
    /// let base = Florence::from_checkpoint(checkpoint.clone())?;
    /// let adapter = "../florence-core/tests/goldens/adapters/layers";
    /// let adapted = base.load_sharing(checkpoint.with_adapter(adapter)?)?;
    /// assert_eq!(adapted.model().precision(), base.model().precision());
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn load_sharing(&self, checkpoint: Checkpoint) -> Result<Self> {
        Ok(Self::from_model(self.model().load_sharing(checkpoint)?))
    }

    /// Loads the small demo model that ships with the workspace: colored shapes and printed words
    /// at 128 × 128 pixels. For first steps and tests; it knows nothing of the real world.
    ///
    /// # Errors
    ///
    /// None in an intact workspace.
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
        Self::builder().nano()
    }

    /// Loads a checkpoint by its name on the Hugging Face hub, `owner/name` or `owner/name@revision`: downloaded once, then taken from the
    /// standard cache. The environment is used as by other programs (`HF_HOME`, `HF_TOKEN`,
    /// `HF_HUB_OFFLINE` …).
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
        Self::builder().from_hub(name)
    }
}
