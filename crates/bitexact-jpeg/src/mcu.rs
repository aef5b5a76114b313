//! The minimum coded unit (MCU): the blocks that are coded together.

use crate::block::Block;

/// The blocks of one MCU.
pub(crate) struct Mcu<'a> {
    /// The stored blocks, by component of the frame.
    pub(crate) blocks: &'a mut [Vec<Block>],
    /// Where each block of the MCU is stored.
    pub(crate) places: &'a [BlockPlace],
    /// The index of the MCU in its row.
    pub(crate) column: usize,
}

/// Where a block of an MCU is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPlace {
    /// The index of its component in the scan.
    pub(crate) in_scan: usize,
    /// The index of its component in the frame.
    pub(crate) component: usize,
    /// Its index among the blocks of the component in the first MCU of a row.
    pub(crate) first: usize,
    /// How much the index grows from an MCU to the next.
    pub(crate) step: usize,
}

impl Mcu<'_> {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Block `number` of the MCU, with the index of its component in the scan.
    #[inline]
    pub(crate) fn block(&mut self, number: usize) -> (usize, &mut Block) {
        let place = self.places[number];
        let at = place.first + self.column * place.step;
        (place.in_scan, &mut self.blocks[place.component][at])
    }

    pub(crate) fn clear(&mut self) {
        for number in 0..self.len() {
            *self.block(number).1 = [0; 64];
        }
    }
}
