//! Cache-line-aligned buffers.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use half::{bf16, f16};
use rayon::prelude::*;

/// One cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; Line::SIZE]);

impl Line {
    const SIZE: usize = 64;
    const ZERO: Self = Self([0; Self::SIZE]);
}

/// An element type of a buffer.
///
/// # Safety
///
/// Any bytes must be a valid value, all zeros one that is 0, and a cache line
/// must hold a whole number of values.
pub(crate) unsafe trait Plain: Copy + Send + Sync + 'static {}

// SAFETY: floats of 4 and 2 bytes.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f16 {}
// SAFETY: as above.
unsafe impl Plain for bf16 {}

/// A buffer aligned to a cache line, so that no vector load at a multiple of 16 values touches two.
#[derive(Clone)]
pub(crate) struct Aligned<T> {
    lines: Vec<Line>,
    len: usize,
    values: PhantomData<T>,
}

impl<T> Default for Aligned<T> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            len: 0,
            values: PhantomData,
        }
    }
}

impl<T: Plain> Aligned<T> {
    /// Values in a line.
    const LINE: usize = Line::SIZE / size_of::<T>();

    pub(crate) fn zeroed(len: usize) -> Self {
        Self {
            lines: vec![Line::ZERO; len.div_ceil(Self::LINE)],
            len,
            values: PhantomData,
        }
    }

    /// A buffer of `count` chunks of `chunk` values, a multiple of what a line holds, each zeroed
    /// and then filled by `fill` with its index and its values. In parallel: the first touch of
    /// fresh memory is most of the cost of a load.
    pub(crate) fn from_chunks<E: Send>(
        count: usize,
        chunk: usize,
        fill: impl Fn(usize, &mut [T]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        assert!(chunk.is_multiple_of(Self::LINE), "chunks are whole lines");
        let all = count * chunk / Self::LINE;
        let mut lines = Vec::with_capacity(all);
        ask_for_huge_pages(&mut lines);
        if chunk > 0 {
            lines.spare_capacity_mut()[..all]
                .par_chunks_mut(chunk / Self::LINE)
                .enumerate()
                .try_for_each(|(index, lines)| {
                    lines.fill(MaybeUninit::new(Line::ZERO));
                    // SAFETY: all lines of the chunk were just written, and
                    // any bytes are values.
                    let values = unsafe {
                        std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), chunk)
                    };
                    fill(index, values)
                })?;
        }
        // SAFETY: every line was written above; on an error none is claimed.
        unsafe { lines.set_len(all) };
        Ok(Self {
            lines,
            len: count * chunk,
            values: PhantomData,
        })
    }

    /// Resizes to `len` values; their contents are unspecified.
    pub(crate) fn resize(&mut self, len: usize) -> &mut [T] {
        let lines = len.div_ceil(Self::LINE);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line::ZERO);
        }
        self.len = len;
        self
    }
}

/// Asks the kernel to back fresh memory with pages of 2 MiB: weights are read
/// from end to end at every step of a decoder, and looking up half a million
/// small pages takes about as long as reading them.
fn ask_for_huge_pages(lines: &mut Vec<Line>) {
    #[cfg(target_os = "linux")]
    {
        const HUGE: usize = 2 << 20;
        let fresh = lines.spare_capacity_mut();
        let start = fresh.as_ptr().addr().next_multiple_of(HUGE) - fresh.as_ptr().addr();
        let len = size_of_val(fresh).saturating_sub(start) / HUGE * HUGE;
        if len > 0 {
            // SAFETY: whole pages of memory that is ours and not yet used; the
            // advice changes no contents, and may be refused.
            unsafe {
                libc::madvise(
                    fresh.as_mut_ptr().byte_add(start).cast(),
                    len,
                    libc::MADV_HUGEPAGE,
                )
            };
        }
    }
}

impl<T: Plain> std::ops::Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold `len` values, and any bytes are values.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<T>(), self.len) }
    }
}

impl<T: Plain> std::ops::DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast::<T>(), self.len) }
    }
}

impl<T> std::fmt::Debug for Aligned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_filled_in_place() {
        let buffer = Aligned::<f32>::from_chunks(3, 32, |index, values| {
            assert!(values.iter().all(|&v| v == 0.0));
            values[index] = index as f32 + 1.0;
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(buffer.as_ptr().align_offset(64), 0);
        assert_eq!(
            (buffer.len(), buffer[0], buffer[33], buffer[66]),
            (96, 1.0, 2.0, 3.0)
        );
        assert_eq!(buffer.iter().sum::<f32>(), 6.0);
    }

    #[test]
    fn an_error_of_a_chunk_is_the_result() {
        assert_eq!(
            Aligned::<f32>::from_chunks(4, 16, |index, _| if index == 2 {
                Err("two")
            } else {
                Ok(())
            })
            .unwrap_err(),
            "two"
        );
    }

    #[test]
    fn resizing_keeps_the_line() {
        let mut buffer = Aligned::<f32>::default();
        assert_eq!(buffer.resize(20).len(), 20);
        assert_eq!(buffer.resize(5).len(), 5);
        assert_eq!(buffer.as_ptr().align_offset(64), 0);
    }
}
