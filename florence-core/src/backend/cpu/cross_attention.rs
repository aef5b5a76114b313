//! Attention of a decoder to the encoder's output, whose keys and values are projected and packed
//! once for all steps.

use rayon::prelude::*;

use super::attention::{attend, pack_keys, pack_values};
use super::gemm::{Panels, Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};

/// For each layer of the decoder, the keys and values of every image.
#[derive(Debug)]
pub(crate) struct EncoderKv {
    pub(crate) layers: Vec<Vec<ImageKv>>,
}

impl crate::backend::EncoderKv for EncoderKv {
    fn keep(&mut self, images: &[u32]) -> candle_core::Result<()> {
        for layer in &mut self.layers {
            let mut at = 0;
            layer.retain(|_| {
                at += 1;
                images.contains(&(at - 1))
            });
        }
        Ok(())
    }
}

/// Keys and values of one image in one layer, a pair for each head.
#[derive(Debug, Clone)]
pub(crate) struct ImageKv {
    heads: Vec<(Panels, Panels)>,
    len: usize,
}

impl ImageKv {
    /// Packs the first `len` rows of `keys_values: (source, 2·dim)`.
    pub(crate) fn pack(isa: Isa, keys_values: Rows<'_>, heads: usize, len: usize) -> Self {
        let dim = keys_values.columns / 2;
        let width = dim / heads;
        let heads = (0..heads).into_par_iter().map(|head| {
            let columns = |start| keys_values.part(0, len).columns(start..start + width);
            isa.run(Pack {
                keys: columns(head * width),
                values: columns(dim + head * width),
            })
        });
        Self {
            heads: heads.collect(),
            len,
        }
    }
}

struct Pack<'a> {
    keys: Rows<'a>,
    values: Rows<'a>,
}

impl Kernel for Pack<'_> {
    type Output = (Panels, Panels);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> (Panels, Panels) {
        let mut packed = (Panels::default(), Panels::default());
        let scale = (self.keys.columns as f32).powf(-0.5);
        pack_keys(simd, self.keys, scale, &mut packed.0);
        pack_values(self.values, &mut packed.1);
        packed
    }
}

/// Attends from `queries: (rows, dim)` to the images, the same number of consecutive rows to each,
/// and writes `out: (rows, dim)`. The beams of an image are adjacent: its keys and values are read
/// once for all of them.
pub(crate) fn cross_attention(
    isa: Isa,
    queries: &[f32],
    dim: usize,
    images: &[ImageKv],
    out: &mut [f32],
) {
    let chunk = queries.len() / images.len();
    let rows = chunk / dim;
    out.par_chunks_mut(chunk)
        .zip(queries.par_chunks(chunk))
        .zip(images)
        .for_each(|((out, queries), image)| {
            let width = dim / image.heads.len();
            let columns = (0..dim).step_by(width).map(|start| start..start + width);
            let views = RowsMut::dense(out, rows, dim).split(&columns.collect::<Vec<_>>());
            views
                .into_par_iter()
                .zip(&image.heads)
                .enumerate()
                .for_each(|(head, (out, packed))| {
                    let queries = Rows::new(&queries[head * width..], rows, width, dim);
                    isa.run(Head {
                        queries,
                        packed,
                        len: image.len,
                        out,
                    });
                });
        });
}

struct Head<'a> {
    queries: Rows<'a>,
    packed: &'a (Panels, Panels),
    len: usize,
    out: RowsMut<'a>,
}

impl Kernel for Head<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (len, packed) = (self.len, (&self.packed.0, &self.packed.1));
        Scratch::with(
            #[inline(always)]
            |scratch| {
                attend(
                    simd,
                    self.queries,
                    packed,
                    len,
                    #[inline(always)]
                    |_| len,
                    &mut scratch.head,
                    &mut self.out,
                );
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
    fn agrees_with_the_tensor_form_for_several_rows_a_source() -> Result<()> {
        let (dim, heads, source) = (24, 3, 40);
        for (rows, lengths) in [(1, vec![40]), (3, vec![40, 17]), (2, vec![1, 5, 40])] {
            let batch = lengths.len();
            let queries = random(batch * rows * dim, 1);
            let memory = random(batch * source * 2 * dim, 2);
            let split = |x: &candle_core::Tensor| x.transpose(1, 2);
            let q = split(&tensor(&queries, (batch, rows, heads, dim / heads)))?;
            let kv =
                tensor(&memory, (batch, source, 2, heads, dim / heads)).permute((2, 0, 3, 1, 4))?;
            let mask = (0..batch * source).map(|i| {
                if i % source < lengths[i / source] {
                    0.0
                } else {
                    f32::MIN
                }
            });
            let mask = tensor(&mask.collect::<Vec<_>>(), (batch, 1, 1, source));
            let slow = attention::tests::slow(&q, &kv.get(0)?, &kv.get(1)?, Some(&mask))?;
            let slow = split(&slow)?.flatten_all()?.to_vec1::<f32>()?;
            for isa in Isa::all() {
                let sources = memory
                    .chunks(source * 2 * dim)
                    .zip(&lengths)
                    .map(|(memory, &len)| {
                        ImageKv::pack(isa, Rows::dense(memory, source, 2 * dim), heads, len)
                    })
                    .collect::<Vec<_>>();
                let mut out = vec![0.0; queries.len()];
                cross_attention(isa, &queries, dim, &sources, &mut out);
                close(&out, &slow, 1e-5);
            }
        }
        Ok(())
    }
}
