//! The blocks that are coded together.

use crate::block::Block;

/// The blocks of one MCU.
pub(crate) struct Mcu<'a> {
    /// The stored blocks of each component of the frame.
    pub(crate) blocks: &'a mut [Vec<Block>],
    /// For each block of the MCU: the part of the scan, the component, its
    /// place when the MCU is the first of its row.
    pub(crate) places: &'a [BlockPlace],
    /// The number of the MCU in its row.
    pub(crate) column: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPlace {
    pub(crate) part: usize,
    pub(crate) component: usize,
    pub(crate) first: usize,
    pub(crate) step: usize,
}

impl Mcu<'_> {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The part of the scan that a block belongs to, and the block.
    #[inline]
    pub(crate) fn block(&mut self, number: usize) -> (usize, &mut Block) {
        let place = self.places[number];
        let at = place.first + self.column * place.step;
        (place.part, &mut self.blocks[place.component][at])
    }

    pub(crate) fn clear(&mut self) {
        for number in 0..self.len() {
            *self.block(number).1 = [0; 64];
        }
    }
}
