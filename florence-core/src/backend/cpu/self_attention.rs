//! Self-attention between all tokens of a sequence, over packed queries, keys
//! and values.

use rayon::prelude::*;

use super::attention::{attend, pack_keys, pack_values};
use super::gemm::{Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};

/// Attends within each sequence of `qkv: (batch, len, 3·dim)` and writes `out: (batch, len, dim)`.
/// All tokens attend to the first `lengths[i]` tokens of their sequence `i`; the rest is padding.
pub(crate) fn self_attention(
    isa: Isa,
    qkv: &[f32],
    heads: usize,
    dim: usize,
    lengths: &[usize],
    out: &mut [f32],
) {
    let len = out.len() / dim / lengths.len();
    let columns = (0..heads)
        .map(|head| head * dim / heads..(head + 1) * dim / heads)
        .collect::<Vec<_>>();
    out.par_chunks_mut(len * dim)
        .zip(qkv.par_chunks(len * 3 * dim))
        .zip(lengths)
        .for_each(|((out, qkv), &visible)| {
            let views = RowsMut::dense(out, len, dim).split(&columns);
            views.into_par_iter().enumerate().for_each(|(head, out)| {
                isa.run(Head {
                    qkv,
                    head,
                    len,
                    dim,
                    visible,
                    out,
                });
            });
        });
}

struct Head<'a> {
    qkv: &'a [f32],
    head: usize,
    len: usize,
    dim: usize,
    visible: usize,
    out: RowsMut<'a>,
}

impl Kernel for Head<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let width = self.out.columns;
        let part = |index, rows| {
            let start = index * self.dim + self.head * width;
            Rows::new(&self.qkv[start..], rows, width, 3 * self.dim)
        };
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let head = &mut scratch.head;
                let (mut keys, mut values) = head.take();
                let scale = (width as f32).powf(-0.5);
                pack_keys(simd, part(1, self.visible), scale, &mut keys);
                pack_values(part(2, self.visible), &mut values);
                let (queries, packed) = (part(0, self.len), (&keys, &values));
                let visible = self.visible;
                attend(
                    simd,
                    queries,
                    packed,
                    visible,
                    #[inline(always)]
                    |_| visible,
                    head,
                    &mut self.out,
                );
                head.give_back(keys, values);
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Result;

    use super::*;
    use crate::backend::cpu::attention;
    use crate::backend::testing::{close, random, tensor};

    #[test]
    fn agrees_with_the_tensor_form_with_and_without_padding() -> Result<()> {
        for (batch, len, dim, heads, lengths) in [
            (1, 1, 4, 2, vec![1]),
            (2, 9, 12, 3, vec![9, 4]),
            (3, 70, 64, 2, vec![70, 33, 1]),
        ] {
            let qkv = random(batch * len * 3 * dim, 1);
            let parts =
                tensor(&qkv, (batch, len, 3, heads, dim / heads)).permute((2, 0, 3, 1, 4))?;
            let mask = (0..batch * len).map(|i| {
                if i % len < lengths[i / len] {
                    0.0
                } else {
                    f32::MIN
                }
            });
            let mask = tensor(&mask.collect::<Vec<_>>(), (batch, 1, 1, len));
            let slow = attention::tests::slow(
                &parts.get(0)?,
                &parts.get(1)?,
                &parts.get(2)?,
                Some(&mask),
            )?
            .transpose(1, 2)?
            .flatten_all()?
            .to_vec1::<f32>()?;
            for isa in Isa::all() {
                let mut out = vec![f32::NAN; batch * len * dim];
                self_attention(isa, &qkv, heads, dim, &lengths, &mut out);
                close(&out, &slow, 1e-5);
            }
        }
        Ok(())
    }
}
