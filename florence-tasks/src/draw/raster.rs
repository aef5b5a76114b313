//! A scene as pixels.
//!
//! Slanted lines and fills are tiny-skia's, which draws as Skia does, without dependencies of its own
//! worth mentioning. Upright lines and backgrounds fall on whole pixels and are written as they are.

use florence_postprocess::{BBox, Polygon};
use image::{Rgb, RgbImage};
use tiny_skia::{FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::font;
use super::scene::{Contour, Label, Scene};

/// Draws fills, then outlines, then labels.
pub(super) fn draw(scene: &Scene, picture: &mut RgbImage) {
    if scene.figures().is_empty() {
        return;
    }
    let Some(mut canvas) = Canvas::new(picture) else {
        return;
    };
    for figure in scene.figures().iter().filter(|figure| figure.filled) {
        if let Contour::Polygons(polygons) = &figure.contour {
            canvas.fill(polygons, figure.color, scene.opacity());
        }
    }
    for figure in scene.figures() {
        match &figure.contour {
            Contour::Box(bbox) => canvas.frame(bbox, scene.stroke(), figure.color),
            Contour::Polygons(polygons) => canvas.outline(polygons, scene.stroke(), figure.color),
        }
    }
    for label in scene.labels() {
        canvas.label(label, scene.font_size());
    }
    canvas.copy_to(picture);
}

/// An opaque picture with four bytes a pixel.
struct Canvas(Pixmap);

impl Canvas {
    /// `None` for a picture without pixels.
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

    fn outline(&mut self, polygons: &[Polygon], width: f32, Rgb([r, g, b]): Rgb<u8>) {
        let mut paint = Paint::default();
        paint.set_color_rgba8(r, g, b, 255);
        let stroke = Stroke {
            width,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(path) = path(polygons) {
            let identity = Transform::identity();
            self.0.stroke_path(&path, &paint, &stroke, identity, None);
        }
    }

    /// The outline of an upright box, on whole pixels.
    fn frame(&mut self, bbox: &BBox, stroke: f32, color: Rgb<u8>) {
        let width = stroke as i64;
        let start = |edge: f32| (edge - stroke / 2.0).round() as i64;
        let [x1, y1, x2, y2] = bbox.to_array().map(start);
        let (right, bottom) = (x2 + width, y2 + width);
        self.rectangle([x1, y1, right, y1 + width], color);
        self.rectangle([x1, y2, right, bottom], color);
        self.rectangle([x1, y1, x1 + width, bottom], color);
        self.rectangle([x2, y1, right, bottom], color);
    }

    fn label(&mut self, label: &Label, font_size: f32) {
        let bounds = label.bounds.to_array().map(|edge| edge as i64);
        self.rectangle(bounds, label.color);
        let [x1, y1, x2, y2] = bounds;
        let origin = (label.origin.x, label.origin.y);
        font::draw(&label.text, origin, font_size, |x, y, share| {
            if (x1..x2).contains(&x) && (y1..y2).contains(&y) {
                self.blend(x, y, label.ink, share);
            }
        });
    }

    /// Paints the pixels from the left and top to before the right and bottom edge.
    fn rectangle(&mut self, [x1, y1, x2, y2]: [i64; 4], Rgb([r, g, b]): Rgb<u8>) {
        let (width, height) = (self.0.width() as usize, self.0.height() as usize);
        let [x1, x2] = [x1, x2].map(|x| (x.max(0) as usize).min(width));
        let [y1, y2] = [y1, y2].map(|y| (y.max(0) as usize).min(height));
        let (pixels, _) = self.0.data_mut().as_chunks_mut::<4>();
        for row in pixels.chunks_exact_mut(width).take(y2).skip(y1) {
            row[x1..x2.max(x1)].fill([r, g, b, 255]);
        }
    }

    fn blend(&mut self, x: i64, y: i64, Rgb(ink): Rgb<u8>, share: f32) {
        let (width, height) = (i64::from(self.0.width()), i64::from(self.0.height()));
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let share = share.clamp(0.0, 1.0);
        let (pixels, _) = self.0.data_mut().as_chunks_mut::<4>();
        for (value, ink) in pixels[(y * width + x) as usize].iter_mut().zip(ink) {
            let mixed = f32::from(*value) * (1.0 - share) + f32::from(ink) * share;
            *value = mixed.round() as u8;
        }
    }
}

/// Closed lines; `None` where there is nothing to draw.
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
