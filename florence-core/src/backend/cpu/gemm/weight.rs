//! A layer's weight in its storage format, and products with it.

use std::ops::Range;

use half::{bf16, f16};

use super::aligned::Aligned;
#[cfg(target_arch = "x86_64")]
use super::amx::{self, SplitRows};
use super::matrix::{Rows, RowsMut};
use super::panels::{PANEL, PackError, Panels};
use super::product;
use super::q8::{self, Q8Weight, QuantizedRows};
use super::tiled_rows::{self, TiledRows};
#[cfg(target_arch = "x86_64")]
use crate::backend::cpu::simd::Avx512;
use crate::backend::cpu::simd::{Activation, Isa, Kernel, Simd, load_part, store_part};

/// A weight that turns `inputs` into `outputs` numbers.
#[derive(Debug)]
pub(crate) enum Weight {
    F32(Panels<f32>),
    F16(Panels<f16>),
    BF16(Panels<bf16>),
    Q8(Q8Weight),
}

/// Dispatches on the storage format of a weight.
macro_rules! each {
    ($weight:expr, $inner:ident => $result:expr) => {
        match $weight {
            Weight::F32($inner) => $result,
            Weight::F16($inner) => $result,
            Weight::BF16($inner) => $result,
            Weight::Q8($inner) => $result,
        }
    };
}

impl Weight {
    /// Packs a weight `(outputs, inputs)` in the narrowest float type that is exact; `read` writes
    /// some of its rows.
    ///
    /// # Errors
    ///
    /// The first that `read` gives.
    pub(crate) fn exactly<E: Send>(
        outputs: usize,
        inputs: usize,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        // Where numbers do not fit, the first panel tells.
        match Panels::pack(outputs, inputs, &read) {
            Ok(panels) => return Ok(Self::F16(panels)),
            Err(PackError::Read(error)) => return Err(error),
            Err(PackError::Inexact) => {}
        }
        match Panels::pack(outputs, inputs, &read) {
            Ok(panels) => return Ok(Self::BF16(panels)),
            Err(PackError::Read(error)) => return Err(error),
            Err(PackError::Inexact) => {}
        }
        match Panels::pack(outputs, inputs, &read) {
            Ok(panels) => Ok(Self::F32(panels)),
            Err(PackError::Read(error)) => Err(error),
            Err(PackError::Inexact) => unreachable!("every f32 is one"),
        }
    }

    /// Quantizes a weight `(outputs, inputs)`; `read` writes some of its rows.
    ///
    /// # Errors
    ///
    /// The first that `read` gives.
    pub(crate) fn quantized<E: Send>(
        outputs: usize,
        inputs: usize,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        Q8Weight::pack(outputs, inputs, read).map(Self::Q8)
    }

    pub(crate) fn inputs(&self) -> usize {
        each!(self, weight => weight.inputs)
    }

    pub(crate) fn outputs(&self) -> usize {
        each!(self, weight => weight.outputs)
    }

    /// Number of panels of 32 outputs, the unit in which threads share the work.
    pub(crate) fn panels(&self) -> usize {
        self.outputs().div_ceil(PANEL)
    }

    /// The weights of one output, one an input.
    pub(crate) fn output(&self, output: usize, values: &mut [f32]) {
        each!(self, weight => weight.column(output, values));
    }

