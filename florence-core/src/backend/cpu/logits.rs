//! Logits, and their logsumexp while they are still in the CPU's cache.

use std::ops::Range;

use rayon::prelude::*;

use super::Linear;
use super::attention::largest;
use super::gemm::{PANEL, Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::math::exp;
use super::simd::{Activation, Isa, Kernel, Simd, load_part};
use super::threads::shares;
use crate::backend::Dims;

/// `logits = head(x)` for `x: (rows, dim)`; `log_sums` are the logsumexp of each row, NaN or
/// infinite if a logit is.
pub(crate) fn logits(
    isa: Isa,
    head: &Linear,
    x: Rows<'_>,
    logits: &mut [f32],
    log_sums: &mut Vec<f32>,
) {
    let outputs = head.outputs();
    let panels = shares(head.weight().panels());
    let columns = panels
        .iter()
        .map(|panels| panels.start * PANEL..outputs.min(panels.end * PANEL))
        .collect::<Vec<_>>();
    let views = RowsMut::dense(logits, x.rows, outputs).split(&columns);
    let parts = panels
        .into_par_iter()
        .zip(views)
        .map(|(panels, out)| {
            isa.run(Share {
                head,
                x,
                panels,
                out,
            })
        })
        .collect::<Vec<_>>();
    log_sums.clear();
    log_sums.extend((0..x.rows).map(|row| {
        let most = parts
            .iter()
            .map(|part| part[row].0)
            .fold(f32::NEG_INFINITY, f32::max);
        let sum = parts
            .iter()
            .map(|part| part[row].1 * (part[row].0 - most).exp());
        most + sum.sum::<f32>().ln()
    }));
}

struct Share<'a> {
    head: &'a Linear,
    x: Rows<'a>,
    panels: Range<usize>,
    out: RowsMut<'a>,
}

impl Kernel for Share<'_> {
    /// For every row, the maximum logit and the sum of the exponentials of the differences to it.
    type Output = Vec<(f32, f32)>;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> Self::Output {
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let input = self
                    .head
                    .weight()
                    .pack_input(simd, self.x, &mut scratch.input);
                self.head
                    .apply(simd, input, self.panels, Activation::None, &mut self.out);
            },
        );
        let mut parts = Vec::with_capacity(self.x.rows);
        for row in 0..self.x.rows {
            let logits = self.out.row(row);
            let most = largest(simd, logits);
            parts.push((most, sum_exp(simd, logits, most)));
        }
        parts
    }
}

/// `Σ exp(value - most)`
#[inline(always)]
fn sum_exp<S: Simd>(simd: S, values: &[f32], most: f32) -> f32 {
    let (whole, rest) = values.split_at(values.len() / S::LANES * S::LANES);
    let shift = simd.splat(most);
    let mut sums = simd.splat(0.0);
    for values in whole.chunks_exact(S::LANES) {
        sums = simd.add(sums, exp(simd, simd.sub(load_part(simd, values), shift)));
    }
    simd.sum(sums) + rest.iter().map(|v| (v - most).exp()).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::testing::{close, kernels, linear, random, slow_linear, tensor};

    #[test]
    fn agrees_with_candle() -> candle_core::Result<()> {
        for (rows, dim, vocab) in [(1, 8, 5), (3, 64, 1000), (6, 40, 333)] {
            let head = linear(&kernels(Isa::best()), dim, vocab, 1);
            let x = random(rows * dim, 2);
            let slow = slow_linear(&tensor(&x, (rows, dim)), &head)?;
            let sums = slow.log_sum_exp(1)?.to_vec1::<f32>()?;
            let slow = slow.flatten_all()?.to_vec1::<f32>()?;
            for isa in Isa::all() {
                let (mut out, mut log_sums) = (vec![0.0; rows * vocab], Vec::new());
                logits(
                    isa,
                    &head,
                    Rows::dense(&x, rows, dim),
                    &mut out,
                    &mut log_sums,
                );
                close(&out, &slow, 1e-5);
                close(&log_sums, &sums, 1e-6);
            }
        }
        Ok(())
    }

    #[test]
    fn nan_and_infinity_are_reported() {
        let head = linear(&kernels(Isa::best()), 4, 50, 1);
        for odd in [f32::NAN, f32::INFINITY] {
            let x = [1.0, odd, 0.0, 0.0];
            for isa in Isa::all() {
                let (mut out, mut log_sums) = (vec![0.0; 50], Vec::new());
                logits(isa, &head, Rows::dense(&x, 1, 4), &mut out, &mut log_sums);
                assert!(!log_sums[0].is_finite());
            }
        }
    }
}
