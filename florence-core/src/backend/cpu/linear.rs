//! `x·W + b`: the linear layers.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Result, bail};
use rayon::prelude::*;

use super::gemm::{Input, PANEL, Rows, RowsMut, Weight};
use super::layer_norm::{self, LayerNorm};
use super::scratch::Scratch;
use super::simd::{Activation, Isa, Kernel, Simd};
use super::threads::{chunk_rows, shares};
use crate::backend::Dims;

/// A linear layer; clones share its memory.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: Arc<Weight>,
    bias: Arc<[f32]>,
}

impl Linear {
    /// # Errors
    ///
    /// When `bias` does not have one value an output.
    pub(crate) fn new(weight: Weight, bias: Option<Vec<f32>>) -> Result<Self> {
        let bias = bias.unwrap_or_else(|| vec![0.0; weight.outputs()]);
        if bias.len() != weight.outputs() {
            bail!("{} biases for {} outputs", bias.len(), weight.outputs());
        }
        Ok(Self {
            weight: Arc::new(weight),
            bias: bias.into(),
        })
    }

    pub(crate) fn weight(&self) -> &Weight {
        &self.weight
    }

    pub(crate) fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// `out = activation(x·W + b)`, of which `out` has the columns of `panels`.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(
        &self,
        simd: S,
        input: Input<'_>,
        panels: Range<usize>,
        activation: Activation,
        out: &mut RowsMut<'_>,
    ) {
        let bias = &self.bias[panels.start * PANEL..][..out.columns];
        self.weight
            .gemm_bias_act(simd, input, panels, (bias, activation), out);
    }

    /// `out = activation(x·W + b)` on all threads: by rows if there are many,
    /// else by columns.
    pub(crate) fn forward_into(
        &self,
        isa: Isa,
        x: Rows<'_>,
        activation: Activation,
        out: &mut [f32],
    ) {
        let outputs = self.outputs();
        match chunk_rows(isa, x.rows) {
            Some(chunk) => {
                out.par_chunks_mut(chunk * outputs)
                    .enumerate()
                    .for_each(|(index, out)| {
                        let x = x.part(index * chunk, out.len() / outputs);
                        let out = RowsMut::dense(out, x.rows, outputs);
                        let panels = 0..self.weight.panels();
                        isa.run(Apply {
                            layer: self,
                            x,
                            panels,
                            activation,
                            out,
                        });
                    })
            }
            None => {
                let (panels, columns) = self.column_shares();
                let views = RowsMut::dense(out, x.rows, outputs).split(&columns);
                panels.into_par_iter().zip(views).for_each(|(panels, out)| {
                    isa.run(Apply {
                        layer: self,
                        x,
                        panels,
                        activation,
                        out,
                    });
                });
            }
        }
    }

    /// `x = norm(x + input·W + b)` on all threads, by rows or by columns as in
    /// [`Linear::forward_into`]; without a norm, just the sum.
    pub(crate) fn add_into(
        &self,
        isa: Isa,
        input: Rows<'_>,
        x: &mut [f32],
        norm: Option<&LayerNorm>,
    ) {
        let outputs = self.outputs();
        match chunk_rows(isa, input.rows) {
            Some(chunk) => x
                .par_chunks_mut(chunk * outputs)
                .enumerate()
                .for_each(|(index, x)| {
                    let input = input.part(index * chunk, x.len() / outputs);
                    let x = RowsMut::dense(x, input.rows, outputs);
                    let panels = 0..self.weight.panels();
                    isa.run(Add {
                        layer: self,
                        input,
                        panels,
                        norm,
                        x,
                    });
                }),
            None => {
                let (panels, columns) = self.column_shares();
                let views = RowsMut::dense(x, input.rows, outputs).split(&columns);
                panels.into_par_iter().zip(views).for_each(|(panels, x)| {
                    isa.run(Add {
                        layer: self,
                        input,
                        panels,
                        norm: None,
                        x,
                    });
                });
                if let Some(norm) = norm {
                    layer_norm::rows_in_place(isa, norm, x);
                }
            }
        }
    }

    /// Panels and their columns, one share per thread.
    fn column_shares(&self) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let panels = shares(self.weight.panels());
        let columns = panels
            .iter()
            .map(|panels| panels.start * PANEL..self.outputs().min(panels.end * PANEL))
            .collect();
        (panels, columns)
    }
}

