//! What the decoder remembers: keys and values, kept outside of the layers so
//! that one model serves many generations at once.

use crate::ops::{Move, Past, Source};

/// Keys and values of the decoder's own tokens, one [`Past`] a layer, of rows
/// that each are one beam of one image.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(super) layers: Vec<Past>,
    steps: usize,
    /// For each pair of rows, how many of their first positions are the same.
    common: Vec<Vec<usize>>,
}

impl Cache {
    pub(super) fn new(layers: usize, rows: usize, heads: usize, dim: usize) -> Self {
        Self {
            layers: (0..layers).map(|_| Past::new(rows, heads, dim)).collect(),
            steps: 0,
            common: vec![vec![0; rows]; rows],
        }
    }

    /// Number of tokens that every row has seen.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    pub(super) fn advance(&mut self, tokens: usize) {
        self.steps += tokens;
        for (row, common) in self.common.iter_mut().enumerate() {
            common[row] = self.steps;
        }
    }

    /// Keeps the rows `parents`, in that order: row `i` goes on from what row
    /// `parents[i]` has seen. Only what differs is copied.
    pub(crate) fn reorder(&mut self, parents: &[u32]) {
        let moves = parents.iter().enumerate().filter_map(|(to, &from)| {
            let from = from as usize;
            let start = self.common[to][from];
            (from != to && start < self.steps).then_some(Move { from, to, start })
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
    }
}

/// Keys and values of the encoder's output, projected once a question: for each
/// layer, one [`Source`] an image.
#[derive(Debug)]
pub(crate) struct CrossCache {
    pub(super) layers: Vec<Vec<Source>>,
}

impl CrossCache {
    /// Keeps the images at `images`, which are in order.
    pub(crate) fn keep(&mut self, images: &[u32]) {
        for sources in &mut self.layers {
            let mut at = 0;
            sources.retain(|_| {
                at += 1;
                images.contains(&(at - 1))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_what_they_have_in_common() {
        let mut cache = Cache::new(0, 3, 1, 1);
        cache.advance(1);
        cache.reorder(&[0, 0, 0]);
        assert_eq!(cache.common, [[1; 3]; 3]);
        cache.advance(1);
        assert_eq!(cache.common, [[2, 1, 1], [1, 2, 1], [1, 1, 2]]);
        cache.reorder(&[1, 1, 2]);
        assert_eq!(cache.common, [[2, 2, 1], [2, 2, 1], [1, 1, 2]]);
        cache.advance(1);
        cache.reorder(&[2, 0]);
        assert_eq!(cache.common, [[3, 1], [1, 3]]);
    }
}
