//! Choice of the backend of a network.

use candle_core::DType;

use crate::backend::{Candle, Cpu};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::precision::{LoadOptions, Precision};

/// The environment variable that chooses the backend on the CPU.
const BACKEND: &str = "FLORENCE_BACKEND";

/// A backend, and the precision of its weights.
pub(super) enum Choice {
    Kernels(Cpu),
    Candle(Candle),
}

/// The backend that `options` and the environment ask for, and its precision.
pub(super) fn choose(options: &LoadOptions) -> Result<(Choice, Precision)> {
    let device = options.device;
    let precision = options.precision.unwrap_or(match device {
        Device::Cuda(_) => Precision::BF16,
        Device::Cpu | Device::Metal(_) => Precision::F32,
    });
    if device == Device::Cpu && !candle_asked()? {
        return match precision {
            Precision::F32 | Precision::Q8_0 => {
                Ok((Choice::Kernels(Cpu::new(precision)), precision))
            }
            Precision::F16 | Precision::BF16 => Err(unfit(
                precision,
                "f32 or q8_0 on the CPU (weights that a file stores in 16 bits take 16 bits there)",
            )),
        };
    }
    let dtype = match precision {
        Precision::F32 => DType::F32,
        Precision::F16 => DType::F16,
        Precision::BF16 => DType::BF16,
        Precision::Q8_0 => {
            return Err(unfit(precision, &format!("f32, f16 or bf16 on {device}")));
        }
    };
    let candle = Candle::new(device.open()?, dtype);
    Ok((Choice::Candle(candle), precision))
}

fn unfit(precision: Precision, expected: &str) -> Error {
    Error::argument("precision", precision.to_string(), expected.to_owned())
}

/// Whether the environment asks for candle on the CPU instead of the kernels.
fn candle_asked() -> Result<bool> {
    match std::env::var(BACKEND).as_deref() {
        Err(_) | Ok("" | "kernels") => Ok(false),
        Ok("candle") => Ok(true),
        Ok(other) => Err(Error::argument(
            BACKEND,
            format!("{other:?}"),
            "kernels or candle".to_owned(),
        )),
    }
}
