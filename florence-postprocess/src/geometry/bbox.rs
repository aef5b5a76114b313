//! Axis-aligned boxes.

use super::{Point, Size};

/// An axis-aligned box in pixels of the original image, from its top left corner (`x1`, `y1`) to
/// its bottom right one (`x2`, `y2`).
///
/// Every box that [`parse`](crate::parse()) returns is ordered: `x1 <= x2` and `y1 <= y2`.
///
/// # Example
///
/// ```
/// use florence_postprocess::BBox;
///
/// let car = BBox::new(34.0, 160.0, 597.0, 371.0);
/// assert_eq!((car.width(), car.height()), (563.0, 211.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BBox {
    /// Left edge.
    pub x1: f32,
    /// Top edge.
    pub y1: f32,
    /// Right edge.
    pub x2: f32,
    /// Bottom edge.
    pub y2: f32,
}

impl BBox {
    /// The box with these edges: left, top, right, bottom.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(BBox::new(1.0, 2.0, 3.0, 4.0).x2, 3.0);
    /// ```
    pub const fn new(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self { x1, y1, x2, y2 }
    }

    /// The box that covers a whole image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Size};
    ///
    /// assert_eq!(BBox::whole(Size::new(640, 480)), BBox::new(0.0, 0.0, 640.0, 480.0));
    /// ```
    pub fn whole(size: Size) -> Self {
        Self::new(0.0, 0.0, size.width as f32, size.height as f32)
    }

    /// `x2 - x1` in pixels: negative where the box is not [ordered](BBox::is_ordered).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(BBox::new(10.0, 0.0, 25.0, 5.0).width(), 15.0);
    /// ```
    pub fn width(&self) -> f32 {
        self.x2 - self.x1
    }

    /// `y2 - y1` in pixels: negative where the box is not [ordered](BBox::is_ordered).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(BBox::new(10.0, 0.0, 25.0, 5.0).height(), 5.0);
    /// ```
    pub fn height(&self) -> f32 {
        self.y2 - self.y1
    }

    /// The area in square pixels; 0 for a box that is not [ordered](BBox::is_ordered).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(BBox::new(0.0, 0.0, 4.0, 3.0).area(), 12.0);
    /// assert_eq!(BBox::new(4.0, 0.0, 0.0, 3.0).area(), 0.0);
    /// ```
    pub fn area(&self) -> f32 {
        self.area_f64() as f32
    }

    /// The area in `f64`, where that of every finite box is finite.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// let bbox = BBox::new(0.0, 0.0, 1e30, 1e30);
    /// assert!(bbox.area().is_infinite() && bbox.area_f64().is_finite());
    /// ```
    pub fn area_f64(&self) -> f64 {
        let [x1, y1, x2, y2] = self.to_array().map(f64::from);
        if x1 < x2 && y1 < y2 {
            (x2 - x1) * (y2 - y1)
        } else {
            0.0
        }
    }

    /// The center of the box.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Point};
    ///
    /// assert_eq!(BBox::new(0.0, 0.0, 4.0, 3.0).center(), Point::new(2.0, 1.5));
    /// ```
    pub fn center(&self) -> Point {
        Point::new((self.x1 + self.x2) / 2.0, (self.y1 + self.y2) / 2.0)
    }

    /// Whether `x1 <= x2` and `y1 <= y2`. A box with a NaN is not.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// assert!(BBox::new(0.0, 0.0, 4.0, 3.0).is_ordered());
    /// assert!(!BBox::new(4.0, 0.0, 0.0, 3.0).is_ordered());
    /// ```
    pub fn is_ordered(&self) -> bool {
        self.x1 <= self.x2 && self.y1 <= self.y2
    }

    /// The same box with its corners in order.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// let bbox = BBox::new(4.0, 0.0, 1.0, 3.0).ordered();
    /// assert_eq!(bbox, BBox::new(1.0, 0.0, 4.0, 3.0));
    /// ```
    #[must_use]
    pub fn ordered(&self) -> Self {
        Self {
            x1: self.x1.min(self.x2),
            y1: self.y1.min(self.y2),
            x2: self.x1.max(self.x2),
            y2: self.y1.max(self.y2),
        }
    }

    /// The intersection of both boxes; `None` where they do not touch.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// let left = BBox::new(0.0, 0.0, 10.0, 10.0);
    /// let right = BBox::new(5.0, 2.0, 20.0, 8.0);
    /// assert_eq!(left.intersection(&right), Some(BBox::new(5.0, 2.0, 10.0, 8.0)));
    /// assert_eq!(left.intersection(&BBox::new(11.0, 0.0, 12.0, 1.0)), None);
    /// ```
    pub fn intersection(&self, other: &BBox) -> Option<BBox> {
        let both = BBox {
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
            x2: self.x2.min(other.x2),
            y2: self.y2.min(other.y2),
        };
        both.is_ordered().then_some(both)
    }

