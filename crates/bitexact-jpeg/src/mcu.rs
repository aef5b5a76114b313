//! The blocks that are coded together.

use super::frame::Block;

/// The blocks of one unit.
pub(super) struct Unit<'a> {
    /// The stored blocks of each component of the frame.
    pub(super) blocks: &'a mut [Vec<Block>],
    /// For each block of the unit: the part of the scan, the component, its
    /// place when the unit is the first of its row.
    pub(super) places: &'a [BlockPlace],
    /// The number of the unit in its row.
    pub(super) column: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct BlockPlace {
    pub(super) part: usize,
    pub(super) component: usize,
    pub(super) first: usize,
    pub(super) step: usize,
}

impl Unit<'_> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The part of the scan that a block belongs to, and the block.
    #[inline]
    pub(super) fn block(&mut self, number: usize) -> (usize, &mut Block) {
        let place = self.places[number];
        let at = place.first + self.column * place.step;
        (place.part, &mut self.blocks[place.component][at])
    }

    pub(super) fn clear(&mut self) {
        for number in 0..self.len() {
            *self.block(number).1 = [0; 64];
        }
    }
}
