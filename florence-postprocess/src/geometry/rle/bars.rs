//! Runs as axis-aligned rectangles.

use super::Rle;

/// Pixels that are set in some columns, from one row to another; right and bottom are the first
/// that do not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::geometry) struct Bar {
    pub(in crate::geometry) left: u32,
    pub(in crate::geometry) top: u32,
    pub(in crate::geometry) right: u32,
    pub(in crate::geometry) bottom: u32,
}

impl Rle {
    /// The set pixels as bars that do not overlap, column by column from the top: at most three
    /// for a run. In each column no bar touches the next.
    pub(in crate::geometry) fn bars(&self) -> Vec<Bar> {
        let rows = u64::from(self.size.height);
        let mut bars: Vec<Bar> = Vec::new();
        for run in self.runs() {
            let mut at = run.start;
            while at < run.end {
                let [left, top] = self.place(at);
                let columns = (run.end - at) / rows;
                let (right, bottom) = if top == 0 && columns > 0 {
                    (left + columns as u32, self.size.height)
                } else {
                    let bottom = (u64::from(top) + run.end - at).min(rows);
                    (left + 1, bottom as u32)
                };
                at = u64::from(right - 1) * rows + u64::from(bottom);
                match bars.last_mut() {
                    // Runs without pixels between them are adjacent.
                    Some(last) if (last.right, last.bottom) == (left + 1, top) => {
                        last.bottom = bottom;
                    }
                    _ => bars.push(Bar {
                        left,
                        top,
                        right,
                        bottom,
                    }),
                }
            }
        }
        bars
    }
}
