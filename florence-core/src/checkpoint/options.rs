//! Options for opening a checkpoint.

use std::path::{Path, PathBuf};

use crate::InputSize;

/// Options for opening a checkpoint.
///
/// # Example: a fine-tune without a tokenizer, for small crops
///
/// ```no_run
/// use florence_core::{Checkpoint, CheckpointOptions, InputSize};
///
/// let options = CheckpointOptions::new()
///     .processor("Florence-2-base-ft")
///     .image_size(InputSize::square(64));
/// let checkpoint = Checkpoint::from_dir_with("OmniParser-v2.0/icon_caption", &options)?;
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CheckpointOptions {
    pub(crate) processor: Option<PathBuf>,
    pub(crate) image_size: Option<InputSize>,
}

impl CheckpointOptions {
    /// What [`Checkpoint::from_dir`](crate::Checkpoint::from_dir) does.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, CheckpointOptions};
    ///
    /// let checkpoint = Checkpoint::from_dir_with("tests/goldens/plain", &CheckpointOptions::new())?;
    /// assert_eq!(checkpoint.config().text.d_model, 32);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The folder whose tokenizer and image preparation are used instead of the checkpoint's, as
    /// `AutoProcessor.from_pretrained` of another model does in Python. Where it has no
    /// `preprocessor_config.json`, the checkpoint's is used.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, CheckpointOptions};
    ///
    /// let options = CheckpointOptions::new().processor("tests/goldens/plain");
    /// let checkpoint = Checkpoint::from_dir_with("tests/goldens/plain", &options)?;
    /// assert_eq!(checkpoint.config().image.resize.unwrap().to_string(), "96x96");
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    #[must_use]
    pub fn processor(mut self, dir: impl AsRef<Path>) -> Self {
        self.processor = Some(dir.as_ref().to_owned());
        self
    }

    /// The folder of another processor, if one was given.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::CheckpointOptions;
    ///
    /// let options = CheckpointOptions::new().processor("base");
    /// assert_eq!(options.get_processor(), Some("base".as_ref()));
    /// ```
    pub fn get_processor(&self) -> Option<&Path> {
        self.processor.as_deref()
    }

    /// Images are resized to this size, whatever the files of the checkpoint say: what
    /// `processor(images, size={"height": …, "width": …})` does in Python.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, CheckpointOptions, InputSize};
    ///
    /// let wide = InputSize { width: 128, height: 64 };
    /// let options = CheckpointOptions::new().image_size(wide);
    /// let checkpoint = Checkpoint::from_dir_with("tests/goldens/plain", &options)?;
    /// assert_eq!(checkpoint.config().image.resize, Some(wide));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    #[must_use]
    pub fn image_size(mut self, size: InputSize) -> Self {
        self.image_size = Some(size);
        self
    }

    /// The size that images are resized to, if one was given.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{CheckpointOptions, InputSize};
    ///
    /// let options = CheckpointOptions::new().image_size(InputSize::square(64));
    /// assert_eq!(options.get_image_size(), Some(InputSize::square(64)));
    /// ```
    pub fn get_image_size(&self) -> Option<InputSize> {
        self.image_size
    }
}
