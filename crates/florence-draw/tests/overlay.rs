//! Overlays: the drawing without the photo.

use florence_draw::{Mark, Style, annotate, color_of, overlay};
use florence_postprocess::{BBox, Polygon, QuadBox, Size};
use image::{Rgb, RgbImage, Rgba};

/// Boxes, a tinted polygon, a quad and labels, on top of each other.
fn marks() -> Vec<Mark> {
    let quad = QuadBox::from([20.3, 90.0, 180.0, 60.5, 190.0, 110.0, 30.0, 140.0]);
    let star: Polygon =
        QuadBox::from([150.0, 20.0, 290.7, 120.0, 160.0, 190.0, 240.0, 90.0]).to_polygon();
    vec![
        Mark::new(BBox::new(10.0, 10.0, 250.0, 180.0))
            .with_label("house")
            .with_confidence(0.5),
        Mark::new(star).with_label("star"),
        Mark::new(quad).with_label("a line of text"),
        Mark::new(BBox::new(100.4, 50.6, 140.0, 150.0)),
    ]
}

/// A photo of all colors.
fn photo(size: Size) -> RgbImage {
    RgbImage::from_fn(size.width, size.height, |x, y| {
        Rgb([(x * 7) as u8, (y * 11) as u8, (x * y) as u8])
    })
}

#[test]
fn over_the_photo_it_is_the_annotated_photo() {
    let size = Size::new(300, 200);
    let photo = photo(size);
    for style in [
        Style::default(),
        Style::new().with_opacity(0.9).with_stroke(6.0),
    ] {
        let annotated = annotate(&photo, &marks(), &style);
        let layer = overlay(&marks(), size, &style);
        assert_eq!(layer.dimensions(), (300, 200));
        let mut some = [0; 3];
        for (x, y, Rgba([r, g, b, alpha])) in layer.enumerate_pixels() {
            some[match alpha {
                0 => 0,
                255 => 2,
                _ => 1,
            }] += 1;
            let share = f32::from(*alpha) / 255.0;
            let (under, wanted) = (photo.get_pixel(x, y).0, annotated.get_pixel(x, y).0);
            for ((color, under), wanted) in [r, g, b].into_iter().zip(under).zip(wanted) {
                let over = f32::from(*color) * share + f32::from(under) * (1.0 - share);
                assert!(
                    (over - f32::from(wanted)).abs() <= 4.0,
                    "{over}, annotated {wanted}, at {x}, {y}, alpha {alpha}"
                );
            }
            if *alpha == 0 {
                assert_eq!((r, g, b, under), (&0, &0, &0, wanted), "at {x}, {y}");
            }
        }
        assert!(some.iter().all(|count| *count > 500), "{some:?}");
    }
}

#[test]
fn colors_are_not_darkened_by_their_opacity() {
    let square = QuadBox::from(BBox::new(20.0, 20.0, 80.0, 80.0)).to_polygon();
    let mark = Mark::new(square).with_label("car");
    let style = Style::new().with_labels(false).with_opacity(0.25);
    let layer = overlay(&mark, Size::new(100, 100), &style);
    let (Rgba([r, g, b, alpha]), Rgb(color)) = (*layer.get_pixel(50, 50), color_of("car"));
    assert_eq!(alpha, 64);
    for (found, wanted) in [r, g, b].into_iter().zip(color) {
        assert!(found.abs_diff(wanted) <= 4, "{found} {wanted}");
    }
}

#[test]
fn nothing_to_draw_is_transparent() {
    for size in [Size::new(0, 0), Size::new(0, 9), Size::new(8, 5)] {
        let layers = [
            overlay(&Vec::<Mark>::new(), size, &Style::default()),
            overlay(
                &Mark::new(BBox::new(50.0, 50.0, 60.0, 60.0)),
                size,
                &Style::default(),
            ),
        ];
        for layer in layers {
            assert_eq!(layer.dimensions(), (size.width, size.height));
            assert!(layer.pixels().all(|pixel| *pixel == Rgba([0; 4])));
        }
    }
}
