//! Quantization of coordinates to location bins.

use std::fmt;

use crate::geometry::{BBox, Point, Size};

/// The number of location bins along each side of an image: `<loc_0>` to `<loc_999>`.
pub const BINS: u16 = 1000;

/// Quantizes pixel coordinates of one image to the 1000 × 1000 location bins of the model, and
/// dequantizes bins to their centers.
///
/// Equal to the reference (`BoxQuantizer` and `CoordinatesQuantizer` of Microsoft's processor) bit
/// for bit: a bin is `side / 1000` pixels wide, computed in `f64` and rounded to `f32`; the rest is
/// `f32` arithmetic. Quantization is `floor(v / (side / 1000))` clamped to 0…999, dequantization
/// `(bin + 0.5) * (side / 1000)`.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, CoordinateQuantizer, Size};
///
/// let quantizer = CoordinateQuantizer::new(Size::new(640, 480));
/// assert_eq!(quantizer.quantize_box(&BBox::new(34.7, 180.3, 580.0, 339.5)), [54, 375, 906, 707]);
/// let bbox = quantizer.dequantize_box([54, 375, 906, 707]);
/// assert_eq!(bbox, BBox::new(34.88, 180.23999, 580.16, 339.6));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoordinateQuantizer {
    size: Size,
    per_bin: [f32; 2],
}

impl CoordinateQuantizer {
    /// The quantizer of an image of this size. In an image without pixels every point is in bin 0,
    /// at 0.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{CoordinateQuantizer, Size};
    ///
    /// let quantizer = CoordinateQuantizer::new(Size::new(640, 480));
    /// assert_eq!(quantizer.size(), Size::new(640, 480));
    /// ```
    pub fn new(size: Size) -> Self {
        let per_bin =
            [size.width, size.height].map(|side| (f64::from(side) / f64::from(BINS)) as f32);
        Self { size, per_bin }
    }

    /// The size of the image in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{CoordinateQuantizer, Size};
    ///
    /// assert_eq!(CoordinateQuantizer::new(Size::new(3, 1000)).size().width, 3);
    /// ```
    pub fn size(&self) -> Size {
        self.size
    }

    /// The bins `[x, y]` of a point. Points outside the image fall into the nearest bin; NaN
    /// falls into bin 0.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, CoordinateQuantizer, Size};
    ///
    /// let quantizer = CoordinateQuantizer::new(Size::new(2000, 500));
    /// assert_eq!(quantizer.quantize(Point::new(3.9, 0.5)), [1, 1]);
    /// assert_eq!(quantizer.quantize(Point::new(-1.0, 500.0)), [0, 999]);
    /// ```
    pub fn quantize(&self, point: Point) -> [u16; 2] {
        [bin(point.x, self.per_bin[0]), bin(point.y, self.per_bin[1])]
    }

    /// The bins `[x1, y1, x2, y2]` of a box.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, CoordinateQuantizer, Size};
    ///
    /// let quantizer = CoordinateQuantizer::new(Size::new(1000, 1000));
    /// assert_eq!(quantizer.quantize_box(&BBox::new(0.0, 1.5, 2.0, 1000.0)), [0, 1, 2, 999]);
    /// ```
    pub fn quantize_box(&self, bbox: &BBox) -> [u16; 4] {
        let [x1, y1] = self.quantize(Point::new(bbox.x1, bbox.y1));
        let [x2, y2] = self.quantize(Point::new(bbox.x2, bbox.y2));
        [x1, y1, x2, y2]
    }

