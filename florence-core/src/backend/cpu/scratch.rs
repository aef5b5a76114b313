//! Scratch buffers of each thread, kept between calls: fresh memory costs a page fault every 4 KiB.

use std::cell::{Cell, RefCell};

use super::gemm::{Aligned, InputScratch, Panels};

/// The contents are left from the previous use.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) input: InputScratch,
    pub(crate) hidden_input: InputScratch,
    pub(crate) normed: Aligned<f32>,
    pub(crate) hidden: Aligned<f32>,
    pub(crate) attended: Aligned<f32>,
    pub(crate) head: Head,
}

/// Scratch buffers of one attention head.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) queries: Aligned<f32>,
    pub(crate) scores: Aligned<f32>,
    pub(crate) attended: Aligned<f32>,
    keys: Panels,
    values: Panels,
}

impl Head {
    /// Buffers for packed keys and values, to be given back.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> (Panels, Panels) {
        (
            std::mem::take(&mut self.keys),
            std::mem::take(&mut self.values),
        )
    }

    #[inline(always)]
    pub(crate) fn give_back(&mut self, keys: Panels, values: Panels) {
        (self.keys, self.values) = (keys, values);
    }
}

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// Lends this thread's scratch buffers. A nested call gets fresh ones.
    #[inline(always)]
    pub(crate) fn with<T>(use_it: impl FnOnce(&mut Scratch) -> T) -> T {
        let mut scratch = SCRATCH.take().unwrap_or_default();
        let result = use_it(&mut scratch);
        SCRATCH.set(Some(scratch));
        result
    }
}

/// Maximum number of values of a buffer that is kept for the next layer: 32 MiB.
const KEPT: usize = 1 << 23;

/// Lends `len` values for a whole layer, whose contents are left from the previous use. Calls may
/// nest.
pub(crate) fn lend<T>(len: usize, use_it: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < len {
        // Fresh zeros cost nothing until they are touched.
        buffer = vec![0.0; len];
    }
    let result = use_it(&mut buffer[..len]);
    if buffer.len() <= KEPT {
        BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    }
    result
}
