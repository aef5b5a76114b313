//! Errors, and which side has to fix them.

use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a checkpoint, an image or a request was refused.
///
/// Every message names the file, key, tensor or argument at fault, what was
/// found there and what would have been right. [`Error::kind`] sorts the
/// variants by responsibility.
///
/// # Example: what a wrong value in a configuration looks like
///
/// ```
/// use florence_core::{Config, ErrorKind};
///
/// let config = br#"{"model_type": "florence2", "text_config": {"activation_function": "swoosh"}, "vision_config": {}}"#;
/// let error = Config::from_json(config, None, None).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Checkpoint);
/// assert_eq!(
///     error.to_string(),
///     "config.json: `text_config.activation_function` is \"swoosh\", expected \"gelu\"",
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened or read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },

    /// A checkpoint folder lacks a file that it must hold.
    #[error("{}: no {expected} in this folder{hint}", dir.display())]
    MissingFile {
        /// The folder that was searched.
        dir: PathBuf,
        /// The file, or the files of which one suffices.
        expected: String,
        /// What the folder holds instead or where the file may be, with the punctuation before it;
        /// empty when unknown.
        hint: String,
    },

    /// A file is not what its name says: truncated, corrupt or of another format.
    #[error("{file}: {reason}")]
    Malformed {
        /// The file, as the caller named it.
        file: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A key of a JSON file holds a value that the network does not support.
    #[error("{file}: `{key}` is {found}, expected {expected}")]
    Config {
        /// The file, such as `config.json`.
        file: String,
        /// The dotted path of the key, such as `vision_config.window_size`.
        key: String,
        /// The value found, as JSON.
        found: String,
        /// What would have been accepted.
        expected: String,
    },

    /// The weights lack tensors that the configuration asks for.
    #[error("{file}: {count} of {total} tensors are missing: {}{}", names.join(", "), if *count > names.len() { ", …" } else { "" })]
    MissingTensors {
        /// The weights file, or the index of a sharded checkpoint.
        file: String,
        /// The first few missing names, in the file's own naming scheme.
        names: Vec<String>,
        /// How many are missing in all.
        count: usize,
        /// How many the configuration asks for.
        total: usize,
    },

    /// A tensor has another shape than the configuration says.
    #[error("{file}: tensor `{name}` has shape {found:?}, config.json asks for {expected:?}")]
    TensorShape {
        /// The weights file.
        file: String,
        /// The name in that file.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape that follows from the configuration.
        expected: Vec<usize>,
    },

    /// A tensor of an adapter does not fit the parameter of the network that it is for.
    #[error("{file}: tensor `{name}` has shape {found:?}, expected {expected:?} for {target}")]
    AdapterShape {
        /// The adapter's file of weights.
        file: String,
        /// The name in that file.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape that fits the rank in `adapter_config.json` and the parameter.
        expected: Vec<usize>,
        /// What it is for: the parameter by its native name, its shape, and the base that the adapter
        /// names.
        target: Box<str>,
    },

    /// A tensor is stored as something other than a supported float.
    #[error("{file}: tensor `{name}` is stored as {found}, expected F32, F16, BF16 or F64")]
    TensorDtype {
        /// The weights file.
        file: String,
        /// The name in that file.
        name: String,
        /// The type found.
        found: String,
    },

    /// A tensor holds a NaN or an infinity.
    #[error("{file}: tensor `{name}` holds {value} at flat index {index}, expected finite numbers")]
    TensorValue {
        /// The weights file.
        file: String,
        /// The name in that file.
        name: String,
        /// The position of the first such value, in row-major order.
        index: usize,
        /// The value.
        value: f32,
    },

    /// The network computed a NaN or an infinity, which finite weights and
    /// pixels do not give: the weights are of another scale than the network.
    #[error(
        "image {image} of the batch: no finite logits at step {step}: the weights are not usable"
    )]
    NonFinite {
        /// Position in the batch.
        image: usize,
        /// The token that could not be chosen, counted from the start token.
        step: usize,
    },

    /// A tokenizer file cannot be used.
    #[error("{file}: {reason}")]
    Tokenizer {
        /// `tokenizer.json` or `added_tokens.json`.
        file: String,
        /// What is wrong with it.
        reason: String,
    },

    /// An image cannot be used: unreadable or empty.
    #[error("image{}: {reason}", named(path.as_deref()))]
    Image {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// What is wrong with it and what would be accepted.
        reason: String,
    },

    /// An image has more pixels than
    /// [`ImageOptions::max_pixels`](crate::image::ImageOptions::max_pixels)
    /// allows; none of them was unpacked.
    #[error("image{}: {format} of {width} × {height} pixels, expected 1 to {max_pixels} in all", named(path.as_deref()))]
    ImageTooLarge {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The format of the file, such as `JPEG`.
        format: &'static str,
        /// Pixels in a row, as the file says.
        width: u64,
        /// Rows, as the file says.
        height: u64,
        /// How many pixels are allowed.
        max_pixels: u64,
    },

    /// An argument of a call is out of its range.
    #[error("argument `{argument}` is {found}, expected {expected}")]
    Argument {
        /// The argument's name.
        argument: &'static str,
        /// What was passed.
        found: String,
        /// What is accepted.
        expected: String,
    },

    /// A checkpoint could not be obtained from the model hub.
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] crate::hub::HubError),

    /// The tensor library failed: out of memory, a device error or a defect.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Which side has to fix an [`Error`]: the file system or network, the checkpoint, the image, the
/// arguments, or the device.
///
/// # Example
///
/// ```
/// use florence_core::{Checkpoint, ErrorKind};
///
/// let error = Checkpoint::from_dir("no/such/folder").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Io);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file system or the network: a file that cannot be read, a hub that does not answer.
    Io,
    /// The checkpoint: a file of it is missing, corrupt or contradicts another.
    Checkpoint,
    /// The image.
    Image,
    /// The caller's arguments.
    Argument,
    /// The tensor library or the device.
    Device,
}

impl Error {
    /// Which side has to fix it.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{image, ErrorKind};
    ///
    /// let error = image::decode(b"not an image", &Default::default()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Image);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Io { .. } => ErrorKind::Io,
            #[cfg(feature = "hub")]
            Error::Hub(_) => ErrorKind::Io,
            Error::MissingFile { .. }
            | Error::Malformed { .. }
            | Error::Config { .. }
            | Error::MissingTensors { .. }
            | Error::TensorShape { .. }
            | Error::AdapterShape { .. }
            | Error::TensorDtype { .. }
            | Error::TensorValue { .. }
            | Error::NonFinite { .. }
            | Error::Tokenizer { .. } => ErrorKind::Checkpoint,
            Error::Image { .. } | Error::ImageTooLarge { .. } => ErrorKind::Image,
            Error::Argument { .. } => ErrorKind::Argument,
            Error::Tensor(_) => ErrorKind::Device,
        }
    }

    pub(crate) fn io(path: &Path, error: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            error,
        }
    }

    /// The same error, naming this file if it is about an image.
    pub(crate) fn about_image(mut self, file: &Path) -> Self {
        if let Error::Image { path, .. } | Error::ImageTooLarge { path, .. } = &mut self {
            *path = Some(file.to_owned());
        }
        self
    }

    pub(crate) fn malformed(file: &str, reason: impl Into<String>) -> Self {
        Error::Malformed {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn argument(
        argument: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Error::Argument {
            argument,
            found: found.to_string(),
            expected: expected.into(),
        }
    }
}

fn named(path: Option<&Path>) -> String {
    path.map(|path| format!(" {}", path.display()))
        .unwrap_or_default()
}
