//! Pixels to location bins and back.

use crate::geometry::{BBox, Point, Size};

/// The number of location bins along each side of an image.
pub const BINS: u16 = 1000;

/// Maps pixels of one image to the 1000 × 1000 location bins of the model, and bins back to the
/// pixels in their middle.
///
/// A bin is `side / 1000` pixels wide, computed in `f64` and rounded to `f32`; everything else is
/// `f32` arithmetic in the order of the reference, so that coordinates are equal to its own bit
/// for bit: quantise `floor(v / (side / 1000))` clamped to 0…999, dequantise
/// `(bin + 0.5) * (side / 1000)`.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, Quantizer, Size};
///
/// let quantizer = Quantizer::new(Size::new(640, 480));
/// assert_eq!(quantizer.quantize_box(&BBox::new(34.7, 180.3, 580.0, 339.5)), [54, 375, 906, 707]);
/// let bbox = quantizer.dequantize_box([54, 375, 906, 707]);
/// assert_eq!(bbox, BBox::new(34.88, 180.23999, 580.16, 339.6));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantizer {
    size: Size,
    per_bin: [f32; 2],
}

impl Quantizer {
    /// The quantiser of an image of this size. An image without pixels has all its points in
    /// bin 0 at 0.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Quantizer, Size};
    ///
    /// let quantizer = Quantizer::new(Size::new(640, 480));
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
    /// use florence_postprocess::{Quantizer, Size};
    ///
    /// assert_eq!(Quantizer::new(Size::new(3, 1000)).size().width, 3);
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
    /// use florence_postprocess::{Point, Quantizer, Size};
    ///
    /// let quantizer = Quantizer::new(Size::new(2000, 500));
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
    /// use florence_postprocess::{BBox, Quantizer, Size};
    ///
    /// let quantizer = Quantizer::new(Size::new(1000, 1000));
    /// assert_eq!(quantizer.quantize_box(&BBox::new(0.0, 1.5, 2.0, 1000.0)), [0, 1, 2, 999]);
    /// ```
    pub fn quantize_box(&self, bbox: &BBox) -> [u16; 4] {
        let [x1, y1] = self.quantize(Point::new(bbox.x1, bbox.y1));
        let [x2, y2] = self.quantize(Point::new(bbox.x2, bbox.y2));
        [x1, y1, x2, y2]
    }

    /// The middle of the bins `[x, y]`, in pixels. Bins above 999, which no vocabulary has, lie
    /// outside the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Quantizer, Size};
    ///
    /// let quantizer = Quantizer::new(Size::new(2000, 1000));
    /// assert_eq!(quantizer.dequantize([10, 10]), Point::new(21.0, 10.5));
    /// ```
    pub fn dequantize(&self, [x, y]: [u16; 2]) -> Point {
        Point::new(
            (f32::from(x) + 0.5) * self.per_bin[0],
            (f32::from(y) + 0.5) * self.per_bin[1],
        )
    }

    /// The box between the middles of the bins `[x1, y1, x2, y2]`, in pixels, corners as they are.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Quantizer, Size};
    ///
    /// let quantizer = Quantizer::new(Size::new(1000, 1000));
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