    /// The smallest box around both.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// let hull = BBox::new(0.0, 0.0, 1.0, 1.0).hull(&BBox::new(5.0, 5.0, 6.0, 7.0));
    /// assert_eq!(hull, BBox::new(0.0, 0.0, 6.0, 7.0));
    /// ```
    #[must_use]
    pub fn hull(&self, other: &BBox) -> BBox {
        BBox {
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
            x2: self.x2.max(other.x2),
            y2: self.y2.max(other.y2),
        }
    }

    /// Intersection over union, from 0 (disjoint, or an area is zero or infinite) to 1 (equal).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// let a = BBox::new(0.0, 0.0, 10.0, 10.0);
    /// let b = BBox::new(5.0, 0.0, 15.0, 10.0);
    /// assert_eq!(a.iou(&b), 1.0 / 3.0);
    /// ```
    pub fn iou(&self, other: &BBox) -> f32 {
        let both = self.intersection(other);
        let both = both.map_or(0.0, |both| both.area_f64());
        let either = self.area_f64() + other.area_f64() - both;
        if either > 0.0 && either.is_finite() {
            (both / either) as f32
        } else {
            0.0
        }
    }

    /// Whether a point lies in the box; the left and top edges belong to it, the right and bottom
    /// ones do not.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Point};
    ///
    /// let bbox = BBox::new(0.0, 0.0, 10.0, 10.0);
    /// assert!(bbox.contains(Point::new(0.0, 9.5)));
    /// assert!(!bbox.contains(Point::new(10.0, 5.0)));
    /// ```
    pub fn contains(&self, point: Point) -> bool {
        (self.x1..self.x2).contains(&point.x) && (self.y1..self.y2).contains(&point.y)
    }

    /// The box with its edges moved into an image of this size.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let bbox = BBox::new(-5.0, 10.0, 700.0, 481.0).clamp(Size::new(640, 480));
    /// assert_eq!(bbox, BBox::new(0.0, 10.0, 640.0, 480.0));
    /// ```
    #[must_use]
    pub fn clamp(&self, size: Size) -> Self {
        let (width, height) = (size.width as f32, size.height as f32);
        Self {
            x1: self.x1.clamp(0.0, width),
            y1: self.y1.clamp(0.0, height),
            x2: self.x2.clamp(0.0, width),
            y2: self.y2.clamp(0.0, height),
        }
    }

    /// The part of the box inside another; `None` where that has no area, or an edge is NaN.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let image = BBox::whole(Size::new(640, 480));
    /// let bbox = BBox::new(-5.0, 10.0, 20.0, 500.0);
    /// assert_eq!(bbox.clip(&image), Some(BBox::new(0.0, 10.0, 20.0, 480.0)));
    /// assert_eq!(BBox::new(640.0, 0.0, 700.0, 10.0).clip(&image), None);
    /// ```
    pub fn clip(&self, region: &BBox) -> Option<BBox> {
        let known = self.is_ordered() && region.is_ordered();
        let both = self.intersection(region).filter(|_| known)?;
        (both.x1 < both.x2 && both.y1 < both.y2).then_some(both)
    }

    /// The whole pixels of an image of this size that the box touches, as `(x, y, width, height)`:
    /// what to crop. `None` where there are none: the box lies outside the image, is not
    /// [ordered](BBox::is_ordered), or lies on a pixel edge without any extent.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let size = Size::new(640, 480);
    /// assert_eq!(BBox::new(34.8, 180.2, 580.1, 500.0).pixels(size), Some((34, 180, 547, 300)));
    /// assert_eq!(BBox::new(640.0, 0.0, 700.0, 10.0).pixels(size), None);
    /// ```
    pub fn pixels(&self, size: Size) -> Option<(u32, u32, u32, u32)> {
        if !self.is_ordered() {
            return None;
        }
        // `as` saturates.
        let from = |edge: f32| edge.floor() as u32;
        let to = |edge: f32, side: u32| (edge.ceil() as u32).min(side);
        let (x, y) = (from(self.x1), from(self.y1));
        let width = to(self.x2, size.width).checked_sub(x)?;
        let height = to(self.y2, size.height).checked_sub(y)?;
        (width > 0 && height > 0).then_some((x, y, width, height))
    }

    /// `[x, y, width, height]`, the order of COCO annotations.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(BBox::new(1.0, 2.0, 4.0, 8.0).to_xywh(), [1.0, 2.0, 3.0, 6.0]);
    /// ```
    pub fn to_xywh(&self) -> [f32; 4] {
        [self.x1, self.y1, self.width(), self.height()]
    }

    /// `[x1, y1, x2, y2]`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::BBox;
    ///
    /// assert_eq!(BBox::new(1.0, 2.0, 4.0, 8.0).to_array(), [1.0, 2.0, 4.0, 8.0]);
    /// ```
    pub fn to_array(&self) -> [f32; 4] {
        [self.x1, self.y1, self.x2, self.y2]
    }
}

impl From<[f32; 4]> for BBox {
    /// From `[x1, y1, x2, y2]`.
    fn from([x1, y1, x2, y2]: [f32; 4]) -> Self {
        Self { x1, y1, x2, y2 }
    }
}
