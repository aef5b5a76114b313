//! Binary masks and polygon rasterization.

use super::{Polygon, QuadBox, Shape, Size};

/// A binary mask of an image, one byte per pixel. [`Rle`](crate::Rle) is the compact form.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Mask, Point, Polygon, Size};
///
/// let corners = [(1.0, 1.0), (5.0, 1.0), (5.0, 4.0), (1.0, 4.0)];
/// let square = Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() };
/// let mut mask = Mask::new(Size::new(8, 8));
/// mask.fill(&square);
/// assert_eq!(mask.area(), 12);
/// assert!(mask.contains(1, 1) && !mask.contains(5, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    size: Size,
    pixels: Vec<bool>,
}

impl Mask {
    /// An empty mask.
    ///
    /// # Panics
    ///
    /// Where that memory cannot be allocated, like any vector.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Size};
    ///
    /// assert_eq!(Mask::new(Size::new(8, 8)).area(), 0);
    /// ```
    pub fn new(size: Size) -> Self {
        // More than can be counted is more than there is memory for.
        let pixels = (size.width as usize).checked_mul(size.height as usize);
        Self {
            size,
            pixels: vec![false; pixels.unwrap_or(usize::MAX)],
        }
    }

    /// The size of the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Size};
    ///
    /// assert_eq!(Mask::new(Size::new(8, 6)).size(), Size::new(8, 6));
    /// ```
    pub fn size(&self) -> Size {
        self.size
    }

    /// Sets the pixels whose center lies inside a polygon (even-odd rule). Parts outside the image
    /// are left out, and so are corners that are not finite.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Point, Polygon, Size};
    ///
    /// let points = vec![Point::new(-9.0, -9.0), Point::new(9.0, -9.0), Point::new(0.0, 9.0)];
    /// let mut mask = Mask::new(Size::new(4, 4));
    /// mask.fill(&Polygon { points });
    /// assert!(mask.contains(0, 0));
    /// ```
    pub fn fill(&mut self, polygon: &Polygon) {
        let points: Vec<_> = polygon
            .points
            .iter()
            .map(|point| (f64::from(point.x), f64::from(point.y)))
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .collect();
        let width = self.size.width as usize;
        if width == 0 {
            return;
        }
        let mut crossings = Vec::new();
        for (row, pixels) in self.pixels.chunks_exact_mut(width).enumerate() {
            let y = row as f64 + 0.5;
            crossings.clear();
            let behind = points.iter().cycle().skip(1);
            crossings.extend(
                points
                    .iter()
                    .zip(behind)
                    .filter(|((_, ay), (_, by))| (*ay > y) != (*by > y))
                    .map(|((ax, ay), (bx, by))| (bx - ax) * (y - ay) / (by - ay) + ax),
            );
            crossings.sort_by(f64::total_cmp);
            for span in crossings.as_chunks::<2>().0 {
                // The first pixel whose middle is not left of the edge.
                let [from, to] = span.map(|x| ((x - 0.5).ceil().max(0.0) as usize).min(width));
                pixels[from..to].fill(true);
            }
        }
    }

    /// Sets the pixels whose center lies inside a shape, and those of a mask: of several polygons the
    /// pixels inside any of them, each by the even-odd rule like [`Mask::fill`]. A center on an edge
    /// belongs to the shape on its right or below, so that shapes side by side share no pixel.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Mask, Size};
    ///
    /// let mut mask = Mask::new(Size::new(8, 8));
    /// mask.fill_shape(&BBox::new(1.0, 1.0, 4.5, 3.0).into());
    /// mask.fill_shape(&BBox::new(4.5, 1.0, 6.4, 3.0).into());
    /// assert!(mask.contains(4, 1) && !mask.contains(6, 1));
    /// assert_eq!(mask.area(), 10);
    /// ```
    pub fn fill_shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Box(bbox) => self.fill(&QuadBox::from(*bbox).to_polygon()),
            Shape::Quad(quad) => self.fill(&quad.to_polygon()),
            Shape::Polygons(polygons) => polygons.iter().for_each(|polygon| self.fill(polygon)),
            Shape::Mask(rle) => {
                let mask = rle.to_mask();
                for y in 0..self.size.height.min(mask.size.height) {
                    for x in 0..self.size.width.min(mask.size.width) {
                        if mask.contains(x, y) {
                            self.set(x, y, true);
                        }
                    }
                }
            }
        }
    }

    /// The pixels of an 8-bit gray image, row by row: 255 where set, else 0.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Size};
    ///
    /// let mut mask = Mask::new(Size::new(3, 2));
    /// mask.set(1, 0, true);
    /// assert_eq!(mask.to_gray(), [0, 255, 0, 0, 0, 0]);
    /// ```
    pub fn to_gray(&self) -> Vec<u8> {
        let gray = |inside: &bool| if *inside { 255 } else { 0 };
        self.pixels.iter().map(gray).collect()
    }

    /// Sets or clears the pixel in column `x` and row `y`; does nothing outside the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Size};
    ///
    /// let mut mask = Mask::new(Size::new(8, 8));
    /// mask.set(2, 3, true);
    /// mask.set(100, 100, true);
    /// assert!(mask.contains(2, 3));
    /// assert_eq!(mask.area(), 1);
    /// ```
    pub fn set(&mut self, x: u32, y: u32, inside: bool) {
        if x < self.size.width && y < self.size.height {
            self.pixels[y as usize * self.size.width as usize + x as usize] = inside;
        }
    }

    /// Whether the pixel in column `x` and row `y` is set; pixels outside the image are not.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Size};
    ///
    /// assert!(!Mask::new(Size::new(8, 8)).contains(100, 100));
    /// ```
    pub fn contains(&self, x: u32, y: u32) -> bool {
        x < self.size.width
            && y < self.size.height
            && self.pixels[y as usize * self.size.width as usize + x as usize]
    }

    /// The number of pixels that are set.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Size};
    ///
    /// assert_eq!(Mask::new(Size::new(8, 8)).area(), 0);
    /// ```
    pub fn area(&self) -> usize {
        self.pixels.iter().filter(|set| **set).count()
    }

    /// Intersection over union, from 0 to 1. 0 where neither has a pixel or the sizes differ.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Mask, Point, Polygon, Size};
    ///
    /// let square = |x1, x2| {
    ///     let corners = [(x1, 0.0), (x2, 0.0), (x2, 4.0), (x1, 4.0)];
    ///     let mut mask = Mask::new(Size::new(16, 4));
    ///     mask.fill(&Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() });
    ///     mask
    /// };
    /// assert_eq!(square(0.0, 8.0).iou(&square(4.0, 12.0)), 1.0 / 3.0);
    /// ```
    pub fn iou(&self, other: &Mask) -> f32 {
        if self.size != other.size {
            return 0.0;
        }
        let (mut both, mut either) = (0usize, 0usize);
        for (a, b) in self.pixels.iter().zip(&other.pixels) {
            both += usize::from(*a && *b);
            either += usize::from(*a || *b);
        }
        if either > 0 {
            both as f32 / either as f32
        } else {
            0.0
        }
    }
}