    /// Packs rows for products with this weight, into `scratch` if they change.
    #[inline(always)]
    pub(crate) fn pack_input<'a, S: Simd>(
        &self,
        simd: S,
        rows: Rows<'a>,
        scratch: &'a mut InputScratch,
    ) -> Input<'a> {
        #[cfg(target_arch = "x86_64")]
        if let Some(tiles) = simd.tiles()
            && rows.rows >= amx::ROWS
        {
            each!(self, weight => scratch.split.split(tiles, rows, weight));
            return Input::Split(tiles, &scratch.split);
        }
        let few = match self {
            Self::Q8(_) if S::FAST_DOT => usize::MAX,
            Self::Q8(_) => q8::FEW_ROWS,
            _ => S::TILE_ROWS,
        };
        if rows.rows > few {
            scratch.tiled.pack(simd, rows);
            return Input::Tiled(&scratch.tiled);
        }
        if let Self::Q8(_) = self {
            scratch.quantized.quantize(simd, rows);
            return Input::Quantized(&scratch.quantized);
        }
        Input::Whole(rows)
    }

    /// `out += input · weight[inputs, columns of panels]`, where `inputs` are
    /// the columns of the input, and `panels` those of `out`.
    ///
    /// # Panics
    ///
    /// When the shapes do not fit, or `input` was packed for another precision.
    #[inline(always)]
    pub(crate) fn accumulate<S: Simd>(
        &self,
        simd: S,
        input: Input<'_>,
        inputs: Range<usize>,
        panels: Range<usize>,
        out: &mut RowsMut<'_>,
    ) {
        match (self, input) {
            #[cfg(target_arch = "x86_64")]
            (_, Input::Split(tiles, a)) => {
                each!(self, b => amx::accumulate(tiles, a, b, inputs, panels, out));
            }
            (_, Input::Tiled(a)) => {
                each!(self, b => tiled_rows::accumulate(simd, a, b, inputs, panels, out));
            }
            (Self::F32(b), Input::Whole(a)) => product::accumulate(simd, a, b, inputs, panels, out),
            (Self::F16(b), Input::Whole(a)) => product::accumulate(simd, a, b, inputs, panels, out),
            (Self::BF16(b), Input::Whole(a)) => {
                product::accumulate(simd, a, b, inputs, panels, out)
            }
            (Self::Q8(b), Input::Quantized(a)) => q8::accumulate(simd, a, b, inputs, panels, out),
            _ => unreachable!("the input was taken for another precision"),
        }
    }

    /// `out = activation(bias + input · weight[.., columns of panels])`, where
    /// `bias` has one value a column.
    ///
    /// # Panics
    ///
    /// As [`Self::accumulate`], and when `bias` does not fit.
    #[inline(always)]
    pub(crate) fn gemm_bias_act<S: Simd>(
        &self,
        simd: S,
        input: Input<'_>,
        panels: Range<usize>,
        (bias, activation): (&[f32], Activation),
        out: &mut RowsMut<'_>,
    ) {
        let inputs = 0..self.inputs();
        #[cfg(target_arch = "x86_64")]
        if let Input::Split(tiles, a) = input {
            each!(self, b => amx::gemm_bias_act(tiles, a, b, panels, (bias, activation), out));
            return;
        }
        for (index, panel) in panels.enumerate() {
            // Panel by panel, so that all passes find it in the first-level cache.
            let columns = index * PANEL..out.columns.min((index + 1) * PANEL);
            let mut out = out.columns(columns.clone());
            for row in 0..out.rows {
                out.row(row).copy_from_slice(&bias[columns.clone()]);
            }
            self.accumulate(simd, input, inputs.clone(), panel..panel + 1, &mut out);
            if activation != Activation::None {
                for row in 0..out.rows {
                    for values in out.row(row).chunks_mut(S::LANES) {
                        let x = load_part(simd, values);
                        store_part(simd, values, activation.apply(simd, x));
                    }
                }
            }
        }
    }

    /// As [`Self::gemm_bias_act`], with the result packed for products with `next`.
    ///
    /// # Panics
    ///
    /// As [`Self::gemm_bias_act`].
    #[inline(always)]
    pub(crate) fn gemm_bias_act_packed<'a, S: Simd>(
        &self,
        simd: S,
        input: Input<'_>,
        panels: Range<usize>,
        after: (&[f32], Activation),
        next: &Self,
        (scratch, whole): (&'a mut InputScratch, &'a mut Aligned<f32>),
    ) -> Input<'a> {
        let columns = after.0.len();
        #[cfg(target_arch = "x86_64")]
        if let Input::Split(tiles, a) = input
            && amx::is_one_block(self.inputs())
        {
            let out = &mut scratch.split;
            each!(self, b => each!(next, c => {
                amx::gemm_bias_act_split(tiles, a, b, panels, after, out, c)
            }));
            return Input::Split(tiles, out);
        }
        let rows = input.rows();
        let whole = whole.resize(rows * columns);
        let mut view = RowsMut::dense(whole, rows, columns);
        self.gemm_bias_act(simd, input, panels, after, &mut view);
        next.pack_input(simd, Rows::dense(whole, rows, columns), scratch)
    }
}

/// Rows packed for a product.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    Whole(Rows<'a>),
    Tiled(&'a TiledRows),
    #[cfg(target_arch = "x86_64")]
    Split(Avx512, &'a SplitRows),
    Quantized(&'a QuantizedRows),
}

impl Input<'_> {
    fn rows(&self) -> usize {
        match self {
            Self::Whole(rows) => rows.rows,
            Self::Tiled(rows) => rows.rows(),
            #[cfg(target_arch = "x86_64")]
            Self::Split(_, rows) => rows.rows(),
            Self::Quantized(rows) => rows.rows(),
        }
    }
}

/// Scratch buffers for packed rows.
#[derive(Debug, Default)]
pub(crate) struct InputScratch {
    tiled: TiledRows,
    quantized: QuantizedRows,
    #[cfg(target_arch = "x86_64")]
    split: SplitRows,
}

/// How rows are shared out as parallel tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskRows {
    /// Rows of a tile of a product: tasks of whole tiles waste nothing.
    pub(crate) tile: usize,
    /// The most rows of a task. With more, less stays in the second-level cache; with fewer, every
    /// block of weights is converted for more tasks. Measured: 192 with AMX, 320 with AVX2.
    pub(crate) most: usize,
}

impl TaskRows {
    pub(crate) fn of(isa: Isa) -> Self {
        struct Of;

        impl Kernel for Of {
            type Output = TaskRows;

            #[inline(always)]
            fn run<S: Simd>(self, simd: S) -> TaskRows {
                #[cfg(target_arch = "x86_64")]
                if simd.tiles().is_some() {
                    return TaskRows {
                        tile: amx::ROWS,
                        most: 192,
                    };
                }
                let _ = simd;
                TaskRows {
                    tile: S::TILE_ROWS,
                    most: 320,
                }
            }
        }

        isa.run(Of)
    }
}
