//! Where a tensor's values are, and how they are read.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::expected::ExpectedTensor;
use super::header::{Entry, Stored};
use super::layout::Layout;
use super::source::Source;
use crate::{Error, Result};

/// A tensor that the network reads.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) entry: Entry,
    pub(super) stored: Stored,
    pub(super) name_in_file: String,
    pub(super) transposed: bool,
}

impl Place {
    /// Whether two tensors of one shape hold the same values. Read piece by piece, and only where
    /// they are not the same bytes of a file.
    pub(super) fn equals(&self, other: &Place, sources: &[Source]) -> Result<bool> {
        const PIECE: usize = 1 << 16;
        let place = |p: &Place| (p.entry.source, p.entry.offset, p.stored);
        if place(self) == place(other) {
            return Ok(true);
        }
        let count = self.entry.shape.iter().product::<usize>();
        let (mut ours, mut theirs) = (vec![0.0; PIECE], vec![0.0; PIECE]);
        for start in (0..count).step_by(PIECE) {
            let len = PIECE.min(count - start);
            self.read(&sources[self.entry.source], start, &mut ours[..len])?;
            other.read(&sources[other.entry.source], start, &mut theirs[..len])?;
            if ours[..len] != theirs[..len] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn check(
        entry: Entry,
        name_in_file: String,
        tensor: &ExpectedTensor,
        layout: Layout,
        sources: &[Source],
    ) -> Result<Self> {
        let transposed = layout.is_transposed(&tensor.name);
        let mut expected = tensor.shape.clone();
        if transposed {
            expected.reverse();
        }
        let file = || sources[entry.source].label.clone();
        if entry.shape != expected {
            return Err(Error::TensorShape {
                file: file(),
                name: name_in_file,
                found: entry.shape,
                expected,
            });
        }
        let stored = match &entry.stored {
            Ok(stored) => *stored,
            Err(found) => {
                return Err(Error::TensorDtype {
                    file: file(),
                    name: name_in_file,
                    found: found.clone(),
                });
            }
        };
        Ok(Place {
            entry,
            stored,
            name_in_file,
            transposed,
        })
    }

    /// Checks the shape that the network expects against the file's.
    pub(super) fn expect(&self, source: &Source, shape: &[usize]) -> Result<()> {
        let mut found = self.entry.shape.clone();
        if self.transposed {
            found.reverse();
        }
        if found == shape {
            return Ok(());
        }
        Err(Error::TensorShape {
            file: source.label.clone(),
            name: self.name_in_file.clone(),
            found,
            expected: shape.to_vec(),
        })
    }

    /// Reads the values from index `start` on, in the order of the file.
    pub(super) fn read(&self, source: &Source, start: usize, values: &mut [f32]) -> Result<()> {
        let size = self.stored.size();
        let offset = self.entry.offset + (start * size) as u64;
        let bytes = source.read(offset, values.len() * size)?;
        to_f32(&bytes, self.stored, values);
        match first_non_finite(values) {
            None => Ok(()),
            Some(index) => Err(Error::TensorValue {
                file: source.label.clone(),
                name: self.name_in_file.clone(),
                index: start + index,
                value: values[index],
            }),
        }
    }
}

/// Little-endian bytes to f32. f16 and bf16 widen exactly, f64 is rounded to
/// the nearest, as PyTorch does.
fn to_f32(bytes: &[u8], stored: Stored, values: &mut [f32]) {
    match stored {
        Stored::F64 => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = f64::from_le_bytes(*bytes) as f32;
            }
        }
        Stored::F32 => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
        Stored::BF16 => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = bf16::from_le_bytes(*bytes).to_f32();
            }
        }
        Stored::F16 => {
            const CHUNK: usize = 256;
            let mut halves = [f16::ZERO; CHUNK];
            for (values, bytes) in values.chunks_mut(CHUNK).zip(bytes.chunks(2 * CHUNK)) {
                let halves = &mut halves[..values.len()];
                for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks().0) {
                    *half = f16::from_le_bytes(*bytes);
                }
                halves.convert_to_f32_slice(values);
            }
        }
    }
}

pub(super) fn first_non_finite(values: &[f32]) -> Option<usize> {
    // Chunks without an early exit inside vectorize.
    const CHUNK: usize = 4096;
    values.chunks(CHUNK).enumerate().find_map(|(i, chunk)| {
        let odd = chunk.iter().fold(false, |odd, x| odd | !x.is_finite());
        if !odd {
            return None;
        }
        let at = chunk.iter().position(|x| !x.is_finite())?;
        Some(i * CHUNK + at)
    })
}
