//! Rasterization of polygons and boxes to runs, as `pycocotools` does it.

use std::ops::Range;

use super::Rle;
use crate::geometry::decimal;
use crate::geometry::{BBox, Polygon, Size};

/// Corners are moved to a grid of this many lines a pixel.
const LINES: i64 = 5;
/// The grid ends here: far outside of every image, near enough for exact arithmetic.
const FAR: f64 = (1u64 << 50) as f64;

impl Rle {
    /// The pixels inside a polygon as `pycocotools` draws it, pixel for pixel: even-odd rule,
    /// corners on a grid of five lines a pixel. [`Mask::fill`](crate::Mask::fill) is the
    /// geometrically exact alternative, which differs along edges.
    ///
    /// Coordinates count as they are written in JSON, as the shortest decimals. Corners that are
    /// not finite are left out. Memory and time depend on the columns that the outline crosses
    /// inside the image, not on how far outside it reaches.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon, Rle, Size};
    ///
    /// let corners = [(1.0, 1.0), (6.0, 1.0), (6.0, 6.0)].map(|(x, y)| Point::new(x, y));
    /// let triangle = Polygon { points: corners.to_vec() };
    /// assert_eq!(Rle::from_polygon(&triangle, Size::new(8, 8)).to_compressed(), "a0171O1O1>");
    /// ```
    pub fn from_polygon(polygon: &Polygon, size: Size) -> Self {
        let corners = polygon.points.iter();
        draw(
            corners.map(|point| (decimal(point.x), decimal(point.y))),
            size,
        )
    }

    /// The pixels inside any of some polygons, each drawn like
    /// [`from_polygon`](Rle::from_polygon).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Point, Polygon, Rle, Size};
    ///
    /// let square = |x| {
    ///     let corners = [(x, 0.0), (x + 2.0, 0.0), (x + 2.0, 2.0), (x, 2.0)];
    ///     Polygon { points: corners.map(|(x, y)| Point::new(x, y)).to_vec() }
    /// };
    /// let rle = Rle::from_polygons(&[square(0.0), square(1.0)], Size::new(4, 2));
    /// assert_eq!(rle.counts(), [0, 6, 2]);
    /// ```
    pub fn from_polygons<'a>(polygons: impl IntoIterator<Item = &'a Polygon>, size: Size) -> Self {
        polygons
            .into_iter()
            .map(|polygon| Self::from_polygon(polygon, size))
            .reduce(|all, one| all.either(&one))
            .unwrap_or_else(|| Self::new(size))
    }

    /// The pixels inside a polygon given as `[x, y, x, y, …]` in full precision, as in a COCO
    /// file; otherwise like [`from_polygon`](Rle::from_polygon). An x without its y at the end is
    /// left out.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let rle = Rle::from_xy(&[0.0, 0.0, 2.0, 0.0, 2.0, 1.0, 0.0, 1.0], Size::new(3, 2));
    /// assert_eq!(rle.counts(), [0, 1, 1, 1, 3]);
    /// ```
    pub fn from_xy(xy: &[f64], size: Size) -> Self {
        draw(xy.as_chunks::<2>().0.iter().map(|[x, y]| (*x, *y)), size)
    }

    /// The pixels inside a box, drawn like [`from_polygon`](Rle::from_polygon). A box as high as the
    /// image is a single run, however wide it is.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Rle, Size};
    ///
    /// let rle = Rle::from_bbox(&BBox::new(0.4, 0.4, 1.6, 9.0), Size::new(3, 2));
    /// assert_eq!(rle.counts(), [0, 4, 2]);
    /// ```
    pub fn from_bbox(bbox: &BBox, size: Size) -> Self {
        let edges = bbox.to_array().map(decimal);
        if !edges.iter().all(|edge| edge.is_finite()) {
            return Self::new(size);
        }
        let [x1, y1, x2, y2] = edges.map(grid);
        let columns = columns(x1, x2, size);
        // The edges of a box are level: half a line below where they are written.
        let [from, to] = [y1, y2].map(|y| row((y as f64 + 0.5) as i64, size));
        let (top, bottom) = (from.min(to), from.max(to));
        let height = u64::from(size.height);
        if bottom - top == height {
            return Self::from_toggles(size, [columns.start * height, columns.end * height]);
        }
        let toggles = columns.flat_map(|column| [column * height + top, column * height + bottom]);
        Self::from_toggles(size, toggles)
    }
}

fn draw(corners: impl Iterator<Item = (f64, f64)>, size: Size) -> Rle {
    let corners: Vec<(i64, i64)> = corners
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .map(|(x, y)| (grid(x), grid(y)))
        .collect();
    let mut crossings = Vec::new();
    for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        cross(*from, *to, size, &mut crossings);
    }
    crossings.sort_unstable();
    Rle::from_toggles(size, crossings)
}

/// The line of the grid that a coordinate is moved to.
fn grid(at: f64) -> i64 {
    (LINES as f64 * at + 0.5).clamp(-FAR, FAR) as i64
}

/// The columns of the image whose middles lie between two lines. The middle of column `c` lies
/// between the lines `5c + 2` and `5c + 3`.
fn columns(from: i64, to: i64, size: Size) -> Range<u64> {
    let column = |line: i64| {
        let column = (line + 2).div_euclid(LINES);
        column.clamp(0, i64::from(size.width)) as u64
    };
    column(from.min(to))..column(from.max(to))
}

/// The first row below a line of the grid.
fn row(line: i64, size: Size) -> u64 {
    let row = (line as f64 + 0.5) / LINES as f64 - 0.5;
    row.clamp(0.0, f64::from(size.height)).ceil() as u64
}

/// Where an edge passes the middle of a column, there the pixels below it change. An edge is a
/// chain of points of the grid, one for every line along its longer side.
fn cross(from: (i64, i64), to: (i64, i64), size: Size, crossings: &mut Vec<u64>) {
    let (dx, dy) = ((from.0 - to.0).abs(), (from.1 - to.1).abs());
    let flat = dx >= dy;
    let backwards = if flat { from.0 > to.0 } else { from.1 > to.1 };
    let ((xs, ys), (xe, ye)) = if backwards { (to, from) } else { (from, to) };

    for column in columns(xs, xe, size) {
        let line = LINES * column as i64 + 2;
        let upper = if flat {
            let slope = (ye - ys) as f64 / dx as f64;
            let y = |x: i64| (ys as f64 + slope * (x - xs) as f64 + 0.5) as i64;
            y(line).min(y(line + 1))
        } else {
            let slope = (xe - xs) as f64 / dy as f64;
            let x = |step: i64| (xs as f64 + slope * step as f64 + 0.5) as i64;
            let passed = |step: i64| (x(step) > line) == (xe > xs);
            ys + last_before(dy, passed)
        };
        crossings.push(column * u64::from(size.height) + row(upper, size));
    }
}

/// The last step that has not passed, where the step 0 has not, `end` has, and none goes back.
fn last_before(end: i64, passed: impl Fn(i64) -> bool) -> i64 {
    let (mut before, mut after) = (0, end);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if passed(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    before
}
