//! Scaled dot-product attention of one head.

use super::gemm::{PANEL, Panels, Rows, RowsMut, accumulate};
use super::scratch::Head;
use super::simd::math::exp;
use super::simd::{Simd, load_part, store_part};

/// Queries whose scores are computed at once.
const QUERIES: usize = 56;

/// Packs the rows of `keys: (len, width)`, times `scale`, as the columns of `packed`.
#[inline(always)]
pub(crate) fn pack_keys<S: Simd>(simd: S, keys: Rows<'_>, scale: f32, packed: &mut Panels) {
    packed.reshape(keys.columns, keys.rows);
    for panel in 0..packed.count() {
        let values = packed.panel_mut(panel);
        for at in (0..PANEL).step_by(S::LANES) {
            let first = panel * PANEL + at;
            let rows = S::LANES.min(keys.rows.saturating_sub(first));
            let part = keys.part(first.min(keys.rows - 1), rows);
            // SAFETY: the panel has a row of 32 values for each column.
            unsafe { part.write_columns(simd, values.as_mut_ptr().add(at), PANEL) };
        }
        for values in values.chunks_exact_mut(S::LANES) {
            let scaled = simd.mul(load_part(simd, values), simd.splat(scale));
            store_part(simd, values, scaled);
        }
    }
}

/// Packs the rows of `values: (len, width)` as the rows of `packed`.
#[inline(always)]
pub(crate) fn pack_values(values: Rows<'_>, packed: &mut Panels) {
    packed.reshape(values.rows, values.columns);
    for panel in 0..packed.count() {
        let columns = panel * PANEL..values.columns.min((panel + 1) * PANEL);
        for (row, to) in packed.panel_mut(panel).chunks_exact_mut(PANEL).enumerate() {
            let (to, padding) = to.split_at_mut(columns.len());
            to.copy_from_slice(&values.row(row)[columns.clone()]);
            padding.fill(0.0);
        }
    }
}

/// `out = softmax(queries · keys) · values`, where query `i` attends to the first `visible(i)`
/// keys, at least one.
///
/// `keys` come from [`pack_keys`], already scaled, `values` from [`pack_values`]; both may have a
/// capacity of more than `len` keys.
#[inline(always)]
pub(crate) fn attend<S: Simd>(
    simd: S,
    queries: Rows<'_>,
    (keys, values): (&Panels, &Panels),
    len: usize,
    visible: impl Fn(usize) -> usize,
    head: &mut Head,
    out: &mut RowsMut<'_>,
) {
    let panels = len.div_ceil(PANEL);
    let stride = panels * PANEL;
    for start in (0..queries.rows).step_by(QUERIES) {
        let rows = QUERIES.min(queries.rows - start);
        let scores = head.scores.resize(rows * stride);
        scores.fill(0.0);
        accumulate(
            simd,
            queries.part(start, rows),
            keys,
            0..keys.inputs,
            0..panels,
            &mut RowsMut::dense(scores, rows, stride),
        );
        for (row, scores) in scores.chunks_exact_mut(stride).enumerate() {
            let seen = visible(start + row);
            softmax(simd, &mut scores[..seen]);
            scores[seen..].fill(0.0);
        }
        let width = values.count() * PANEL;
        let attended = head.attended.resize(rows * width);
        attended.fill(0.0);
        accumulate(
            simd,
            Rows::new(scores, rows, len, stride),
            values,
            0..len,
            0..values.count(),
            &mut RowsMut::dense(attended, rows, width),
        );
        for (row, attended) in attended.chunks_exact(width).enumerate() {
            let to = out.row(start + row);
            to.copy_from_slice(&attended[..to.len()]);
        }
    }
}

/// Softmax: the exponentials of all values, divided by their sum.
#[inline(always)]
pub(crate) fn softmax<S: Simd>(simd: S, values: &mut [f32]) {
    let shift = simd.splat(largest(simd, values));
    let whole = values.len() / S::LANES * S::LANES;
    let (whole, rest) = values.split_at_mut(whole);
    let mut sums = simd.splat(0.0);
    for values in whole.chunks_exact_mut(S::LANES) {
        let power = exp(simd, simd.sub(load_part(simd, values), shift));
        sums = simd.add(sums, power);
        store_part(simd, values, power);
    }
    let power = exp(simd, simd.sub(load_part(simd, rest), shift));
    store_part(simd, rest, power);
    let share = 1.0 / (simd.sum(sums) + rest.iter().sum::<f32>());
    for values in values.chunks_mut(S::LANES) {
        let scaled = simd.mul(load_part(simd, values), simd.splat(share));
        store_part(simd, values, scaled);
    }
}

