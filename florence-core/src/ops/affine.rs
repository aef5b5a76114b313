//! `x·W + b`: the linear layers.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::contiguous_f32;
use super::layer_norm::{self, Norm};
use super::math::Activation;
use super::matrix::{Rows, RowsMut};
use super::panels::PANEL;
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};
use super::split::{chunk_rows, shares};
use super::weight::{Input, Weight};

/// A linear layer.
#[derive(Debug)]
pub(crate) struct Affine {
    weight: Weight,
    bias: Vec<f32>,
}

impl Affine {
    /// # Errors
    ///
    /// When `bias` does not have one value an output.
    pub(crate) fn new(weight: Weight, bias: Option<Vec<f32>>) -> Result<Self> {
        let bias = bias.unwrap_or_else(|| vec![0.0; weight.outputs()]);
        if bias.len() != weight.outputs() {
            bail!("{} biases for {} outputs", bias.len(), weight.outputs());
        }
        Ok(Self { weight, bias })
    }

    pub(crate) fn inputs(&self) -> usize {
        self.weight.inputs()
    }

    pub(crate) fn outputs(&self) -> usize {
        self.weight.outputs()
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
            .set(simd, input, panels, (bias, activation), out);
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
        match chunk_rows(x.rows) {
            Some(chunk) => {
                out.par_chunks_mut(chunk * outputs)
                    .enumerate()
                    .for_each(|(index, out)| {
                        let x = x.part(index * chunk, out.len() / outputs);
                        let out = RowsMut::dense(out, x.rows, outputs);
                        let panels = 0..self.weight.panels();
                        isa.run(Apply {
                            affine: self,
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
                        affine: self,
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
    /// [`Affine::forward_into`]; without a norm, just the sum.
    pub(crate) fn add_into(&self, isa: Isa, input: Rows<'_>, x: &mut [f32], norm: Option<&Norm>) {
        let outputs = self.outputs();
        match chunk_rows(input.rows) {
            Some(chunk) => x
                .par_chunks_mut(chunk * outputs)
                .enumerate()
                .for_each(|(index, x)| {
                    let input = input.part(index * chunk, x.len() / outputs);
                    let x = RowsMut::dense(x, input.rows, outputs);
                    let panels = 0..self.weight.panels();
                    isa.run(Add {
                        affine: self,
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
                        affine: self,
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

    /// Panels and their columns, a share for each thread.
    fn column_shares(&self) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let panels = shares(self.weight.panels());
        let columns = panels
            .iter()
            .map(|panels| panels.start * PANEL..self.outputs().min(panels.end * PANEL))
            .collect();
        (panels, columns)
    }
}

struct Add<'a> {
    affine: &'a Affine,
    input: Rows<'a>,
    panels: Range<usize>,
    norm: Option<&'a Norm>,
    x: RowsMut<'a>,
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Affine { weight, bias } = self.affine;
        let bias = &bias[self.panels.start * PANEL..][..self.x.columns];
        for row in 0..self.x.rows {
            for (x, bias) in self.x.row(row).iter_mut().zip(bias) {
                *x += bias;
            }
        }
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let input = weight.take(simd, self.input, &mut scratch.input);
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
    affine: &'a Affine,
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
                let input = self.affine.weight.take(simd, self.x, &mut scratch.input);
                self.affine
                    .apply(simd, input, self.panels, self.activation, &mut self.out);
            },
        );
    }
}

/// `x: (…, inputs)` to `activation(x·W + b): (…, outputs)`.
pub(crate) fn affine(x: &Tensor, affine: &Affine, activation: Activation) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Op { affine, activation })
}

struct Op<'a> {
    affine: &'a Affine,
    activation: Activation,
}

impl CustomOp1 for Op<'_> {
    fn name(&self) -> &'static str {
        "florence-affine"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let inputs = self.affine.inputs();
        let mut dims = layout.dims().to_vec();
        match dims.last_mut() {
            Some(last) if *last == inputs => *last = self.affine.outputs(),
            _ => bail!("affine: x {:?} does not end in {inputs}", layout.dims()),
        }
        let x = contiguous_f32(self.name(), x, layout)?;
        let rows = x.len() / inputs;
        let mut out = vec![0.0; rows * self.affine.outputs()];
        let x = Rows::dense(x, rows, inputs);
        self.affine
            .forward_into(Isa::best(), x, self.activation, &mut out);
        Ok((CpuStorage::F32(out), Shape::from(dims)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{self, close, random, rows_of, tensor};

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
                    let layer = Affine::new(weight, Some(bias.clone()))?;
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
                    let op = affine(&tensor(&x, (1, rows, inputs)), &layer, activation)?;
                    assert_eq!(op.dims(), [1, rows, outputs]);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_sum_is_normalised_for_few_and_many_rows() -> Result<()> {
        for (rows, inputs, outputs) in [(1, 5, 3), (3, 40, 70), (300, 33, 65)] {
            let layer = testing::affine(inputs, outputs, 1);
            let norm = Norm::new(random(outputs, 2), random(outputs, 3), 1e-5)?;
            let (input, x) = (random(rows * inputs, 4), random(rows * outputs, 5));
            let sum = testing::slow_affine(&tensor(&input, (rows, inputs)), &layer)?;
            let sum = (sum + tensor(&x, (rows, outputs)))?;
            let normed = layer_norm::layer_norm(&sum, &norm)?;
            for (norm, slow) in [(None, sum), (Some(&norm), normed)] {
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

    #[test]
    fn a_wrong_last_dimension_is_an_error() -> Result<()> {
        let layer = testing::affine(3, 4, 1);
        assert!(affine(&tensor(&[0.0; 8], (2, 4)), &layer, Activation::None).is_err());
        Ok(())
    }
}
