//! Devices that a network runs on.

use std::fmt;
use std::str::FromStr;

use crate::backend::candle::devices;
use crate::error::{Error, Result};

/// The device that a network runs on.
///
/// The CPU has kernels of its own in this crate; other devices run candle's
/// operations and need the feature of their name (`cuda`, `metal`).
///
/// # Example
///
/// ```
/// use florence_core::Device;
///
/// assert_eq!("cuda:1".parse::<Device>()?, Device::Cuda(1));
/// assert_eq!(Device::Cuda(1).to_string(), "cuda:1");
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number, counted from 0.
    Cuda(usize),
    /// The Apple GPU of this number, counted from 0.
    Metal(usize),
}

impl Device {
    /// The devices that this build supports and that are present, fastest first; the CPU is the
    /// last.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Device;
    ///
    /// assert_eq!(Device::available().last(), Some(&Device::Cpu));
    /// ```
    pub fn available() -> Vec<Device> {
        Self::detected().collect()
    }

    /// As [`Device::available`], each detected on demand.
    fn detected() -> impl Iterator<Item = Device> {
        /// An upper bound of the devices of a machine.
        const MOST: usize = 64;
        let there = |kind: fn(usize) -> Self| {
            let devices = (0..MOST).map(kind);
            devices.take_while(|device| device.open().is_ok())
        };
        let gpus = there(Self::Cuda).chain(there(Self::Metal));
        gpus.chain([Self::Cpu])
    }

    /// candle's handle of the device.
    pub(crate) fn open(self) -> Result<candle_core::Device> {
        match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda(_) if !cfg!(feature = "cuda") => Err(self.not_compiled("cuda")),
            Self::Metal(_) if !cfg!(feature = "metal") => Err(self.not_compiled("metal")),
            Self::Cuda(number) => devices::cuda(number).map_err(|e| self.absent(&e)),
            Self::Metal(number) => devices::metal(number).map_err(|e| self.absent(&e)),
        }
    }

    fn not_compiled(self, feature: &str) -> Error {
        Error::argument(
            "device",
            self.to_string(),
            format!("cpu: this program was built without the feature `{feature}`"),
        )
    }

    fn absent(self, error: &candle_core::Error) -> Error {
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or_default();
        Error::argument(
            "device",
            self.to_string(),
            format!("a device that this machine has ({reason})"),
        )
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Metal(number) => write!(f, "metal:{number}"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    /// `cpu`, `cuda`, `cuda:N`, `metal`, `metal:N`, or `auto`, the first of
    /// [`Device::available`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Device;
    ///
    /// assert_eq!("metal".parse::<Device>()?, Device::Metal(0));
    /// assert_eq!("auto".parse::<Device>()?, Device::available()[0]);
    /// let error = "gpu".parse::<Device>().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "argument `device` is \"gpu\", expected auto, cpu, cuda, cuda:N, metal or metal:N"
    /// );
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    fn from_str(name: &str) -> Result<Self> {
        let (kind, number) = match name.split_once(':') {
            Some((kind, number)) => (kind, number.parse().ok()),
            None => (name, Some(0)),
        };
        match (kind, number) {
            ("cuda", Some(number)) => Ok(Self::Cuda(number)),
            ("metal", Some(number)) => Ok(Self::Metal(number)),
            ("cpu", _) if name == "cpu" => Ok(Self::Cpu),
            ("auto", _) if name == "auto" => Ok(Self::detected().next().unwrap_or_default()),
            _ => Err(Error::argument(
                "device",
                format!("{name:?}"),
                "auto, cpu, cuda, cuda:N, metal or metal:N".to_owned(),
            )),
        }
    }
}
