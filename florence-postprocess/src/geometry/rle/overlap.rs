//! Intersection, union and IoU of run-length encoded masks.

use super::{Rle, RleError, pixels};

impl Rle {
    /// The number of pixels that are set in both; 0 where the sizes differ.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let size = Size::new(4, 1);
    /// let left = Rle::from_counts(size, vec![0, 3, 1])?;
    /// let right = Rle::from_counts(size, vec![1, 3])?;
    /// assert_eq!(left.shared(&right), 2);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn shared(&self, other: &Rle) -> u64 {
        if self.size != other.size {
            return 0;
        }
        let (mut left, mut right) = (self.runs().peekable(), other.runs().peekable());
        let mut shared = 0;
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            shared += a.end.min(b.end).saturating_sub(a.start.max(b.start));
            if a.end < b.end {
                left.next();
            } else {
                right.next();
            }
        }
        shared
    }

    /// Intersection over union, from 0 to 1. 0 where neither has a pixel or the sizes differ.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let size = Size::new(4, 1);
    /// let left = Rle::from_counts(size, vec![0, 3, 1])?;
    /// let right = Rle::from_counts(size, vec![1, 3])?;
    /// assert_eq!(left.iou(&right), 0.5);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn iou(&self, other: &Rle) -> f64 {
        if self.size != other.size {
            return 0.0;
        }
        let shared = self.shared(other);
        ratio(shared, self.area() + (other.area() - shared))
    }

    /// The share of this mask's pixels that lie in a crowd, from 0 to 1: what COCO's evaluation
    /// takes for the overlap with an annotation whose `iscrowd` is set. 0 where this mask has no
    /// pixel or the sizes differ.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let size = Size::new(4, 1);
    /// let found = Rle::from_counts(size, vec![0, 2, 2])?;
    /// let crowd = Rle::from_counts(size, vec![1, 3])?;
    /// assert_eq!(found.iou_crowd(&crowd), 0.5);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn iou_crowd(&self, crowd: &Rle) -> f64 {
        ratio(self.shared(crowd), self.area())
    }

    /// The pixels that are set in either.
    ///
    /// # Errors
    ///
    /// [`RleError::Sizes`] where the sizes differ.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let size = Size::new(6, 1);
    /// let left = Rle::from_counts(size, vec![0, 1, 5])?;
    /// let right = Rle::from_counts(size, vec![4, 1, 1])?;
    /// assert_eq!(left.union(&right)?.counts(), [0, 1, 3, 1, 1]);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn union(&self, other: &Rle) -> Result<Rle, RleError> {
        self.same_size(other)?;
        Ok(self.either(other))
    }

    /// The pixels that are set in both.
    ///
    /// # Errors
    ///
    /// [`RleError::Sizes`] where the sizes differ.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let size = Size::new(6, 1);
    /// let left = Rle::from_counts(size, vec![0, 4, 2])?;
    /// let right = Rle::from_counts(size, vec![3, 3])?;
    /// assert_eq!(left.intersection(&right)?.counts(), [3, 1, 2]);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn intersection(&self, other: &Rle) -> Result<Rle, RleError> {
        self.same_size(other)?;
        Ok(self.combine(other, |left, right| left && right))
    }

    /// The pixels that are not set.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let rle = Rle::from_counts(Size::new(6, 1), vec![0, 4, 2])?;
    /// assert_eq!(rle.complement().counts(), [4, 2]);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    #[must_use]
    pub fn complement(&self) -> Rle {
        let ends = self.runs().flat_map(|run| [run.start, run.end]);
        Self::from_toggles(self.size, std::iter::once(0).chain(ends))
    }

    /// The union of masks whose size is the same.
    pub(super) fn either(&self, other: &Rle) -> Rle {
        self.combine(other, |left, right| left || right)
    }

    fn same_size(&self, other: &Rle) -> Result<(), RleError> {
        let (left, right) = (self.size, other.size);
        if left == right {
            Ok(())
        } else {
            Err(RleError::Sizes { left, right })
        }
    }

    fn combine(&self, other: &Rle, keep: impl Fn(bool, bool) -> bool) -> Rle {
        let ends = |rle: &Rle| -> Vec<u64> {
            let ends = rle.runs().flat_map(|run| [run.start, run.end]);
            ends.chain([pixels(rle.size)]).collect()
        };
        let (left, right) = (ends(self), ends(other));
        let (mut a, mut b, mut inside) = (0, 0, false);
        let mut toggles = Vec::new();
        while let (Some(from), Some(to)) = (left.get(a), right.get(b)) {
            let place = *from.min(to);
            a += usize::from(*from == place);
            b += usize::from(*to == place);
            if keep(a % 2 == 1, b % 2 == 1) != inside {
                inside = !inside;
                toggles.push(place);
            }
        }
        Self::from_toggles(self.size, toggles)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if part > 0 {
        part as f64 / whole as f64
    } else {
        0.0
    }
}
