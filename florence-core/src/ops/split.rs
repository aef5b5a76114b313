//! How work is shared between threads.

use std::ops::Range;

/// Rows of a task that keeps what it works on in the second-level cache.
const ROWS: usize = 192;
/// Chunks are whole tiles of the matrix unit.
const TILE: usize = 16;
/// With fewer rows a thread, columns are shared instead.
const FEW: usize = 16;

/// Rows of the tasks that `rows` rows are cut into, a multiple of the threads
/// in number and of about equal size; `None` where there are too few.
pub(crate) fn chunk_rows(rows: usize) -> Option<usize> {
    let threads = rayon::current_num_threads();
    if rows < FEW * threads {
        return None;
    }
    let tasks = rows.div_ceil(ROWS).next_multiple_of(threads);
    Some(rows.div_ceil(tasks).next_multiple_of(TILE))
}

/// `count` things in one share for each thread.
pub(crate) fn shares(count: usize) -> Vec<Range<usize>> {
    let size = count.div_ceil(rayon::current_num_threads()).max(1);
    (0..count)
        .step_by(size)
        .map(|start| start..count.min(start + size))
        .collect()
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
    fn chunks_are_as_many_as_threads_can_share() {
        let threads = rayon::current_num_threads();
        assert_eq!(chunk_rows(FEW * threads - 1), None);
        for rows in [FEW * threads, 1000, 2304, 36_864] {
            let chunk = chunk_rows(rows).unwrap();
            assert!(
                chunk <= ROWS
                    && rows.div_ceil(chunk) <= rows.div_ceil(ROWS).next_multiple_of(threads)
            );
        }
    }
}
