//! KV cache of a decoder's own tokens, in pages of 32 positions, and attention to it.
//!
//! A page is a panel of keys and a block of values for every row and head, so that memory grows
//! without moving and products read it in place. Rows are the beams of a search; beams share most
//! of their history, and continuing from another beam copies only what differs.

use rayon::prelude::*;

use super::attention::softmax;
use super::gemm::{Aligned, PANEL, Panels, Rows, RowsMut, accumulate};
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};

/// Keys and values in all layers, of rows that each are one beam of one image.
#[derive(Debug)]
pub(crate) struct KvCache {
    pub(crate) layers: Vec<LayerCache>,
    steps: usize,
    /// For each pair of rows, the length of their common prefix.
    common: Vec<Vec<usize>>,
}

impl KvCache {
    pub(crate) fn new(layers: usize, rows: usize, heads: usize, dim: usize) -> Self {
        Self {
            layers: (0..layers)
                .map(|_| LayerCache::new(rows, heads, dim))
                .collect(),
            steps: 0,
            common: vec![vec![0; rows]; rows],
        }
    }
}

impl crate::backend::KvCache for KvCache {
    fn steps(&self) -> usize {
        self.steps
    }

    fn advance(&mut self, tokens: usize) {
        self.steps += tokens;
        for (row, common) in self.common.iter_mut().enumerate() {
            common[row] = self.steps;
        }
    }

    /// Only what differs is copied.
    fn reorder(&mut self, parents: &[u32]) -> candle_core::Result<()> {
        let moves = parents.iter().enumerate().filter_map(|(to, &from)| {
            let from = from as usize;
            let start = self.common[to][from];
            (from != to && start < self.steps).then_some(CopyRow { from, to, start })
        });
        let moves = moves.collect::<Vec<_>>();
        if !moves.is_empty() {
            for layer in &mut self.layers {
                layer.reorder(&moves);
            }
        }
        let row = |&parent: &u32| {
            let common = &self.common[parent as usize];
            parents
                .iter()
                .map(|&other| common[other as usize])
                .collect()
        };
        self.common = parents.iter().map(row).collect();
        Ok(())
    }
}

/// Keys and values of one layer.
#[derive(Debug)]
pub(crate) struct LayerCache {
    heads: usize,
    width: usize,
    rows: usize,
    steps: usize,
    /// For each page, row and head.
    pages: Vec<Vec<(Panels, Panels)>>,
}

impl LayerCache {
    pub(crate) fn new(rows: usize, heads: usize, dim: usize) -> Self {
        Self {
            heads,
            width: dim / heads,
            rows,
            steps: 0,
            pages: Vec::new(),
        }
    }

    /// Appends `len` tokens a row and attends from them: `qkv: (rows, len, 3·dim)` to
    /// `out: (rows, len, dim)`, each token attending to those before it and itself.
    pub(crate) fn attend(&mut self, isa: Isa, qkv: &[f32], rows: usize, out: &mut [f32]) {
        let dim = self.heads * self.width;
        let len = qkv.len() / (3 * dim) / rows;
        assert!(rows <= self.rows);
        while self.pages.len() * PANEL < self.steps + len {
            let page = || {
                (
                    Panels::zeroed(self.width, PANEL),
                    Panels::zeroed(PANEL, self.width),
                )
            };
            let page = std::iter::repeat_with(page).take(self.rows * self.heads);
            self.pages.push(page.collect());
        }
        for (token, qkv) in qkv.chunks_exact(3 * dim).enumerate() {
            self.set(token / len, self.steps + token % len, &qkv[dim..]);
        }
        let columns = (0..dim)
            .step_by(self.width)
            .map(|start| start..start + self.width);
        let columns = columns.collect::<Vec<_>>();
        let past = &*self;
        let views = out
            .chunks_exact_mut(len * dim)
            .flat_map(|out| RowsMut::dense(out, len, dim).split(&columns))
            .collect::<Vec<_>>();
        views
            .into_par_iter()
            .enumerate()
            .with_min_len(self.heads)
            .for_each(|(at, out)| {
                let (row, head) = (at / past.heads, at % past.heads);
                let start = row * len * 3 * dim + head * past.width;
                let queries = Rows::new(&qkv[start..], len, past.width, 3 * dim);
                isa.run(Head {
                    past,
                    at,
                    queries,
                    out,
                });
            });
        self.steps += len;
    }

