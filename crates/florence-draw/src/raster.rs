//! Raster output: slanted lines and fills by tiny-skia; axis-aligned lines and backgrounds fall on whole
//! pixels and are written directly.

use florence_postprocess::{BBox, Polygon};
use image::{Rgb, RgbImage, RgbaImage};
use tiny_skia::{FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use crate::scene::{FigureShape, HALO_OPACITY, Label, Scene};
use crate::{font, ink_on};

impl Scene {
    /// Draws the scene on an image: fills, then outlines, then labels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let mut picture = image::RgbImage::new(640, 480);
    /// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0));
    /// Scene::new(Size::new(640, 480), &car, &Style::default()).draw_on(&mut picture);
    /// assert_ne!(picture.get_pixel(100, 150).0, [0, 0, 0]);
    /// ```
    pub fn draw_on(&self, picture: &mut RgbImage) {
        if self.figures().is_empty() {
            return;
        }
        if let Some(mut canvas) = Canvas::new(picture) {
            canvas.draw(self);
            canvas.copy_to(picture);
        }
    }

    /// The drawing alone on a transparent image, with straight (not premultiplied) alpha. Over the
    /// photo it gives the annotated photo, up to rounding.
    ///
    /// # Panics
    ///
    /// Where the memory of the image cannot be allocated, like any vector.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style, color_of};
    /// use florence_postprocess::{BBox, Size};
    /// use image::{Pixel, Rgba};
    ///
    /// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
    /// let overlay = Scene::new(Size::new(640, 480), &car, &Style::default()).to_overlay();
    /// assert_eq!(*overlay.get_pixel(300, 150), color_of("car").to_rgba());
    /// assert_eq!(*overlay.get_pixel(200, 150), Rgba([0, 0, 0, 0]));
    /// ```
    pub fn to_overlay(&self) -> RgbaImage {
        let mut overlay = RgbaImage::new(self.size().width, self.size().height);
        if self.figures().is_empty() {
            return overlay;
        }
        let (width, height) = overlay.dimensions();
        if let Some(pixels) = Pixmap::new(width, height) {
            let mut canvas = Canvas(pixels);
            canvas.draw(self);
            let pixels = overlay.pixels_mut().zip(canvas.0.pixels());
            for (to, pixel) in pixels.filter(|(_, pixel)| pixel.alpha() > 0) {
                let color = pixel.demultiply();
                to.0 = [color.red(), color.green(), color.blue(), color.alpha()];
            }
        }
        overlay
    }
}

/// An image with four bytes per pixel, colors multiplied by alpha.
struct Canvas(Pixmap);

impl Canvas {
    /// Fills, then outlines, then labels.
    fn draw(&mut self, scene: &Scene) {
        for figure in scene.figures().iter().filter(|figure| figure.filled) {
            if let FigureShape::Polygons(polygons) = &figure.shape {
                self.fill(polygons, figure.color, scene.opacity());
            }
        }
        for figure in scene.figures() {
            match &figure.shape {
                FigureShape::Box(bbox) => self.frame(bbox, scene, figure.color),
                FigureShape::Polygons(polygons) => self.outline(polygons, scene, figure.color),
            }
        }
        for label in scene.labels() {
            self.label(label, scene.font_size());
        }
    }

    /// A copy of an image; `None` if it has no pixels.
    fn new(picture: &RgbImage) -> Option<Self> {
        let mut pixels = Pixmap::new(picture.width(), picture.height())?;
        let (rgba, _) = pixels.data_mut().as_chunks_mut::<4>();
        for (to, Rgb([r, g, b])) in rgba.iter_mut().zip(picture.pixels()) {
            *to = [*r, *g, *b, 255];
        }
        Some(Self(pixels))
    }

    fn copy_to(&self, picture: &mut RgbImage) {
        let (rgba, _) = self.0.data().as_chunks::<4>();
        for (to, [r, g, b, _]) in picture.pixels_mut().zip(rgba) {
            *to = Rgb([*r, *g, *b]);
        }
    }

    fn fill(&mut self, polygons: &[Polygon], Rgb([r, g, b]): Rgb<u8>, opacity: f32) {
        let mut paint = Paint::default();
        paint.set_color_rgba8(r, g, b, (opacity * 255.0).round() as u8);
        if let Some(path) = path(polygons) {
            let identity = Transform::identity();
            self.0
                .fill_path(&path, &paint, FillRule::EvenOdd, identity, None);
        }
    }

    fn outline(&mut self, polygons: &[Polygon], scene: &Scene, color: Rgb<u8>) {
        let Some(path) = path(polygons) else {
            return;
        };
        let around = scene.stroke() + 2.0 * scene.halo();
        let halo = (HALO_OPACITY * 255.0).round() as u8;
        let lines = [(around, ink_on(color), halo), (scene.stroke(), color, 255)];
        for (width, Rgb([r, g, b]), opacity) in lines {
            let mut paint = Paint::default();
            paint.set_color_rgba8(r, g, b, opacity);
            let stroke = Stroke {
                width,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            let identity = Transform::identity();
            self.0.stroke_path(&path, &paint, &stroke, identity, None);
        }
    }

    /// The outline of an axis-aligned box, on whole pixels.
    fn frame(&mut self, bbox: &BBox, scene: &Scene, color: Rgb<u8>) {
        let (width, halo) = (scene.stroke() as i64, scene.halo() as i64);
        let start = |edge: f32| (edge - scene.stroke() / 2.0).round() as i64;
        let [x1, y1, x2, y2] = bbox.to_array().map(start);
        let outer = [x1, y1, x2 + width, y2 + width];
        let inner = [x1 + width, y1 + width, x2, y2];

        let ink = ink_on(color);
        let grown = |[x1, y1, x2, y2]: [i64; 4], by: i64| [x1 - by, y1 - by, x2 + by, y2 + by];
        for area in ring(grown(outer, halo), outer) {
            self.rectangle(area, ink, HALO_OPACITY);
        }
        for area in ring(inner, grown(inner, -halo)) {
            self.rectangle(area, ink, HALO_OPACITY);
        }
        for area in ring(outer, inner) {
            self.rectangle(area, color, 1.0);
        }
    }

    fn label(&mut self, label: &Label, font_size: f32) {
        let bounds = label.bounds.to_array().map(|edge| edge as i64);
        self.rectangle(bounds, label.color, 1.0);
        let [x1, y1, x2, y2] = bounds;
        let origin = (label.origin.x, label.origin.y);
        font::draw(&label.text, origin, font_size, |x, y, share| {
            if (x1..x2).contains(&x) && (y1..y2).contains(&y) {
                self.blend(x, y, label.ink, share);
            }
        });
    }

    /// Paints the pixels from the left and top to before the right and bottom edge.
    fn rectangle(&mut self, [x1, y1, x2, y2]: [i64; 4], ink: Rgb<u8>, share: f32) {
        let (width, height) = (self.0.width() as usize, self.0.height() as usize);
        let [x1, x2] = [x1, x2].map(|x| (x.max(0) as usize).min(width));
        let [y1, y2] = [y1, y2].map(|y| (y.max(0) as usize).min(height));
        let (pixels, _) = self.0.data_mut().as_chunks_mut::<4>();
        for row in pixels.chunks_exact_mut(width).take(y2).skip(y1) {
            let row = &mut row[x1..x2.max(x1)];
            if share < 1.0 {
                row.iter_mut().for_each(|pixel| blend(pixel, ink, share));
            } else {
                let Rgb([r, g, b]) = ink;
                row.fill([r, g, b, 255]);
            }
        }
    }

    fn blend(&mut self, x: i64, y: i64, ink: Rgb<u8>, share: f32) {
        let (width, height) = (i64::from(self.0.width()), i64::from(self.0.height()));
        if (0..width).contains(&x) && (0..height).contains(&y) {
            let (pixels, _) = self.0.data_mut().as_chunks_mut::<4>();
            blend(&mut pixels[(y * width + x) as usize], ink, share);
        }
    }
}

fn blend(pixel: &mut [u8; 4], Rgb([r, g, b]): Rgb<u8>, share: f32) {
    let share = (share.clamp(0.0, 1.0) * 256.0).round() as u32;
    let mix = |value: u8, ink: u8| {
        let mixed = u32::from(value) * (256 - share) + u32::from(ink) * share;
        ((mixed + 128) >> 8) as u8
    };
    let [under_r, under_g, under_b, alpha] = *pixel;
    *pixel = [
        mix(under_r, r),
        mix(under_g, g),
        mix(under_b, b),
        mix(alpha, 255),
    ];
}

/// The difference of a rectangle and one inside of it, as four disjoint rectangles.
fn ring(outer: [i64; 4], inner: [i64; 4]) -> [[i64; 4]; 4] {
    let [left, top, right, bottom] = outer;
    // An inside without extent leaves the whole.
    let x1 = inner[0].clamp(left, right.max(left));
    let y1 = inner[1].clamp(top, bottom.max(top));
    let x2 = inner[2].clamp(x1, right.max(x1));
    let y2 = inner[3].clamp(y1, bottom.max(y1));
    [
        [left, top, right, y1],
        [left, y2, right, bottom],
        [left, y1, x1, y2],
        [x2, y1, right, y2],
    ]
}

/// Closed polygons; `None` where there is nothing to draw.
fn path(polygons: &[Polygon]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for polygon in polygons {
        let mut points = polygon.points.iter();
        if let Some(first) = points.next() {
            path.move_to(first.x, first.y);
            for point in points {
                path.line_to(point.x, point.y);
            }
            path.close();
        }
    }
    path.finish()
}
