//! Views of row-major matrices.

use std::marker::PhantomData;
use std::ops::Range;

use crate::backend::cpu::simd::Simd;

/// A read-only view of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    values: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) stride: usize,
}

impl<'a> Rows<'a> {
    /// `rows` rows of `columns` values, `stride` values apart.
    ///
    /// # Panics
    ///
    /// When `values` is too short.
    #[inline(always)]
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(fits(values.len(), rows, columns, stride));
        Self {
            values,
            rows,
            columns,
            stride,
        }
    }

    #[inline(always)]
    pub(crate) fn dense(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::new(values, rows, columns, columns)
    }

    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.stride..][..self.columns]
    }

    /// `rows` rows from row `start` on.
    #[inline(always)]
    pub(crate) fn part(&self, start: usize, rows: usize) -> Self {
        let values = &self.values[start * self.stride..];
        Self::new(values, rows, self.columns, self.stride)
    }

    /// Some of the columns of all rows.
    #[inline(always)]
    pub(crate) fn columns(&self, columns: Range<usize>) -> Self {
        assert!(columns.end <= self.columns);
        let values = &self.values[columns.start..];
        Self::new(values, self.rows, columns.len(), self.stride)
    }

    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.values.as_ptr()
    }

    /// Writes the columns, in order, as vectors that start `stride` values apart, with zeros for
    /// the rows that are missing to a vector. Where the stride is shorter than a vector, each
    /// overwrites what the one before wrote too much.
    ///
    /// # Panics
    ///
    /// When there are more rows than a vector has lanes.
    ///
    /// # Safety
    ///
    /// `to` must be writable for all the vectors.
    #[inline(always)]
    pub(crate) unsafe fn write_columns<S: Simd>(&self, simd: S, to: *mut f32, stride: usize) {
        assert!(self.rows <= S::LANES);
        let whole = self.columns / S::LANES * S::LANES;
        for column in (0..whole).step_by(S::LANES) {
            // SAFETY: rows and columns of the view; the caller promises the room.
            unsafe {
                let (from, to) = (self.as_ptr().add(column), to.add(column * stride));
                simd.transpose(from, self.stride, self.rows, to, stride);
            }
        }
        for column in whole..self.columns {
            let mut values = [0.0; 16];
            for (row, value) in values.iter_mut().enumerate().take(self.rows) {
                *value = self.row(row)[column];
            }
            // SAFETY: no vector has more than 16 lanes; the caller promises the room.
            unsafe { simd.store(to.add(column * stride), simd.load(values.as_ptr())) };
        }
    }
}

/// A mutable view of rows, exclusive in these columns. What lies between the rows may belong to
/// another view.
#[derive(Debug)]
pub(crate) struct RowsMut<'a> {
    values: *mut f32,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) stride: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: a view is the only one of its values, like a `&mut [f32]`.
unsafe impl Send for RowsMut<'_> {}

impl<'a> RowsMut<'a> {
    /// As [`Rows::new`].
    #[inline(always)]
    pub(crate) fn new(values: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(fits(values.len(), rows, columns, stride));
        Self {
            values: values.as_mut_ptr(),
            rows,
            columns,
            stride,
            owner: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn dense(values: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::new(values, rows, columns, columns)
    }

    #[inline(always)]
    pub(crate) fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows);
        // SAFETY: in bounds by `new`, exclusive like the view.
        unsafe { std::slice::from_raw_parts_mut(self.values.add(row * self.stride), self.columns) }
    }

    /// A narrower view, reborrowed.
    #[inline(always)]
    pub(crate) fn columns(&mut self, columns: Range<usize>) -> RowsMut<'_> {
        assert!(columns.start <= columns.end && columns.end <= self.columns);
        RowsMut {
            // SAFETY: in bounds by the assertion; the first row is there
            // unless there is none, and then nothing is read.
            values: self.values.wrapping_add(columns.start),
            columns: columns.len(),
            owner: PhantomData,
            ..*self
        }
    }

    /// One view for each range of columns.
    ///
    /// # Panics
    ///
    /// When the ranges are not in order, or not inside.
    pub(crate) fn split(self, ranges: &[Range<usize>]) -> Vec<RowsMut<'a>> {
        let mut end = 0;
        let views = ranges.iter().map(|columns| {
            assert!(end <= columns.start && columns.start <= columns.end);
            end = columns.end;
            assert!(end <= self.columns);
            RowsMut {
                values: self.values.wrapping_add(columns.start),
                columns: columns.len(),
                ..self
            }
        });
        views.collect()
    }

    #[inline(always)]
    pub(crate) fn as_ptr(&mut self) -> *mut f32 {
        self.values
    }
}

fn fits(len: usize, rows: usize, columns: usize, stride: usize) -> bool {
    rows == 0 || (columns <= stride && (rows - 1) * stride + columns <= len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_of_columns_are_disjoint() {
        let mut values = vec![0.0; 12];
        let mut parts = RowsMut::dense(&mut values, 3, 4).split(&[0..1, 1..4]);
        parts[0].row(2).fill(1.0);
        parts[1].columns(1..3).row(0).fill(2.0);
        assert_eq!(values, [0., 0., 2., 2., 0., 0., 0., 0., 1., 0., 0., 0.]);
    }

    #[test]
    #[should_panic]
    fn overlapping_columns_are_refused() {
        RowsMut::dense(&mut [0.0; 4], 2, 2).split(&[0..2, 1..2]);
    }

    #[test]
    #[should_panic]
    fn more_rows_than_values_are_refused() {
        Rows::new(&[0.0; 7], 2, 4, 4);
    }
}
