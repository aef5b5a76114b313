//! Partition of work between threads.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;

use rayon::prelude::*;

use super::gemm::TaskRows;
use super::simd::Isa;

/// With fewer rows per thread, columns are shared instead.
pub(crate) const FEW: usize = 16;

/// Rows per task of `rows` rows: the number of tasks is a multiple of that of threads, their sizes
/// equal but for whole tiles of a matrix product; `None` where there are too few.
pub(crate) fn chunk_rows(isa: Isa, rows: usize) -> Option<usize> {
    let threads = rayon::current_num_threads();
    if rows < FEW * threads {
        return None;
    }
    let TaskRows { tile, most } = TaskRows::of(isa);
    let tasks = rows.div_ceil(most).next_multiple_of(threads);
    Some(rows.div_ceil(tasks).next_multiple_of(tile))
}

/// Partitions `count` items into one share for each thread.
pub(crate) fn shares(count: usize) -> Vec<Range<usize>> {
    let size = count.div_ceil(rayon::current_num_threads()).max(1);
    (0..count)
        .step_by(size)
        .map(|start| start..count.min(start + size))
        .collect()
}

/// `len` values that tasks write on all threads, `chunk` a task: each gets its index and zeros.
/// Zeroing everything at once would be done by one thread, and leave its cache before use.
pub(crate) fn in_chunks(
    len: usize,
    chunk: usize,
    task: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    values.spare_capacity_mut()[..len]
        .par_chunks_mut(chunk)
        .enumerate()
        .for_each(|(index, values)| {
            values.fill(MaybeUninit::new(0.0));
            let values = ptr::from_mut(values) as *mut [f32];
            // SAFETY: the same memory, all of it written just now.
            task(index, unsafe { &mut *values });
        });
    // SAFETY: the chunks are the first `len` values, and written.
    unsafe { values.set_len(len) };
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_all_and_disjoint() {
        for count in 0..70 {
            let all = shares(count).into_iter().flatten().collect::<Vec<_>>();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
            assert!(shares(count).len() <= rayon::current_num_threads());
        }
    }

    #[test]
    fn every_chunk_is_written_once() {
        for (len, chunk) in [(0, 3), (1, 3), (3, 3), (1000, 7)] {
            let values = in_chunks(len, chunk, |index, values| {
                assert!(values.iter().all(|&v| v == 0.0));
                for (i, value) in values.iter_mut().enumerate() {
                    *value = (index * chunk + i) as f32;
                }
            });
            let expected = (0..len).map(|i| i as f32).collect::<Vec<_>>();
            assert_eq!(values, expected);
        }
    }

    #[test]
    fn the_threads_have_the_same_number_of_rows_but_for_a_tile() {
        let threads = rayon::current_num_threads();
        for isa in Isa::all() {
            assert_eq!(chunk_rows(isa, FEW * threads - 1), None);
            let TaskRows { tile, most } = TaskRows::of(isa);
            for rows in [FEW * threads, 590, 1000, 2304, 36_864] {
                let chunk = chunk_rows(isa, rows).unwrap();
                assert!(chunk.is_multiple_of(tile) && chunk < most + tile, "{chunk}");
                let tasks = rows.div_ceil(most).next_multiple_of(threads);
                assert!(rows.div_ceil(chunk) <= tasks);
                assert!(chunk * tasks < rows + tile * tasks, "{chunk} of {rows}");
            }
        }
    }
}