    /// Writes a token's `(2·dim)` keys and values.
    fn set(&mut self, row: usize, step: usize, keys_values: &[f32]) {
        let (keys, values) = keys_values.split_at(self.heads * self.width);
        let scale = (self.width as f32).powf(-0.5);
        let page = &mut self.pages[step / PANEL][row * self.heads..];
        let heads = keys
            .chunks_exact(self.width)
            .zip(values.chunks_exact(self.width));
        for ((keys, values), page) in heads.zip(page) {
            for (to, key) in page.0.panel_mut(0).chunks_exact_mut(PANEL).zip(keys) {
                to[step % PANEL] = key * scale;
            }
            for (panel, values) in values.chunks(PANEL).enumerate() {
                let to = &mut page.1.panel_mut(panel)[step % PANEL * PANEL..];
                to[..values.len()].copy_from_slice(values);
            }
        }
    }

    /// Copies the positions of row `from` from `start` on to row `to`, for every pair of `moves`,
    /// as if all at once.
    fn reorder(&mut self, moves: &[CopyRow]) {
        let mut copies = Vec::with_capacity(moves.len());
        for &CopyRow { from, start, .. } in moves {
            let mut copy = Vec::new();
            self.each_tail(from, start, |values| copy.extend_from_slice(values));
            copies.push(copy);
        }
        for (&CopyRow { to, start, .. }, copy) in moves.iter().zip(&copies) {
            let mut rest = copy.as_slice();
            self.each_tail(to, start, |values| {
                let (first, others) = rest.split_at(values.len());
                values.copy_from_slice(first);
                rest = others;
            });
        }
    }

    /// Visits all values of a row's positions from `start` on, in one order.
    fn each_tail(&mut self, row: usize, start: usize, mut show: impl FnMut(&mut [f32])) {
        for (index, page) in self.pages.iter_mut().enumerate() {
            let first = start.saturating_sub(index * PANEL);
            let end = PANEL.min(self.steps.saturating_sub(index * PANEL));
            if first >= end {
                continue;
            }
            for (keys, values) in &mut page[row * self.heads..][..self.heads] {
                for line in keys.panel_mut(0).chunks_exact_mut(PANEL) {
                    show(&mut line[first..end]);
                }
                for panel in 0..values.count() {
                    show(&mut values.panel_mut(panel)[first * PANEL..end * PANEL]);
                }
            }
        }
    }
}

/// A row that continues another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CopyRow {
    from: usize,
    to: usize,
    /// Before this position the two are the same.
    start: usize,
}

struct Head<'a> {
    past: &'a LayerCache,
    /// Index of the row and head.
    at: usize,
    queries: Rows<'a>,
    out: RowsMut<'a>,
}

impl Kernel for Head<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Self { past, at, .. } = self;
        let len = self.queries.rows;
        let stride = past.pages.len() * PANEL;
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let scores = scratch.head.scores.resize(len * stride);
                scores.fill(0.0);
                let mut view = RowsMut::dense(scores, len, stride);
                for (index, page) in past.pages.iter().enumerate() {
                    let keys = &page[at].0;
                    let mut scores = view.columns(index * PANEL..(index + 1) * PANEL);
                    accumulate(simd, self.queries, keys, 0..past.width, 0..1, &mut scores);
                }
                for (token, scores) in scores.chunks_exact_mut(stride).enumerate() {
                    let seen = past.steps + token + 1;
                    softmax(simd, &mut scores[..seen]);
                    scores[seen..].fill(0.0);
                }
                let panels = past.width.div_ceil(PANEL);
                let attended = zeroed(&mut scratch.head.attended, len * panels * PANEL);
                let mut view = RowsMut::dense(attended, len, panels * PANEL);
                for (index, page) in past.pages.iter().enumerate() {
                    let shares = Rows::new(&scores[index * PANEL..], len, PANEL, stride);
                    accumulate(simd, shares, &page[at].1, 0..PANEL, 0..panels, &mut view);
                }
                for (token, attended) in attended.chunks_exact(panels * PANEL).enumerate() {
                    self.out.row(token).copy_from_slice(&attended[..past.width]);
                }
            },
        );
    }
}

