//! Contours of masks.

use super::{Mask, Polygon, Rle, trace};

/// The contour of one 4-connected component of a mask: its outer outline and its holes.
///
/// Outlines run along the edges between pixels, with corners at whole numbers: clockwise on the
/// screen around the component, counterclockwise around holes. Pixels that touch at a corner only belong
/// to different components.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Mask, Size};
///
/// let mut ring = Mask::new(Size::new(5, 5));
/// for (x, y) in (1..4).flat_map(|x| (1..4).map(move |y| (x, y))) {
///     ring.set(x, y, (x, y) != (2, 2));
/// }
/// let contours = ring.contours();
/// assert_eq!(contours.len(), 1);
/// assert_eq!(contours[0].outer.area(), 9.0);
/// assert_eq!(contours[0].holes[0].area(), 1.0);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Contour {
    /// The outer outline.
    pub outer: Polygon,
    /// The outlines of its holes.
    pub holes: Vec<Polygon>,
}

impl Contour {
    /// The component as one polygon: cuts of zero width lead from the outer outline to the holes and
    /// back. Filled with the even-odd rule, as [`Mask::fill`] and `pycocotools` do, it gives the
    /// component exactly.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Size};
    ///
    /// let mut ring = Mask::new(Size::new(5, 5));
    /// for (x, y) in (1..4).flat_map(|x| (1..4).map(move |y| (x, y))) {
    ///     ring.set(x, y, (x, y) != (2, 2));
    /// }
    /// let mut again = Mask::new(ring.size());
    /// again.fill(&ring.contours()[0].to_polygon());
    /// assert_eq!(again, ring);
    /// ```
    pub fn to_polygon(&self) -> Polygon {
        Polygon::joined(std::iter::once(&self.outer).chain(&self.holes))
    }
}

impl Mask {
    /// The contours of the mask, from the top; filled, they give the mask exactly.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Point, Polygon, Size};
    ///
    /// let mut mask = Mask::new(Size::new(8, 8));
    /// mask.set(2, 3, true);
    /// let corners = [(2.0, 3.0), (3.0, 3.0), (3.0, 4.0), (2.0, 4.0)];
    /// let points = corners.map(|(x, y)| Point::new(x, y)).to_vec();
    /// assert_eq!(mask.contours()[0].outer, Polygon { points });
    /// ```
    pub fn contours(&self) -> Vec<Contour> {
        Rle::from_mask(self).contours()
    }
}

impl Rle {
    /// The contours of the mask, like [`Mask::contours`]. Memory and time grow with the number of
    /// runs, not with the size of the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Rle, Size};
    ///
    /// let bbox = BBox::new(500.0, 700.0, 508.0, 702.0);
    /// let contours = Rle::from_bbox(&bbox, Size::new(1920, 1080)).contours();
    /// assert_eq!(contours[0].outer.to_bbox(), Some(bbox));
    /// ```
    pub fn contours(&self) -> Vec<Contour> {
        trace::contours(&self.bars())
    }
}
