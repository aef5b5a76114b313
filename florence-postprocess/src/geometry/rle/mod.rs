//! COCO's run-length encoding of masks.

mod bars;
mod compressed;
mod error;
mod outline;
mod overlap;
#[cfg(feature = "serde")]
mod serial;
mod turn;

use std::ops::Range;

pub(super) use bars::Bar;
pub use error::RleError;

use super::{BBox, Mask, Point, Size};

/// A binary mask as run lengths: COCO's RLE, which `pycocotools` reads and writes.
///
/// Pixels are counted column by column, from the top of the left one. The first count is of pixels
/// that are not set (0 where the top left pixel is), then set and unset ones alternate. Counts add
/// up to the pixels of the image.
///
/// Serialized (feature `serde`) as `{"size": [height, width], "counts": "compressed"}`, and read
/// from that or from a list of counts.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, Rle, Size};
///
/// let rle = Rle::from_bbox(&BBox::new(1.0, 1.0, 3.0, 3.0), Size::new(4, 4));
/// assert_eq!(rle.counts(), [5, 2, 2, 2, 5]);
/// assert_eq!(rle.to_compressed(), "52203");
/// assert_eq!(rle.area(), 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(into = "serial::Written", try_from = "serial::Read")
)]
pub struct Rle {
    size: Size,
    counts: Vec<u64>,
}