#[inline(always)]
fn zeroed(values: &mut Aligned<f32>, len: usize) -> &mut [f32] {
    let values = values.resize(len);
    values.fill(0.0);
    values
}

#[cfg(test)]
mod tests {
    use candle_core::{Result, Tensor};

    use super::*;
    use crate::backend::cpu::attention;
    use crate::backend::testing::{close, random, tensor};

    use crate::backend::KvCache as _;

    #[test]
    fn rows_share_their_common_prefix() -> Result<()> {
        let mut cache = KvCache::new(0, 3, 1, 1);
        cache.advance(1);
        cache.reorder(&[0, 0, 0])?;
        assert_eq!(cache.common, [[1; 3]; 3]);
        cache.advance(1);
        assert_eq!(cache.common, [[2, 1, 1], [1, 2, 1], [1, 1, 2]]);
        cache.reorder(&[1, 1, 2])?;
        assert_eq!(cache.common, [[2, 2, 1], [2, 2, 1], [1, 1, 2]]);
        cache.advance(1);
        cache.reorder(&[2, 0])?;
        assert_eq!(cache.common, [[3, 1], [1, 3]]);
        Ok(())
    }

    const DIM: usize = 40;
    const HEADS: usize = 2;

    /// All tokens of a row at once, causally.
    fn slow(qkv: &[f32]) -> Result<Vec<f32>> {
        let len = qkv.len() / (3 * DIM);
        let parts = tensor(qkv, (len, 3, HEADS, DIM / HEADS)).permute((1, 2, 0, 3))?;
        let mask = (0..len * len).map(|i| if i % len > i / len { f32::MIN } else { 0.0 });
        let mask = tensor(&mask.collect::<Vec<_>>(), (1, len, len));
        let out: Tensor =
            attention::tests::slow(&parts.get(0)?, &parts.get(1)?, &parts.get(2)?, Some(&mask))?;
        out.transpose(0, 1)?.flatten_all()?.to_vec1()
    }

    fn token(rows: usize, step: usize) -> Vec<f32> {
        random(rows * 3 * DIM, 1 + step as u64)
    }

    #[test]
    fn agrees_with_the_tensor_form_step_by_step_and_at_once() -> Result<()> {
        let steps = 70;
        for isa in Isa::all() {
            let mut past = LayerCache::new(1, HEADS, DIM);
            let (mut all, mut outs) = (Vec::new(), Vec::new());
            for step in 0..steps {
                let qkv = token(1, step);
                let mut out = vec![0.0; DIM];
                past.attend(isa, &qkv, 1, &mut out);
                all.extend(qkv);
                outs.extend(out);
            }
            let slow = slow(&all)?;
            close(&outs, &slow, 1e-5);
            let mut out = vec![0.0; steps * DIM];
            LayerCache::new(1, HEADS, DIM).attend(isa, &all, 1, &mut out);
            close(&out, &slow, 1e-5);
        }
        Ok(())
    }

    #[test]
    fn rows_continue_their_parents() -> Result<()> {
        let rows = 3;
        let mut past = LayerCache::new(rows, HEADS, DIM);
        let mut histories = vec![Vec::new(); rows];
        for step in 0..40 {
            let qkv = token(rows, step);
            let mut out = vec![0.0; rows * DIM];
            past.attend(Isa::best(), &qkv, rows, &mut out);
            for (row, history) in histories.iter_mut().enumerate() {
                history.extend_from_slice(&qkv[row * 3 * DIM..][..3 * DIM]);
                close(
                    &out[row * DIM..][..DIM],
                    &slow(history)?[step * DIM..],
                    1e-5,
                );
            }
            // Two rows change places, and the third follows the first.
            if step % 7 == 3 {
                past.reorder(&[
                    CopyRow {
                        from: 1,
                        to: 0,
                        start: 0,
                    },
                    CopyRow {
                        from: 0,
                        to: 1,
                        start: 0,
                    },
                    CopyRow {
                        from: 0,
                        to: 2,
                        start: 0,
                    },
                ]);
                histories = vec![
                    histories[1].clone(),
                    histories[0].clone(),
                    histories[0].clone(),
                ];
            }
        }
        Ok(())
    }
}
