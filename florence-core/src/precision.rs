//! Weight precision and load options.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::device::Device;
use crate::error::Error;

/// Storage and arithmetic of the large matrices of a network.
///
/// Whatever the checkpoint stores, weights are converted while they are read.
///
/// # Example: 8-bit weights
///
/// ```
/// use florence_core::{Checkpoint, Florence2, LoadOptions, Precision};
///
/// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
/// let options = LoadOptions::new().precision(Precision::Q8_0);
/// let florence = Florence2::load_with(checkpoint, &options)?;
/// assert_eq!(florence.precision(), Precision::Q8_0);
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Precision {
    /// 32-bit floats: token for token as the reference.
    #[default]
    F32,
    /// 16-bit floats with 5 bits of exponent: not on the CPU's kernels. An
    /// activation beyond 65,504 overflows.
    F16,
    /// 16-bit floats with the exponent of `F32`: not on the CPU's kernels.
    BF16,
    /// 8-bit integers in blocks of 32 with one scale each, in the manner of
    /// llama.cpp's format of that name: the weights, and the rows that they are
    /// multiplied with. (Where many rows meet a CPU with a matrix unit, AMX,
    /// both are rounded to `bf16` instead.) All linear layers, the token table and the output head; the patch
    /// embeddings, depthwise convolutions, position tables, normalizations and
    /// the products inside of attentions stay f32: together they are a few
    /// percent of the work, and the first of them see raw pixels.
    Q8_0,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::Q8_0 => "q8_0",
        })
    }
}

impl FromStr for Precision {
    type Err = Error;

    /// # Example
    ///
    /// ```
    /// use florence_core::Precision;
    ///
    /// assert_eq!("q8_0".parse::<Precision>()?, Precision::Q8_0);
    /// assert!("int4".parse::<Precision>().is_err());
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "bf16" => Ok(Self::BF16),
            "q8_0" => Ok(Self::Q8_0),
            _ => Err(Error::argument(
                "precision",
                format!("{name:?}"),
                "f32, f16, bf16 or q8_0".to_owned(),
            )),
        }
    }
}

/// Options for loading a network.
///
/// # Example
///
/// ```
/// use florence_core::{Checkpoint, Device, Florence2, LoadOptions, Precision};
///
/// let options = LoadOptions::new().device(Device::Cpu).precision(Precision::Q8_0);
/// let florence = Florence2::load_with(Checkpoint::from_dir("tests/goldens/plain")?, &options)?;
/// assert_eq!(florence.precision(), Precision::Q8_0);
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LoadOptions {
    pub(crate) device: Device,
    pub(crate) precision: Option<Precision>,
    pub(crate) busy_wait: bool,
    pub(crate) adapters: Vec<PathBuf>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            device: Device::default(),
            precision: None,
            busy_wait: true,
            adapters: Vec::new(),
        }
    }
}

impl LoadOptions {
    /// On the CPU, in `f32`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Device, Florence2, LoadOptions};
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// let florence = Florence2::load_with(checkpoint, &LoadOptions::new())?;
    /// assert_eq!(florence.device(), Device::Cpu);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The device that the network runs on.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Device, Florence2, LoadOptions};
    ///
    /// let options = LoadOptions::new().device(Device::Metal(7));
    /// let error = Florence2::load_with(Checkpoint::from_dir("tests/goldens/plain")?, &options);
    /// assert!(error.unwrap_err().to_string().starts_with("argument `device` is metal:7, expected"));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// The precision of the weights; by default `f32`, and `bf16` on CUDA.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Florence2, LoadOptions, Precision};
    ///
    /// let options = LoadOptions::new().precision(Precision::BF16);
    /// let error = Florence2::load_with(Checkpoint::from_dir("tests/goldens/plain")?, &options);
    /// assert!(error.unwrap_err().to_string().starts_with("argument `precision` is bf16, expected f32 or q8_0"));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = Some(precision);
        self
    }

    /// Whether idle threads of the pool busy-wait, instead of sleeping, while a single answer is
    /// generated on the CPU; by default they do, which makes a decoder step a third faster. They
    /// yield their core to other threads; switch this off where an idle core should rest.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Florence2, LoadOptions};
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// let quiet = Florence2::load_with(checkpoint, &LoadOptions::new().busy_wait(false))?;
    /// assert_eq!(quiet.config().text.d_model, 32);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    #[must_use]
    pub fn busy_wait(mut self, busy_wait: bool) -> Self {
        self.busy_wait = busy_wait;
        self
    }

    /// Adds a LoRA adapter, the folder that PEFT's `save_pretrained` writes; with several calls
    /// adapters are added in that order. See [`Checkpoint::with_adapter`](crate::Checkpoint::with_adapter).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Florence2, LoadOptions};
    ///
    /// let options = LoadOptions::new().adapter("tests/goldens/adapters/layers");
    /// let florence = Florence2::load_with(Checkpoint::from_dir("tests/goldens/plain")?, &options)?;
    /// assert_eq!(florence.config().text.d_model, 32);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    #[must_use]
    pub fn adapter(mut self, dir: impl AsRef<Path>) -> Self {
        self.adapters.push(dir.as_ref().to_owned());
        self
    }

    /// The folders of the adapters, in their order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::LoadOptions;
    ///
    /// let options = LoadOptions::new().adapter("style").adapter("words");
    /// assert_eq!(options.get_adapters(), [std::path::Path::new("style"), "words".as_ref()]);
    /// assert!(LoadOptions::new().get_adapters().is_empty());
    /// ```
    pub fn get_adapters(&self) -> &[PathBuf] {
        &self.adapters
    }
}
