//! EXIF orientations: shapes move as pixels do when the `image` crate rotates an image.

use florence_postprocess::{BBox, Mask, Orientation, Point, Polygon, QuadBox, Rle, Shape, Size};
use image::{DynamicImage, GrayImage, Luma};
use proptest::prelude::*;

fn all() -> impl Iterator<Item = Orientation> {
    (1..=8).map(|number| Orientation::from_exif(number).unwrap())
}

/// The set pixels of an image.
fn mask(image: &GrayImage) -> Mask {
    let mut mask = Mask::new(Size::new(image.width(), image.height()));
    for (x, y, pixel) in image.enumerate_pixels() {
        mask.set(x, y, pixel.0[0] > 0);
    }
    mask
}

fn turned(image: &GrayImage, orientation: Orientation) -> GrayImage {
    let mut image = DynamicImage::from(image.clone());
    let number = orientation.to_exif();
    image.apply_orientation(image::metadata::Orientation::from_exif(number).unwrap());
    image.into_luma8()
}

#[test]
fn numbers_are_those_of_exif() {
    for (number, orientation) in (1..=8).zip(all()) {
        assert_eq!(orientation.to_exif(), number);
        assert_eq!(u8::from(orientation), number);
        assert_eq!(Orientation::try_from(number), Ok(orientation));
    }
    for number in [0, 9, 255] {
        assert_eq!(Orientation::from_exif(number), None);
        let error = Orientation::try_from(number).unwrap_err().to_string();
        assert!(error.contains("1 to 8") && error.contains(&number.to_string()));
    }
}

proptest! {
    #[test]
    fn masks_turn_as_pixels_do(
        width in 0u32..9,
        height in 0u32..9,
        bits in prop::collection::vec(any::<bool>(), 64),
    ) {
        let size = Size::new(width, height);
        let stored = GrayImage::from_fn(width, height, |x, y| {
            Luma([u8::from(bits[(y * 8 + x) as usize % 64])])
        });
        let rle = Rle::from_mask(&mask(&stored));
        prop_assert_eq!(rle.size(), size);
        for orientation in all() {
            let upright = turned(&stored, orientation);
            let expected = Rle::from_mask(&mask(&upright));
            prop_assert_eq!(rle.upright(orientation), expected, "{:?}", orientation);
        }
    }

    #[test]
    fn runs_that_are_empty_change_nothing(zeros in prop::collection::vec(0u64..3, 1..24)) {
        let sum: u64 = zeros.iter().sum();
        let mut counts = zeros;
        counts.push(72 - sum);
        let rle = Rle::from_counts(Size::new(8, 9), counts).unwrap();
        for orientation in all().skip(1) {
            let plain = Rle::from_mask(&rle.to_mask());
            prop_assert_eq!(rle.upright(orientation), plain.upright(orientation));
        }
    }

    #[test]
    fn boxes_and_outlines_turn_as_pixels_do(
        size in (1u32..30, 1u32..30),
        corner in (0u32..30, 0u32..30),
        reach in (1u32..30, 1u32..30),
    ) {
        let (width, height) = size;
        let (x1, y1) = (corner.0 % width, corner.1 % height);
        let (x2, y2) = ((x1 + reach.0).min(width), (y1 + reach.1).min(height));
        let stored = GrayImage::from_fn(width, height, |x, y| {
            Luma([u8::from((x1..x2).contains(&x) && (y1..y2).contains(&y))])
        });
        let size = Size::new(width, height);
        let bbox = BBox::new(x1 as f32, y1 as f32, x2 as f32, y2 as f32);
        let corners = [bbox.x1, bbox.y1, bbox.x2, bbox.y1, bbox.x2, bbox.y2, bbox.x1, bbox.y2];
        let quad = QuadBox::from(corners);
        for orientation in all() {
            let upright = turned(&stored, orientation);
            prop_assert_eq!(
                orientation.upright_size(size),
                Size::new(upright.width(), upright.height())
            );
            let expected = Rle::from_mask(&mask(&upright)).to_bbox().unwrap();
            prop_assert_eq!(orientation.upright_bbox(&bbox, size), expected);
            let turned_quad = orientation.upright_quad(&quad, size);
            prop_assert_eq!(turned_quad.to_bbox(), expected);
            // The edge along the writing stays the first one.
            let first = orientation.upright_point(quad.points[0], size);
            prop_assert_eq!(turned_quad.points[0], first);
            let shapes = [
                Shape::from(bbox),
                Shape::from(quad),
                Shape::from(quad.to_polygon()),
                Shape::from(Rle::from_mask(&mask(&stored))),
            ];
            for shape in shapes {
                let around = match orientation.upright_shape(&shape, size) {
                    Shape::Box(bbox) => bbox,
                    Shape::Quad(quad) => quad.to_bbox(),
                    Shape::Polygons(polygons) => polygons[0].to_bbox().unwrap(),
                    Shape::Mask(rle) => rle.to_bbox().unwrap(),
                };
                prop_assert_eq!(around, expected);
            }
        }
    }
}

#[test]
fn coordinates_are_exact_where_f32_can_hold_them() {
    // 16,777,217 is the first whole number that an f32 cannot hold.
    let size = Size::new(16_777_217, 10);
    let mirrored = Orientation::MirroredHorizontally.upright_point(Point::new(3.0, 1.5), size);
    assert_eq!(mirrored, Point::new(16_777_214.0, 1.5));
    let unknown = Polygon {
        points: vec![Point::new(f32::NAN, f32::INFINITY)],
    };
    let turned = Orientation::Turned90.upright_polygon(&unknown, Size::new(4, 4));
    assert!(turned.points[0].x == f32::NEG_INFINITY && turned.points[0].y.is_nan());
}
