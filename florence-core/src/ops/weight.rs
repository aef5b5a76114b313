//! A layer's weight in one of two precisions, and products with it.

use std::ops::Range;

use super::codes::{self, CodedRows, Codes};
use super::matrix::{Rows, RowsMut};
use super::panels::{self, PANEL, Panels};
use super::simd::Simd;

/// A weight that turns `inputs` into `outputs` numbers.
#[derive(Debug)]
pub(crate) enum Weight {
    F32(Panels),
    Q8(Codes),
}

impl Weight {
    pub(crate) fn inputs(&self) -> usize {
        match self {
            Self::F32(panels) => panels.inputs,
            Self::Q8(codes) => codes.inputs,
        }
    }

    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::F32(panels) => panels.outputs,
            Self::Q8(codes) => codes.outputs,
        }
    }

    /// Number of panels of 32 outputs, in which threads share the work.
    pub(crate) fn panels(&self) -> usize {
        self.outputs().div_ceil(PANEL)
    }

    /// The weights of one output, one an input.
    pub(crate) fn output(&self, output: usize, values: &mut [f32]) {
        match self {
            Self::F32(panels) => panels.column(output, values),
            Self::Q8(codes) => codes.column(output, values),
        }
    }

    /// Brings rows into the form that products with this weight take; `coded`
    /// is room for it.
    #[inline(always)]
    pub(crate) fn take<'a, S: Simd>(
        &self,
        simd: S,
        rows: Rows<'a>,
        coded: &'a mut CodedRows,
    ) -> Input<'a> {
        match self {
            Self::F32(_) => Input::F32(rows),
            Self::Q8(_) => {
                coded.quantize(simd, rows);
                Input::Q8(coded)
            }
        }
    }

    /// `out += input · weight[inputs, columns of panels]`, where `inputs` are
    /// the columns of the input, and `panels` those of `out`.
    ///
    /// # Panics
    ///
    /// When the shapes do not fit, or `input` was taken for another precision.
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
            (Self::F32(b), Input::F32(a)) => panels::accumulate(simd, a, b, inputs, panels, out),
            (Self::Q8(b), Input::Q8(a)) => codes::accumulate(simd, a, b, inputs, panels, out),
            _ => unreachable!("the input was taken for another precision"),
        }
    }
}

/// Rows in the form that a product takes.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    F32(Rows<'a>),
    Q8(&'a CodedRows),
}