/// The number of pixels of an image.
fn pixels(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

impl Rle {
    /// An empty mask.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// assert_eq!(Rle::new(Size::new(4, 3)).counts(), [12]);
    /// ```
    pub fn new(size: Size) -> Self {
        Self {
            size,
            counts: vec![pixels(size)],
        }
    }

    /// The mask with these counts.
    ///
    /// # Errors
    ///
    /// [`RleError::Sum`] where the counts do not add up to the pixels of the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// assert_eq!(Rle::from_counts(Size::new(2, 2), vec![1, 2, 1])?.area(), 2);
    /// let error = Rle::from_counts(Size::new(2, 2), vec![1, 2]).unwrap_err();
    /// assert_eq!(error.to_string(), "the counts add up to 3, but an image of 2x2 has 4 pixels");
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn from_counts(size: Size, counts: Vec<u64>) -> Result<Self, RleError> {
        let sum = counts.iter().map(|count| u128::from(*count)).sum();
        if sum == u128::from(pixels(size)) {
            Ok(Self { size, counts })
        } else {
            Err(RleError::Sum { size, sum })
        }
    }

    /// The runs of a mask, exactly.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Rle, Size};
    ///
    /// let mut mask = Mask::new(Size::new(3, 2));
    /// mask.set(1, 0, true);
    /// assert_eq!(Rle::from_mask(&mask).counts(), [2, 1, 3]);
    /// ```
    pub fn from_mask(mask: &Mask) -> Self {
        let size = mask.size();
        let mut toggles = Vec::new();
        let (mut at, mut inside) = (0, false);
        for x in 0..size.width {
            for y in 0..size.height {
                if mask.contains(x, y) != inside {
                    inside = !inside;
                    toggles.push(at);
                }
                at += 1;
            }
        }
        Self::from_toggles(size, toggles)
    }

    /// The mask, one byte of memory for each pixel.
    ///
    /// # Panics
    ///
    /// Where that memory cannot be allocated, like any vector.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let mask = Rle::from_counts(Size::new(3, 2), vec![2, 1, 3])?.to_mask();
    /// assert!(mask.contains(1, 0) && !mask.contains(1, 1));
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn to_mask(&self) -> Mask {
        let mut mask = Mask::new(self.size);
        for at in self.runs().flatten() {
            let [x, y] = self.place(at);
            mask.set(x, y, true);
        }
        mask
    }

    /// The size of the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// assert_eq!(Rle::new(Size::new(4, 3)).size(), Size::new(4, 3));
    /// ```
    pub fn size(&self) -> Size {
        self.size
    }

    /// The run lengths: pixels not set, set, not set, …
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Rle, Size};
    ///
    /// let whole = Rle::from_bbox(&BBox::new(0.0, 0.0, 4.0, 3.0), Size::new(4, 3));
    /// assert_eq!(whole.counts(), [0, 12]);
    /// ```
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The number of pixels that are set.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// assert_eq!(Rle::from_counts(Size::new(3, 2), vec![2, 1, 3])?.area(), 1);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn area(&self) -> u64 {
        self.counts.iter().skip(1).step_by(2).sum()
    }

    /// The smallest box around the pixels that are set, right and bottom edges included: a single
    /// pixel has width and height 1. `None` without such a pixel.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Rle, Size};
    ///
    /// let rle = Rle::from_counts(Size::new(3, 2), vec![2, 1, 3])?;
    /// assert_eq!(rle.to_bbox(), Some(BBox::new(1.0, 0.0, 2.0, 1.0)));
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn to_bbox(&self) -> Option<BBox> {
        let [left, top, right, bottom] = self.bounds()?.map(u64::from);
        let edge = |pixels: u64| pixels as f32;
        Some(BBox::new(
            edge(left),
            edge(top),
            edge(right + 1),
            edge(bottom + 1),
        ))
    }

    /// The mean of the centers of the pixels that are set; `None` without such a pixel.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Point, Rle, Size};
    ///
    /// let rle = Rle::from_bbox(&BBox::new(1.0, 0.0, 3.0, 2.0), Size::new(4, 3));
    /// assert_eq!(rle.center(), Some(Point::new(2.0, 1.0)));
    /// assert_eq!(Rle::new(Size::new(4, 3)).center(), None);
    /// ```
    pub fn center(&self) -> Option<Point> {
        let height = u64::from(self.size.height);
        let (mut count, mut sum_x, mut sum_y) = (0.0, 0.0, 0.0);
        let mut add = |columns: Range<u64>, rows: Range<u64>| {
            let pixels = (columns.end - columns.start) as f64 * (rows.end - rows.start) as f64;
            count += pixels;
            sum_x += pixels * (columns.start + columns.end) as f64 / 2.0;
            sum_y += pixels * (rows.start + rows.end) as f64 / 2.0;
        };
        for run in self.runs() {
            let (first, last) = (run.start / height, (run.end - 1) / height);
            let (top, bottom) = (run.start % height, (run.end - 1) % height + 1);
            if first == last {
                add(first..first + 1, top..bottom);
            } else {
                add(first..first + 1, top..height);
                add(first + 1..last, 0..height);
                add(last..last + 1, 0..bottom);
            }
        }
        (count > 0.0).then(|| Point::new((sum_x / count) as f32, (sum_y / count) as f32))
    }

    /// The first and last column and row with a set pixel: left, top, right, bottom.
    fn bounds(&self) -> Option<[u32; 4]> {
        let height = self.size.height;
        let bounds = self.runs().map(|run| {
            let ([left, top], [right, bottom]) = (self.place(run.start), self.place(run.end - 1));
            if left == right {
                [left, top, right, bottom]
            } else {
                [left, 0, right, height - 1]
            }
        });
        bounds.reduce(|[ax, ay, bx, by], [left, top, right, bottom]| {
            [ax.min(left), ay.min(top), bx.max(right), by.max(bottom)]
        })
    }

    /// The column and row of the pixel that is counted after this many.
    fn place(&self, at: u64) -> [u32; 2] {
        let height = u64::from(self.size.height);
        // Both are less than width and height.
        [(at / height) as u32, (at % height) as u32]
    }

    /// The runs of set pixels, none of them empty.
    fn runs(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut at = 0;
        self.counts
            .iter()
            .enumerate()
            .filter_map(move |(index, count)| {
                let start = at;
                at += count;
                (index % 2 == 1 && start < at).then_some(start..at)
            })
    }

    /// The mask that changes between unset and set at these places, which are in order. Two
    /// changes at one place cancel out.
    fn from_toggles(size: Size, places: impl IntoIterator<Item = u64>) -> Self {
        let end = pixels(size);
        let mut toggles: Vec<u64> = Vec::new();
        for place in places {
            if toggles.last() == Some(&place) {
                toggles.pop();
            } else {
                toggles.push(place);
            }
        }
        if toggles.last() == Some(&end) {
            toggles.pop();
        }
        toggles.push(end);
        let mut before = 0;
        for place in &mut toggles {
            (before, *place) = (*place, *place - before);
        }
        Self {
            size,
            counts: toggles,
        }
    }
}

impl From<&Mask> for Rle {
    fn from(mask: &Mask) -> Self {
        Self::from_mask(mask)
    }
}