/// The largest value; NaN if one of the last lanes' is.
#[inline(always)]
pub(crate) fn largest<S: Simd>(simd: S, values: &[f32]) -> f32 {
    let chunks = values.chunks_exact(S::LANES);
    let rest = chunks.remainder().iter().copied();
    let mut most = simd.splat(f32::NEG_INFINITY);
    for chunk in chunks {
        // SAFETY: a chunk is one vector.
        most = simd.max(unsafe { simd.load(chunk.as_ptr()) }, most);
    }
    rest.fold(simd.largest(most), f32::max)
}

#[cfg(test)]
pub(crate) mod tests {
    use candle_core::{D, Result, Tensor};
    use candle_nn::ops::softmax_last_dim;

    use super::*;
    use crate::backend::cpu::simd::{Isa, Kernel};
    use crate::backend::testing::{close, random, tensor};

    /// The reference implementation, in tensor operations: `(…, queries, width)` to the same.
    pub(crate) fn slow(
        queries: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        mask: Option<&Tensor>,
    ) -> Result<Tensor> {
        let width = queries.dim(D::Minus1)? as f64;
        let queries = (queries * width.powf(-0.5))?;
        let scores = queries
            .contiguous()?
            .matmul(&keys.transpose(D::Minus2, D::Minus1)?.contiguous()?)?;
        let scores = match mask {
            Some(mask) => scores.broadcast_add(mask)?,
            None => scores,
        };
        softmax_last_dim(&scores)?.matmul(&values.contiguous()?)
    }

    struct Head1<'a> {
        rows: [Rows<'a>; 3],
        causal: bool,
        out: RowsMut<'a>,
    }

    impl Kernel for Head1<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(mut self, simd: S) {
            let [queries, keys, values] = self.rows;
            let (mut packed_keys, mut packed_values) = (Panels::default(), Panels::default());
            pack_keys(
                simd,
                keys,
                (keys.columns as f32).powf(-0.5),
                &mut packed_keys,
            );
            pack_values(values, &mut packed_values);
            let len = keys.rows;
            let causal = self.causal;
            attend(
                simd,
                queries,
                (&packed_keys, &packed_values),
                len,
                |i| if causal { i + 1 } else { len },
                &mut Head::default(),
                &mut self.out,
            );
        }
    }

    #[test]
    fn agrees_with_the_tensor_form_on_odd_shapes() -> Result<()> {
        for (queries, len, width, causal) in [
            (1, 1, 1, false),
            (3, 7, 5, false),
            (144, 144, 32, false),
            (60, 60, 64, true),
            (2, 100, 33, false),
        ] {
            let [q, k, v] =
                [(queries, 1), (len, 2), (len, 3)].map(|(rows, seed)| random(rows * width, seed));
            let mask = (0..queries * len)
                .map(|i| {
                    if causal && i % len > i / len {
                        f32::MIN
                    } else {
                        0.0
                    }
                })
                .collect::<Vec<_>>();
            let slow = slow(
                &tensor(&q, (queries, width)),
                &tensor(&k, (len, width)),
                &tensor(&v, (len, width)),
                Some(&tensor(&mask, (queries, len))),
            )?
            .flatten_all()?
            .to_vec1::<f32>()?;
            for isa in Isa::all() {
                let mut out = vec![0.0; queries * width];
                isa.run(Head1 {
                    rows: [(&q, queries), (&k, len), (&v, len)]
                        .map(|(values, rows)| Rows::dense(values, rows, width)),
                    causal,
                    out: RowsMut::dense(&mut out, queries, width),
                });
                close(&out, &slow, 1e-5);
            }
        }
        Ok(())
    }

    #[test]
    fn softmax_of_huge_scores_is_finite() {
        struct Softmax<'a>(&'a mut [f32]);
        impl Kernel for Softmax<'_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, simd: S) {
                softmax(simd, self.0);
            }
        }
        for isa in Isa::all() {
            let mut values = vec![1e30; 20];
            values[3] = -1e30;
            isa.run(Softmax(&mut values));
            close(&values[..4], &[1. / 19., 1. / 19., 1. / 19., 0.0], 1e-6);
        }
    }
}
