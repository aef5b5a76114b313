//! Boxes, polygons and labels on a picture.

use std::convert::Infallible;

use embedded_graphics::mono_font::{MonoTextStyle, iso_8859_1::FONT_9X15_BOLD};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle, StyledDrawable};
use embedded_graphics::text::{Baseline, Text};
use florence_tasks::{BBox, Polygon, QuadBox};
use image::{DynamicImage, Rgb, RgbImage};

/// Distinct colours, in the order in which objects get them.
const PALETTE: [Rgb888; 8] = [
    Rgb888::new(230, 25, 75),
    Rgb888::new(0, 130, 200),
    Rgb888::new(60, 150, 60),
    Rgb888::new(245, 130, 48),
    Rgb888::new(145, 30, 180),
    Rgb888::new(0, 128, 128),
    Rgb888::new(170, 110, 40),
    Rgb888::new(128, 0, 0),
];
/// Share of the colour in a filled polygon.
const OPACITY: f32 = 0.45;
const STROKE: u32 = 3;

/// A picture to draw answers on.
#[derive(Debug)]
pub struct Canvas {
    picture: RgbImage,
}

impl Canvas {
    /// A copy of `image` to draw on.
    pub fn new(image: &DynamicImage) -> Self {
        Self {
            picture: image.to_rgb8(),
        }
    }

    /// The picture with what was drawn on it.
    pub fn into_picture(self) -> RgbImage {
        self.picture
    }

    /// The outline of a box, with a label at its top left corner.
    pub fn bbox(&mut self, bbox: &BBox, label: &str, index: usize) {
        let corners = [
            (bbox.x1, bbox.y1),
            (bbox.x2, bbox.y1),
            (bbox.x2, bbox.y2),
            (bbox.x1, bbox.y2),
        ];
        self.outline(&corners, index);
        self.label((bbox.x1, bbox.y1), label, index);
    }

    /// The outline of a quad, with a label at its first corner.
    pub fn quad_box(&mut self, quad: &QuadBox, label: &str, index: usize) {
        let corners = quad.points.map(|p| (p.x, p.y));
        self.outline(&corners, index);
        self.label(corners[0], label, index);
    }

    /// A polygon, tinted and outlined.
    pub fn polygon(&mut self, polygon: &Polygon, index: usize) {
        let Rgb([r, g, b]) = rgb(PALETTE[index % PALETTE.len()]);
        for (x, y, pixel) in self.picture.enumerate_pixels_mut() {
            if polygon.contains(florence_tasks::Point {
                x: x as f32 + 0.5,
                y: y as f32 + 0.5,
            }) {
                for (value, tint) in pixel.0.iter_mut().zip([r, g, b]) {
                    *value =
                        (f32::from(*value) * (1.0 - OPACITY) + f32::from(tint) * OPACITY) as u8;
                }
            }
        }
        let corners = polygon
            .points
            .iter()
            .map(|p| (p.x, p.y))
            .collect::<Vec<_>>();
        self.outline(&corners, index);
    }

    fn outline(&mut self, corners: &[(f32, f32)], index: usize) {
        let style = PrimitiveStyle::with_stroke(PALETTE[index % PALETTE.len()], STROKE);
        let points = corners
            .iter()
            .map(|&corner| point(corner))
            .collect::<Vec<_>>();
        for (at, &start) in points.iter().enumerate() {
            let end = points[(at + 1) % points.len()];
            let line = embedded_graphics::primitives::Line::new(start, end);
            let Ok(()) = line.draw_styled(&style, self);
        }
    }

    fn label(&mut self, corner: (f32, f32), label: &str, index: usize) {
        if label.is_empty() {
            return;
        }
        let font = &FONT_9X15_BOLD;
        let height = font.character_size.height as i32 + 2;
        let width = label.chars().count() as u32 * font.character_size.width + 4;
        let corner = point(corner);
        let room = (self.picture.width() as i32 - width as i32).max(0);
        let at = Point::new(corner.x.clamp(0, room), (corner.y - height).max(0));
        let fill = PrimitiveStyle::with_fill(PALETTE[index % PALETTE.len()]);
        let Ok(()) = Rectangle::new(at, Size::new(width, height as u32)).draw_styled(&fill, self);
        let style = MonoTextStyle::new(font, Rgb888::WHITE);
        let text = Text::with_baseline(label, at + Point::new(2, 1), style, Baseline::Top);
        let Ok(_) = text.draw(self);
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.picture.width(), self.picture.height())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, color) in pixels {
            if let (Ok(x), Ok(y)) = (u32::try_from(at.x), u32::try_from(at.y))
                && let Some(pixel) = self.picture.get_pixel_mut_checked(x, y)
            {
                *pixel = rgb(color);
            }
        }
        Ok(())
    }
}

fn rgb(color: Rgb888) -> Rgb<u8> {
    Rgb([color.r(), color.g(), color.b()])
}

fn point((x, y): (f32, f32)) -> Point {
    Point::new(x.round() as i32, y.round() as i32)
}
