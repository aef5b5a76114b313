//! EXIF orientation of run-length encoded masks.

use std::ops::Range;

use super::{Rle, pixels};
use crate::geometry::orientation::Steps;
use crate::geometry::{Orientation, Size};

impl Rle {
    /// The mask in the upright image, where this one is in stored pixels with this orientation. Memory
    /// grows with the runs of both, time with the columns of the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Orientation, Rle, Size};
    ///
    /// let stored = Rle::from_bbox(&BBox::new(0.0, 0.0, 2.0, 1.0), Size::new(4, 3));
    /// let upright = stored.upright(Orientation::Turned90);
    /// assert_eq!(upright, Rle::from_bbox(&BBox::new(2.0, 0.0, 3.0, 2.0), Size::new(3, 4)));
    /// ```
    #[must_use]
    pub fn upright(&self, orientation: Orientation) -> Self {
        let Steps {
            transpose,
            mirror_x,
            mirror_y,
        } = orientation.steps();
        let turned = if transpose {
            self.transposed()
        } else {
            self.clone()
        };
        // Reversed, every pixel is mirrored both ways.
        let turned = if mirror_x { turned.reversed() } else { turned };
        if mirror_x != mirror_y {
            turned.mirrored_vertically()
        } else {
            turned
        }
    }

    fn reversed(&self) -> Self {
        let end = pixels(self.size);
        let runs: Vec<Range<u64>> = self.runs().collect();
        let runs = runs.into_iter().rev();
        Self::from_toggles(
            self.size,
            runs.flat_map(|run| [end - run.end, end - run.start]),
        )
    }

    fn mirrored_vertically(&self) -> Self {
        let height = u64::from(self.size.height);
        let mut toggles = Vec::new();
        for run in self.runs() {
            let mut at = run.start;
            while at < run.end {
                let (column, row) = (at / height, at % height);
                // Whole columns look the same upside down.
                let whole = (run.end - at) / height * height;
                if row == 0 && whole > 0 {
                    toggles.extend([at, at + whole]);
                    at += whole;
                    continue;
                }
                let end = run.end.min((column + 1) * height);
                let mirrored = |at: u64| (2 * column + 1) * height - at;
                toggles.extend([mirrored(end), mirrored(at)]);
                at = end;
            }
        }
        toggles.sort_unstable();
        Self::from_toggles(self.size, toggles)
    }

    fn transposed(&self) -> Self {
        let width = u64::from(self.size.width);
        let mut toggles = Vec::new();
        let mut before: Vec<u64> = Vec::new();
        let mut change = |before: &[u64], column: &[u64], x: u64| {
            for [from, to] in difference(before, column) {
                toggles.extend((from..to).map(|y| y * width + x));
            }
        };
        for (x, column) in (0..).zip(self.columns()) {
            change(&before, &column, x);
            before = column;
        }
        change(&before, &[], width);
        toggles.sort_unstable();
        let size = Size::new(self.size.height, self.size.width);
        Self::from_toggles(size, toggles)
    }

    /// For each column the rows where it changes between unset and set.
    fn columns(&self) -> impl Iterator<Item = Vec<u64>> + '_ {
        let height = u64::from(self.size.height);
        let mut runs = self.runs();
        let mut next = runs.next();
        (0..u64::from(self.size.width)).map(move |x| {
            let (top, bottom) = (x * height, (x + 1) * height);
            let mut rows = Vec::new();
            while let Some(run) = next.as_ref().filter(|run| run.start < bottom) {
                rows.extend([run.start.max(top) - top, run.end.min(bottom) - top]);
                if run.end > bottom {
                    break;
                }
                next = runs.next();
            }
            rows
        })
    }
}

/// The rows in which two columns differ, as ranges: what changes in both cancels out.
fn difference(a: &[u64], b: &[u64]) -> Vec<[u64; 2]> {
    let mut changes: Vec<u64> = a.iter().chain(b).copied().collect();
    changes.sort_unstable();
    let changes = changes.chunk_by(|a, b| a == b);
    let left: Vec<u64> = changes
        .filter(|equal| equal.len() % 2 == 1)
        .map(|equal| equal[0])
        .collect();
    left.chunks_exact(2)
        .map(|pair| [pair[0], pair[1]])
        .collect()
}
