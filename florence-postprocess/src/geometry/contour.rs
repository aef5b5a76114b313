//! Masks to outlines.

use super::{Mask, Point, Polygon, Rle, Size};

/// One connected piece of a mask: its outer outline and the holes in it.
///
/// Outlines run along the edges between pixels, with corners at whole numbers: clockwise on the
/// screen around the piece, anticlockwise around holes. Pixels that touch at a corner only are
/// different pieces.
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
    /// The outline of the piece.
    pub outer: Polygon,
    /// The outlines of its holes.
    pub holes: Vec<Polygon>,
}

impl Contour {
    /// The piece as one polygon: cuts of no width lead from the outer outline to the holes and
    /// back. Drawn with the even-odd rule, as [`Mask::fill`] and `pycocotools` do, it gives the
    /// piece exactly.
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
    /// The connected pieces of the mask, from the top, as outlines that give it back exactly.
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
        let mut trace = Trace::new(self);
        let (width, height) = (trace.width, trace.height);
        for at in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            if !trace.is_set(at) || trace.is_set((at.0, at.1 - 1)) || trace.traced[trace.index(at)]
            {
                continue;
            }
            // The first pixel of a piece, from the top, lies on its outer outline.
            if trace.piece[trace.index(at)] == 0 {
                trace.contours.push(Contour::default());
                trace.mark_piece(at);
                let outer = trace.outline(at);
                if let Some(contour) = trace.contours.last_mut() {
                    contour.outer = outer;
                }
            } else {
                let piece = trace.piece[trace.index(at)] as usize - 1;
                let hole = trace.outline(at);
                if let Some(contour) = trace.contours.get_mut(piece) {
                    contour.holes.push(hole);
                }
            }
        }
        trace.contours
    }
}

impl Rle {
    /// The connected pieces of the mask, like [`Mask::contours`]; only the part of the image that
    /// they take is drawn for it.
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
        let Some([left, top, right, bottom]) = self.bounds() else {
            return Vec::new();
        };
        let mut mask = Mask::new(Size::new(right - left + 1, bottom - top + 1));
        for at in self.runs().flatten() {
            let [x, y] = self.place(at);
            mask.set(x - left, y - top, true);
        }
        let mut contours = mask.contours();
        let outlines = contours
            .iter_mut()
            .flat_map(|contour| std::iter::once(&mut contour.outer).chain(&mut contour.holes));
        for point in outlines.flat_map(|outline| &mut outline.points) {
            point.x += left as f32;
            point.y += top as f32;
        }
        contours
    }
}

/// A pixel, or the corner at its top left.
type Place = (i64, i64);

struct Trace<'a> {
    mask: &'a Mask,
    width: i64,
    height: i64,
    /// For every pixel the number of its piece, from 1.
    piece: Vec<u32>,
    /// Whether an outline has passed along the top of a pixel.
    traced: Vec<bool>,
    contours: Vec<Contour>,
}

impl<'a> Trace<'a> {
    fn new(mask: &'a Mask) -> Self {
        let size = mask.size();
        let pixels = size.width as usize * size.height as usize;
        Self {
            mask,
            width: i64::from(size.width),
            height: i64::from(size.height),
            piece: vec![0; pixels],
            traced: vec![false; pixels],
            contours: Vec::new(),
        }
    }

    fn is_set(&self, (x, y): Place) -> bool {
        match (u32::try_from(x), u32::try_from(y)) {
            (Ok(x), Ok(y)) => self.mask.contains(x, y),
            _ => false,
        }
    }

    fn index(&self, (x, y): Place) -> usize {
        (y * self.width + x) as usize
    }

    fn mark_piece(&mut self, start: Place) {
        let number = self.contours.len() as u32;
        let mut open = vec![start];
        while let Some((x, y)) = open.pop() {
            let index = self.index((x, y));
            if self.piece[index] != 0 {
                continue;
            }
            self.piece[index] = number;
            let beside = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
            open.extend(beside.into_iter().filter(|at| self.is_set(*at)));
        }
    }

    /// The outline that passes along the top of a pixel, with the piece on its right hand.
    fn outline(&mut self, start: Place) -> Polygon {
        let mut points = Vec::new();
        let (mut at, mut step) = (start, (1, 0));
        loop {
            if step == (1, 0) {
                let index = self.index(at);
                self.traced[index] = true;
            }
            at = (at.0 + step.0, at.1 + step.1);
            let turned = self.next_step(at, step);
            if turned != step {
                points.push(Point::new(at.0 as f32, at.1 as f32));
                step = turned;
            }
            if at == start && step == (1, 0) {
                break;
            }
        }
        // The last corner is the start.
        points.rotate_right(1);
        Polygon { points }
    }

    fn next_step(&self, at: Place, (dx, dy): Place) -> Place {
        // The pixels ahead, left and right of the way; a corner is the top left one of its pixel.
        let ahead = |side: i64| {
            let twice = (dx - side * dy, dy + side * dx);
            let pixel = |at: i64, twice: i64| at + (twice - 1).div_euclid(2);
            self.is_set((pixel(at.0, twice.0), pixel(at.1, twice.1)))
        };
        let (right, left) = ((-dy, dx), (dy, -dx));
        if !ahead(1) {
            right
        } else if ahead(-1) {
            left
        } else {
            (dx, dy)
        }
    }
}