    /// The bins `[x1, y1, x2, y2]` of a box that has to lie inside the image, as the region of a
    /// prompt has to.
    ///
    /// # Errors
    ///
    /// [`RegionError`] for a box that is not finite, not ordered or not inside the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, CoordinateQuantizer, RegionProblem, Size};
    ///
    /// let quantizer = CoordinateQuantizer::new(Size::new(640, 480));
    /// let bins = quantizer.quantize_region(&BBox::new(32.0, 120.0, 320.0, 360.0))?;
    /// assert_eq!(bins, [50, 250, 500, 750]);
    /// let error = quantizer.quantize_region(&BBox::new(0.0, 0.0, 641.0, 480.0)).unwrap_err();
    /// assert_eq!(error.problem, RegionProblem::OutsideImage);
    /// # Ok::<(), florence_postprocess::RegionError>(())
    /// ```
    pub fn quantize_region(&self, region: &BBox) -> Result<[u16; 4], RegionError> {
        let problem = if region.to_array().iter().any(|side| !side.is_finite()) {
            RegionProblem::NotFinite
        } else if !region.is_ordered() {
            RegionProblem::NotOrdered
        } else if region.clamp(self.size) != *region {
            RegionProblem::OutsideImage
        } else {
            return Ok(self.quantize_box(region));
        };
        Err(RegionError {
            region: *region,
            size: self.size,
            problem,
        })
    }

    /// The center of the bins `[x, y]`, in pixels. Bins above 999, which no vocabulary has, lie
    /// outside the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, CoordinateQuantizer, Size};
    ///
    /// let quantizer = CoordinateQuantizer::new(Size::new(2000, 1000));
    /// assert_eq!(quantizer.dequantize([10, 10]), Point::new(21.0, 10.5));
    /// ```
    pub fn dequantize(&self, [x, y]: [u16; 2]) -> Point {
        Point::new(
            (f32::from(x) + 0.5) * self.per_bin[0],
            (f32::from(y) + 0.5) * self.per_bin[1],
        )
    }

    /// The box between the centers of the bins `[x1, y1, x2, y2]`, in pixels. Corners are not
    /// reordered.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, CoordinateQuantizer, Size};
    ///
    /// let quantizer = CoordinateQuantizer::new(Size::new(1000, 1000));
    /// assert_eq!(quantizer.dequantize_box([1, 2, 3, 4]), BBox::new(1.5, 2.5, 3.5, 4.5));
    /// ```
    pub fn dequantize_box(&self, [x1, y1, x2, y2]: [u16; 4]) -> BBox {
        let (from, to) = (self.dequantize([x1, y1]), self.dequantize([x2, y2]));
        BBox::new(from.x, from.y, to.x, to.y)
    }
}

fn bin(value: f32, per_bin: f32) -> u16 {
    let bin = (value / per_bin).floor();
    // `as` saturates, and NaN becomes 0.
    (bin as u16).min(BINS - 1)
}

/// A region that is not a box inside the image.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, CoordinateQuantizer, Size};
///
/// let quantizer = CoordinateQuantizer::new(Size::new(640, 480));
/// let error = quantizer.quantize_region(&BBox::new(0.0, 0.0, 641.0, 480.0)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "region 0,0,641,480 reaches outside of the image: expected 0 <= x1 <= x2 <= 640 and \
///      0 <= y1 <= y2 <= 480 (pixels of the image)",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RegionError {
    /// The region.
    pub region: BBox,
    /// The size of the image.
    pub size: Size,
    /// What is wrong with the region.
    pub problem: RegionProblem,
}

/// What is wrong with a region.
///
/// # Example
///
/// ```
/// use florence_postprocess::RegionProblem;
///
/// assert_eq!(RegionProblem::NotFinite.to_string(), "is not made of finite numbers");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RegionProblem {
    /// A coordinate is NaN or infinite.
    NotFinite,
    /// The second corner lies left of or above the first.
    NotOrdered,
    /// An edge lies outside the image.
    OutsideImage,
}

impl fmt::Display for RegionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "is not made of finite numbers",
            Self::NotOrdered => "has its corners in the wrong order",
            Self::OutsideImage => "reaches outside of the image",
        })
    }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x1, y1, x2, y2] = self.region.to_array();
        let (problem, Size { width, height }) = (self.problem, self.size);
        write!(
            f,
            "region {x1},{y1},{x2},{y2} {problem}: expected 0 <= x1 <= x2 <= {width} and \
             0 <= y1 <= y2 <= {height} (pixels of the image)"
        )
    }
}

impl std::error::Error for RegionError {}