impl Dims for Linear {
    fn inputs(&self) -> usize {
        self.weight.inputs()
    }

    fn outputs(&self) -> usize {
        self.weight.outputs()
    }
}

struct Add<'a> {
    layer: &'a Linear,
    input: Rows<'a>,
    panels: Range<usize>,
    norm: Option<&'a LayerNorm>,
    x: RowsMut<'a>,
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Linear { weight, bias } = self.layer;
        let bias = &bias[self.panels.start * PANEL..][..self.x.columns];
        for row in 0..self.x.rows {
            for (x, bias) in self.x.row(row).iter_mut().zip(bias) {
                *x += bias;
            }
        }
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let input = weight.pack_input(simd, self.input, &mut scratch.input);
                weight.accumulate(simd, input, 0..weight.inputs(), self.panels, &mut self.x);
            },
        );
        if let Some(norm) = self.norm {
            for row in 0..self.x.rows {
                norm.row_in_place(simd, self.x.row(row));
            }
        }
    }
}

struct Apply<'a> {
    layer: &'a Linear,
    x: Rows<'a>,
    panels: Range<usize>,
    activation: Activation,
    out: RowsMut<'a>,
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let input = self
                    .layer
                    .weight
                    .pack_input(simd, self.x, &mut scratch.input);
                self.layer
                    .apply(simd, input, self.panels, self.activation, &mut self.out);
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::backend::testing::{
        candle, close, kernels, linear, norm, random, rows_of, slow_linear, tensor,
    };

    #[test]
    fn agrees_with_candle_for_few_and_many_rows() -> Result<()> {
        for (rows, inputs, outputs) in [
            (1, 5, 3),
            (3, 40, 70),
            (8, 96, 200),
            (200, 33, 65),
            (700, 64, 96),
        ] {
            let weight = random(outputs * inputs, 1);
            let bias = random(outputs, 2);
            let x = random(rows * inputs, 3);
            let slow = tensor(&x, (rows, inputs))
                .matmul(&tensor(&weight, (outputs, inputs)).t()?)?
                .broadcast_add(&tensor(&bias, outputs))?;
            for (activation, slow) in [
                (Activation::None, slow.clone()),
                (Activation::Gelu, slow.gelu_erf()?),
            ] {
                let slow = slow.flatten_all()?.to_vec1::<f32>()?;
                for (weight, tolerance) in [
                    (
                        Weight::exactly(outputs, inputs, rows_of(&weight, inputs)).unwrap(),
                        1e-5,
                    ),
                    (
                        Weight::quantized(outputs, inputs, rows_of(&weight, inputs)).unwrap(),
                        3e-2,
                    ),
                ] {
                    let layer = Linear::new(weight, Some(bias.clone()))?;
                    for isa in Isa::all() {
                        let mut out = vec![f32::NAN; rows * outputs];
                        layer.forward_into(
                            isa,
                            Rows::dense(&x, rows, inputs),
                            activation,
                            &mut out,
                        );
                        close(&out, &slow, tolerance);
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_sum_is_normalized_for_few_and_many_rows() -> Result<()> {
        for (rows, inputs, outputs) in [(1, 5, 3), (3, 40, 70), (300, 33, 65)] {
            let cpu = kernels(Isa::best());
            let layer = linear(&cpu, inputs, outputs, 1);
            let (input, x) = (random(rows * inputs, 4), random(rows * outputs, 5));
            let sum = slow_linear(&tensor(&input, (1, rows, inputs)), &layer)?;
            let sum = (sum + tensor(&x, (1, rows, outputs)))?;
            let normed = candle().normalize(sum.clone(), &norm(&candle(), outputs, 2))?;
            for (norm, slow) in [(None, sum), (Some(&norm(&cpu, outputs, 2)), normed)] {
                let slow = slow.flatten_all()?.to_vec1::<f32>()?;
                for isa in Isa::all() {
                    let mut x = x.clone();
                    layer.add_into(isa, Rows::dense(&input, rows, inputs), &mut x, norm);
                    close(&x, &slow, 2e-5);
                }
            }
        }
        Ok(())
    }
}
