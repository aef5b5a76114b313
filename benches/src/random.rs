//! Seeded weights: speed does not depend on their values.

use florence_core::candle::{DType, Device, Result, Shape, Tensor};
use florence_core::checkpoint::expected_tensors;
use florence_core::{Checkpoint, CheckpointBytes, Config};
use rayon::prelude::*;
use serde_json::{Map, json};

/// The configuration files of a model.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    config: &'static [u8],
    preprocessor_config: Option<&'static [u8]>,
}

/// Florence-2-base, as it is published.
pub const BASE: Sizes = Sizes {
    config: include_bytes!("../../florence-core/tests/data/config/base/config.json"),
    preprocessor_config: None,
};

/// Florence-2-large.
pub const LARGE: Sizes = Sizes {
    config: include_bytes!("../../florence-core/tests/data/config/large/config.json"),
    preprocessor_config: None,
};

/// The demo model.
pub const SMALL: Sizes = Sizes {
    config: florence_nano::CONFIG,
    preprocessor_config: Some(florence_nano::PREPROCESSOR_CONFIG),
};

impl Sizes {
    /// The configuration.
    ///
    /// # Errors
    ///
    /// None.
    pub fn config(&self) -> florence_core::Result<Config> {
        Config::from_json(self.config, self.preprocessor_config, None)
    }

    /// A checkpoint around weights, with the demo model's tokenizer.
    ///
    /// # Errors
    ///
    /// When the weights are of other sizes.
    pub fn checkpoint(&self, weights: &'static [u8]) -> florence_core::Result<Checkpoint> {
        let bytes = CheckpointBytes::new(self.config, florence_nano::TOKENIZER, weights);
        Checkpoint::from_bytes(match self.preprocessor_config {
            Some(json) => bytes.preprocessor_config(json),
            None => bytes,
        })
    }
}

/// Values between -1 and 1.
///
/// # Errors
///
/// None.
pub fn tensor(shape: impl Into<Shape>, seed: u64) -> Result<Tensor> {
    let shape = shape.into();
    let mut numbers = Numbers::new(seed);
    let values = (0..shape.elem_count()).map(|_| (numbers.next() >> 40) as f32 / (1 << 23) as f32);
    let values = values.map(|v| v - 1.0).collect::<Vec<_>>();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// A weight `(outputs, inputs)` that preserves the scale of its input, with
/// values that fit f16 if `narrow`.
///
/// # Errors
///
/// None.
pub fn weight(outputs: usize, inputs: usize, narrow: bool, seed: u64) -> Result<Tensor> {
    let weight = (tensor((outputs, inputs), seed)? * (3.0 / inputs as f64).sqrt())?;
    if narrow {
        weight.to_dtype(DType::F16)?.to_dtype(DType::F32)
    } else {
        Ok(weight)
    }
}

/// All weights in f16, as a safetensors file. Norms have weights of about 1,
/// everything else of about the size that trained weights have.
///
/// # Errors
///
/// None.
pub fn safetensors(sizes: Sizes) -> florence_core::Result<Vec<u8>> {
    let mut header = Map::new();
    let mut parts = Vec::new();
    let mut end = 0;
    for tensor in expected_tensors(&sizes.config()?) {
        let start = end;
        end += 2 * tensor.shape.iter().product::<usize>();
        let exponent = if tensor.name.contains("norm") { 14 } else { 9 };
        parts.push((end - start, exponent));
        let entry = json!({ "dtype": "F16", "shape": tensor.shape, "data_offsets": [start, end] });
        header.insert(tensor.name, entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    let start = file.len();
    file.resize(start + end, 0);
    let mut rest = &mut file[start..];
    for (seed, (len, exponent)) in parts.into_iter().enumerate() {
        let (values, others) = rest.split_at_mut(len);
        halves(values, exponent, seed as u64);
        rest = others;
    }
    Ok(file)
}

/// Numbers in f16 of either sign between 1 and 2 times 2 to `exponent - 15`,
/// made from random bits.
fn halves(bytes: &mut [u8], exponent: u16, seed: u64) {
    /// Bytes that one thread fills.
    const CHUNK: usize = 1 << 16;
    let chunks = bytes.par_chunks_mut(CHUNK).enumerate();
    chunks.for_each(|(index, chunk)| {
        let mut numbers = Numbers::new(seed << 32 | index as u64);
        for bytes in chunk.chunks_mut(8) {
            let mut word = numbers.next().to_le_bytes();
            for half in word.chunks_exact_mut(2) {
                let bits = u16::from_le_bytes([half[0], half[1]]) & 0x83ff | exponent << 10;
                half.copy_from_slice(&bits.to_le_bytes());
            }
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
    });
}

/// Marsaglia's xorshift.
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
