//! Matrices packed in panels of 32 columns: a panel holds 32 adjacent columns row after row, so
//! that a product reads memory in one direction.
//!
//! One layout serves products of thousands of rows and of one: only the height of the register tile
//! differs. Numbers are stored in the narrowest exact float type and widened, which is exact, on
//! load: products of few rows are memory-bound.

use std::mem::MaybeUninit;
use std::ops::Range;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::aligned::{Aligned, Plain};
use crate::backend::cpu::simd::Simd;

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;

/// An element type of panels.
pub(crate) trait Element: Plain + Default {
    /// Number of `bf16` components whose sum is any of these exactly.
    const COMPONENTS: usize;

    /// Narrows values; `false` if one changed. `back` is scratch of the same length.
    fn narrow(from: &[f32], to: &mut [Self], back: &mut [f32]) -> bool;

    fn widen(self) -> f32;

    /// Loads a vector of numbers, widened.
    ///
    /// # Safety
    ///
    /// `from` must be readable for as many values as a vector has lanes.
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F;

    /// Whole vectors of values as `f32`, in `wide` unless they are that already.
    ///
    /// # Panics
    ///
    /// When `wide` is too short.
    fn widen_all<'a, S: Simd>(
        simd: S,
        values: &'a [Self],
        wide: &'a mut [MaybeUninit<f32>],
    ) -> &'a [f32];
}

impl Element for f32 {
    const COMPONENTS: usize = 3;

    fn narrow(from: &[f32], to: &mut [Self], _back: &mut [f32]) -> bool {
        to.copy_from_slice(from);
        true
    }

    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F {
        // SAFETY: the caller's promise is the same.
        unsafe { simd.load(from) }
    }

    #[inline(always)]
    fn widen_all<'a, S: Simd>(
        _simd: S,
        values: &'a [f32],
        _wide: &'a mut [MaybeUninit<f32>],
    ) -> &'a [f32] {
        values
    }
}

/// The two half types differ in their precision alone.
macro_rules! half_element {
    ($half:ident, $components:literal, $load:ident) => {
        impl Element for $half {
            const COMPONENTS: usize = $components;

            fn narrow(from: &[f32], to: &mut [Self], back: &mut [f32]) -> bool {
                to.convert_from_f32_slice(from);
                to.convert_to_f32_slice(back);
                from == back
            }

            fn widen(self) -> f32 {
                self.to_f32()
            }

            #[inline(always)]
            unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F {
                // SAFETY: the caller's promise is the same.
                unsafe { simd.$load(from) }
            }

            #[inline(always)]
            fn widen_all<'a, S: Simd>(
                simd: S,
                values: &'a [Self],
                wide: &'a mut [MaybeUninit<f32>],
            ) -> &'a [f32] {
                write_vectors(simd, &mut wide[..values.len()], |at| {
                    // SAFETY: a vector's values from there on.
                    unsafe { Self::load(simd, values[at..][..S::LANES].as_ptr()) }
                })
            }
        }
    };
}

half_element!(f16, 2, load_f16);
half_element!(bf16, 1, load_bf16);

/// Writes all of `to`, whole vectors; `vector` gives the one at an index.
#[inline(always)]
pub(super) fn write_vectors<S: Simd>(
    simd: S,
    to: &mut [MaybeUninit<f32>],
    vector: impl Fn(usize) -> S::F,
) -> &[f32] {
    assert!(to.len().is_multiple_of(S::LANES));
    let values = to.as_mut_ptr().cast::<f32>();
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: in bounds by the assertion.
        unsafe { simd.store(values.add(at), vector(at)) };
    }
    // SAFETY: all of them were just written.
    unsafe { std::slice::from_raw_parts(values, to.len()) }
}

/// A matrix of `inputs` rows and `outputs` columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Panels<T = f32> {
    values: Aligned<T>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// Why a weight was not packed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PackError<E> {
    /// A number would change.
    Inexact,
    /// It could not be read.
    Read(E),
}

impl<T: Element> Panels<T> {
    /// Packs a weight `(outputs, inputs)` on all threads; `read` writes some of its rows.
    ///
    /// # Errors
    ///
    /// The first that `read` gives, or that a number cannot be kept exactly.
    pub(crate) fn pack<E: Send>(
        outputs: usize,
        inputs: usize,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, PackError<E>> {
        let panels = outputs.div_ceil(PANEL);
        let values = Aligned::from_chunks(panels, inputs * PANEL, |panel, values: &mut [T]| {
            let rows = panel * PANEL..outputs.min((panel + 1) * PANEL);
            let mut lines = vec![0.0; rows.len() * inputs];
            read(rows, &mut lines).map_err(PackError::Read)?;
            let mut narrow = vec![T::default(); inputs];
            let mut back = vec![0.0; inputs];
            for (column, line) in lines.chunks_exact(inputs).enumerate() {
                if !T::narrow(line, &mut narrow, &mut back) {
                    return Err(PackError::Inexact);
                }
                for (to, &from) in values.chunks_exact_mut(PANEL).zip(&narrow) {
                    to[column] = from;
                }
            }
            Ok(())
        })?;
        Ok(Self {
            values,
            inputs,
            outputs,
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    pub(super) fn panel(&self, panel: usize) -> &[T] {
        let len = self.inputs * PANEL;
        &self.values[panel * len..][..len]
    }

    /// Copies column `column` to `out`, one value an input.
    pub(crate) fn column(&self, column: usize, out: &mut [f32]) {
        let panel = self.panel(column / PANEL);
        for (to, from) in out.iter_mut().zip(panel.chunks_exact(PANEL)) {
            *to = from[column % PANEL].widen();
        }
    }
}

impl Panels<f32> {
    pub(crate) fn zeroed(inputs: usize, outputs: usize) -> Self {
        Self {
            values: Aligned::zeroed(outputs.div_ceil(PANEL) * inputs * PANEL),
            inputs,
            outputs,
        }
    }

    /// Changes the shape; the values are unspecified afterwards.
    pub(crate) fn reshape(&mut self, inputs: usize, outputs: usize) {
        self.values.resize(outputs.div_ceil(PANEL) * inputs * PANEL);
        (self.inputs, self.outputs) = (inputs, outputs);
    }

    /// All rows of one panel.
    pub(crate) fn panel_mut(&mut self, panel: usize) -> &mut [f32] {
        let len = self.inputs * PANEL;
        &mut self.values[panel * len..][..len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::testing::rows_of;

    #[test]
    fn numbers_that_would_change_are_refused() {
        let pack = |value: f32| Panels::<f16>::pack(1, 2, rows_of(&[1.0, value], 2)).map(|_| ());
        assert_eq!(pack(-0.5), Ok(()));
        for odd in [0.1, 1e-9, 70_000.0] {
            assert_eq!(pack(odd), Err(PackError::Inexact));
        }
    }
}
