//! Whatever is to be drawn: no panic, an end, and a picture of the same size.

use florence_draw::{Mark, Scene, Style, annotate, to_svg};
use florence_postprocess::{BBox, Point, Polygon, QuadBox, Rle, Shape, Size};
use image::RgbImage;
use proptest::prelude::*;

/// Any number, and more often than not one that hurts.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        -200f32..400.0,
        any::<f32>(),
        prop::sample::select(vec![
            0.0,
            -0.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN,
            f32::MIN_POSITIVE,
            1e9,
            2147483648.0,
        ]),
    ]
}

fn points() -> impl Strategy<Value = Polygon> {
    let point = (number(), number()).prop_map(|(x, y)| Point::new(x, y));
    prop::collection::vec(point, 0..9).prop_map(Polygon::from)
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        prop::array::uniform4(number()).prop_map(|edges| Shape::Box(BBox::from(edges))),
        prop::array::uniform8(number()).prop_map(|xy| Shape::Quad(QuadBox::from(xy))),
        prop::collection::vec(points(), 0..4).prop_map(Shape::Polygons),
        (points(), 0u32..80, 0u32..80).prop_map(|(polygon, width, height)| {
            Shape::Mask(Rle::from_polygon(&polygon, Size::new(width, height)))
        }),
    ]
}

fn mark() -> impl Strategy<Value = Mark> {
    (shape(), any::<String>(), prop::option::of(number())).prop_map(|(shape, label, confidence)| {
        Mark::new(shape)
            .with_label(label)
            .with_confidence(confidence)
    })
}

fn style() -> impl Strategy<Value = Style> {
    let sizes = (
        prop::option::of(number()),
        prop::option::of(number()),
        number(),
    );
    (sizes, any::<bool>(), any::<bool>()).prop_map(
        |((stroke, font_size, opacity), labels, confidences)| {
            Style::new()
                .with_stroke(stroke)
                .with_font_size(font_size)
                .with_opacity(opacity)
                .with_labels(labels)
                .with_confidences(confidences)
        },
    )
}

proptest! {
    #[test]
    fn anything_can_be_drawn(
        marks in prop::collection::vec(mark(), 0..8),
        style in style(),
        width in 0u32..200,
        height in 0u32..200,
    ) {
        let photo = RgbImage::new(width, height);
        let picture = annotate(&photo, &marks, &style);
        prop_assert_eq!(picture.dimensions(), (width, height));
        to_svg(&marks, Size::new(width, height), &style, None);
    }

    #[test]
    fn everything_laid_out_is_finite_and_near(
        marks in prop::collection::vec(mark(), 0..8),
        style in style(),
        width in 1u32..5000,
        height in 1u32..5000,
    ) {
        let scene = Scene::new(Size::new(width, height), &marks, &style);
        let reach = 3.0 * scene.stroke() + 3.0;
        for figure in scene.figures() {
            let [x1, y1, x2, y2] = figure.shape.to_bbox().to_array();
            prop_assert!(-reach <= x1 && x1 <= x2 && x2 <= width as f32 + reach, "{figure:?}");
            prop_assert!(-reach <= y1 && y1 <= y2 && y2 <= height as f32 + reach, "{figure:?}");
        }
    }

    #[test]
    fn a_scene_for_another_size_can_be_drawn(marks in prop::collection::vec(mark(), 0..4), side in 0u32..90) {
        let mut picture = RgbImage::new(side, 50);
        Scene::new(Size::new(300, 200), &marks, &Style::default()).draw_on(&mut picture);
        prop_assert_eq!(picture.dimensions(), (side, 50));
    }
}

#[test]
fn pictures_without_pixels_stay_so() {
    let mark = Mark::new(BBox::new(0.0, 0.0, 9.0, 9.0)).with_label("car");
    for size in [(0, 0), (0, 9), (9, 0)] {
        let picture = annotate(&RgbImage::new(size.0, size.1), &mark, &Style::default());
        assert_eq!(picture.dimensions(), size);
        assert!(to_svg(&mark, Size::from(size), &Style::default(), None).ends_with("</svg>\n"));
    }
}

#[test]
fn labels_of_a_megabyte_are_cut() {
    for letter in ["a", " ", "\n", "\u{200b}", "東", "e\u{301}", "&"] {
        let label = letter.repeat(1_000_000);
        let mark = Mark::new(BBox::new(10.0, 10.0, 200.0, 200.0)).with_label(label);
        let svg = to_svg(&mark, Size::new(640, 480), &Style::default(), None);
        assert!(svg.len() < 20_000, "{letter:?}: {}", svg.len());
        annotate(&RgbImage::new(640, 480), &mark, &Style::default());
    }
}

#[test]
fn ten_thousand_shapes_come_to_an_end() {
    let size = Size::new(1000, 800);
    let photo = RgbImage::new(1000, 800);
    let around = |n: usize| {
        let points = (0..500).map(|i| {
            let turn = i as f32 / 80.0 + n as f32;
            Point::new(
                500.0 + 480.0 * turn.cos(),
                400.0 + 380.0 * (turn * 1.1).sin(),
            )
        });
        Polygon::from(points.collect::<Vec<_>>())
    };
    let boxes = (0..10_000).map(|n| Mark::new(BBox::new(n as f32 / 20.0, 0.0, 999.0, 799.0)));
    let things = (0..10_000).map(|n| Mark::new(around(n)));
    let scenes: [Vec<Mark>; 2] = [
        boxes.map(|mark| mark.with_label("car")).collect(),
        things.map(|mark| mark.with_label("ring")).collect(),
    ];
    for marks in scenes {
        let start = std::time::Instant::now();
        let picture = annotate(&photo, &marks, &Style::default());
        assert_ne!(picture, photo);
        assert!(to_svg(&marks, size, &Style::default(), None).ends_with("</svg>\n"));
        // Seconds are normal; without the limits it would be many minutes.
        assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
    }
}

#[test]
fn a_polygon_of_a_million_corners_is_thinned() {
    let points = (0..1_000_000).map(|n| Point::new(n as f32 / 1000.0, (n % 2) as f32 * 800.0));
    let mark = Mark::new(Polygon::from(points.collect::<Vec<_>>()));
    let svg = to_svg(&mark, Size::new(1000, 800), &Style::default(), None);
    assert!(svg.len() < 100_000, "{}", svg.len());
    annotate(&RgbImage::new(1000, 800), &mark, &Style::default());
}

#[test]
fn only_what_could_not_be_seen_anyway_is_left_out() {
    let size = Size::new(1000, 800);
    let figures = |side: f32| {
        let marks = (0..10_000).map(|n| {
            let (x, y) = ((n % 100) as f32 * 5.0, (n / 100) as f32 * 4.0);
            let corners = [x, y, x + side, y + 1.0, x + side, y + side, x, y + side];
            Mark::new(QuadBox::from(corners).to_polygon())
        });
        let marks: Vec<Mark> = marks.collect();
        Scene::new(size, &marks, &Style::default())
            .figures()
            .to_vec()
    };
    let small = figures(8.0);
    assert_eq!(small.len(), 10_000);
    assert!(small.iter().all(|figure| figure.filled));
    let large = figures(400.0);
    assert!((400..10_000).contains(&large.len()), "{}", large.len());
    let filled = large.iter().filter(|figure| figure.filled).count();
    assert!((32..large.len()).contains(&filled), "{filled}");
}
