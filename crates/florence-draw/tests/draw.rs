//! Scenes as pixels.

use florence_draw::{Mark, Marks, Scene, Style, annotate, color_of, ink_on};
use florence_postprocess::{
    AnswerForm, BBox, Mask, Point, Polygon, QuadBox, Rle, Size, parse_text,
};
use image::{DynamicImage, Rgb, RgbImage};

const GRAY: Rgb<u8> = Rgb([90, 90, 90]);

fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, GRAY)
}

fn polygon(corners: &[(f32, f32)]) -> Polygon {
    let points = corners.iter().map(|(x, y)| Point::new(*x, *y));
    Polygon::from(points.collect::<Vec<_>>())
}

fn unlabeled() -> Style {
    Style::new().with_labels(false)
}

/// What a color over the gray photo gives.
fn tinted(Rgb(color): Rgb<u8>, share: f32) -> [f32; 3] {
    let Rgb(gray) = GRAY;
    std::array::from_fn(|i| f32::from(color[i]) * share + f32::from(gray[i]) * (1.0 - share))
}

fn is_near(Rgb(pixel): Rgb<u8>, wanted: [f32; 3]) -> bool {
    let mut both = pixel.iter().zip(wanted);
    both.all(|(found, wanted)| (f32::from(*found) - wanted).abs() <= 2.0)
}

#[test]
fn the_outline_of_a_box_is_where_the_box_is() {
    let style = unlabeled().with_stroke(3.0);
    let mark = Mark::new(BBox::new(20.5, 30.5, 80.5, 70.5)).with_label("car");
    let picture = annotate(&photo(120, 100), &mark, &style);
    for (x, y, pixel) in picture.enumerate_pixels() {
        // How far it is from the line in the middle of the outline.
        let beside = |at: u32, low: u32, high: u32| at.abs_diff(low).min(at.abs_diff(high));
        let outside =
            |at: u32, low: u32, high: u32| low.saturating_sub(at).max(at.saturating_sub(high));
        let out = outside(x, 20, 80).max(outside(y, 30, 70));
        let off = if out > 0 {
            out
        } else {
            beside(x, 20, 80).min(beside(y, 30, 70))
        };
        match off {
            0..=1 => assert_eq!(*pixel, color_of("car"), "at {x}, {y}"),
            2 => {
                let halo = tinted(ink_on(color_of("car")), 0.5);
                assert!(is_near(*pixel, halo), "{pixel:?} at {x}, {y}");
            }
            _ => assert_eq!(*pixel, GRAY, "at {x}, {y}"),
        }
    }
}

#[test]
fn a_box_around_the_whole_picture_is_seen_on_all_sides() {
    for bbox in [
        BBox::new(0.0, 0.0, 60.0, 40.0),
        BBox::new(-900.0, f32::NEG_INFINITY, f32::INFINITY, 41.0),
    ] {
        let picture = annotate(&photo(60, 40), &Mark::new(bbox), &unlabeled());
        let color = color_of("");
        for (x, y) in [(0, 20), (59, 20), (30, 0), (30, 39)] {
            assert_eq!(*picture.get_pixel(x, y), color, "at {x}, {y}");
        }
        assert_eq!(*picture.get_pixel(30, 20), GRAY);
    }
}

#[test]
fn a_polygon_is_tinted_inside_and_only_there() {
    let corners = [
        (20.0, 20.0),
        (100.0, 30.0),
        (60.0, 50.0),
        (90.0, 90.0),
        (25.0, 80.0),
    ];
    let thing = polygon(&corners);
    let picture = annotate(
        &photo(120, 110),
        &Mark::new(thing.clone()).with_label("car"),
        &unlabeled(),
    );
    let mut mask = Mask::new(Size::new(120, 110));
    mask.fill(&thing);
    // Pixels with an outline nearby have its color, or some of it.
    let is_near_outline = |x: u32, y: u32| {
        let middle = Point::new(x as f32 + 0.5, y as f32 + 0.5);
        let ends = corners.iter().zip(corners.iter().cycle().skip(1));
        ends.into_iter().any(|(a, b)| {
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let along = ((middle.x - a.0) * dx + (middle.y - a.1) * dy) / (dx * dx + dy * dy);
            let along = along.clamp(0.0, 1.0);
            middle.distance(Point::new(a.0 + dx * along, a.1 + dy * along)) < 3.0
        })
    };
    let (mut inside, mut outside) = (0, 0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        if is_near_outline(x, y) {
            continue;
        }
        if mask.contains(x, y) {
            inside += 1;
            assert!(
                is_near(*pixel, tinted(color_of("car"), 0.4)),
                "{pixel:?} at {x}, {y}"
            );
        } else {
            outside += 1;
            assert_eq!(*pixel, GRAY, "at {x}, {y}");
        }
    }
    assert!(inside > 2000 && outside > 5000, "{inside} {outside}");
}

#[test]
fn opacity_is_a_share() {
    let thing = Mark::new(polygon(&[
        (10.0, 10.0),
        (90.0, 10.0),
        (90.0, 90.0),
        (10.0, 90.0),
    ]));
    for opacity in [0.0, 0.25, 1.0] {
        let style = unlabeled().with_opacity(opacity);
        let picture = annotate(&photo(100, 100), &thing, &style);
        let pixel = *picture.get_pixel(50, 50);
        assert!(
            is_near(pixel, tinted(color_of(""), opacity)),
            "{opacity}: {pixel:?}"
        );
    }
}

#[test]
fn holes_and_parts_of_a_thing_are_as_its_mask_has_them() {
    let outer = polygon(&[(10.0, 10.0), (90.0, 10.0), (90.0, 90.0), (10.0, 90.0)]);
    let hole = polygon(&[(30.0, 30.0), (70.0, 30.0), (70.0, 70.0), (30.0, 70.0)]);
    let picture = annotate(
        &photo(100, 100),
        &Mark::new(vec![outer, hole]),
        &unlabeled(),
    );
    assert_eq!(*picture.get_pixel(50, 50), GRAY);
    assert!(is_near(
        *picture.get_pixel(20, 50),
        tinted(color_of(""), 0.4)
    ));
}

#[test]
fn a_mask_looks_like_its_outlines() {
    let mut mask = Mask::new(Size::new(60, 40));
    for (x, y) in (5..35).flat_map(|x| (5..35).map(move |y| (x, y))) {
        mask.set(x, y, !(15..25).contains(&x) || !(15..25).contains(&y));
    }
    mask.set(50, 20, true);
    let outlines: Vec<Polygon> = mask
        .contours()
        .into_iter()
        .flat_map(|piece| [vec![piece.outer], piece.holes].concat())
        .collect();
    let drawn = |mark: Mark| annotate(&photo(60, 40), &mark.with_label("ring"), &unlabeled());
    let picture = drawn(Mark::new(Rle::from_mask(&mask)));
    assert_eq!(picture, drawn(Mark::new(outlines)));
    assert_eq!(picture.get_pixel(20, 20), &GRAY, "the hole is not filled");
    assert_ne!(picture.get_pixel(10, 10), &GRAY);
    assert_ne!(picture.get_pixel(50, 20), &GRAY);
}

#[test]
fn a_quad_is_outlined_along_its_slanted_edges() {
    let quad = QuadBox::from([20.0, 20.0, 100.0, 60.0, 90.0, 80.0, 10.0, 40.0]);
    let style = unlabeled().with_stroke(3.0);
    let picture = annotate(
        &photo(120, 100),
        &Mark::new(quad).with_label("STOP"),
        &style,
    );
    let full = |x, y| *picture.get_pixel(x, y) == color_of("STOP");
    // Half way along the first edge, one of the pixels there is fully covered.
    assert!((58..62).any(|x| (38..42).any(|y| full(x, y))));
    assert_eq!(*picture.get_pixel(55, 50), GRAY);
    assert_eq!(*picture.get_pixel(100, 30), GRAY);
}

#[test]
fn labels_are_ink_on_the_color_of_their_shape() {
    for name in ["car", "person", "dog", "tree", "house"] {
        let mark = Mark::new(BBox::new(40.0, 100.0, 200.0, 200.0))
            .with_label(name)
            .with_confidence(0.5);
        let size = Size::new(320, 240);
        let scene = Scene::new(size, &mark, &Style::default());
        let picture = annotate(&photo(320, 240), &mark, &Style::default());
        let label = &scene.labels()[0];
        assert_eq!(label.ink, ink_on(label.color));
        let bounds = label.bounds.to_array().map(|edge| edge as u32);
        let [x1, y1, x2, y2] = bounds;
        let pixels = || (y1..y2).flat_map(|y| (x1..x2).map(move |x| (x, y)));
        let count = |color| {
            pixels()
                .filter(|(x, y)| *picture.get_pixel(*x, *y) == color)
                .count()
        };
        let all = pixels().count();
        let (ground, ink) = (count(label.color), count(label.ink));
        assert!(
            ground * 2 > all,
            "{name}: {ground} of {all} pixels are background"
        );
        assert!(ink * 20 > all, "{name}: {ink} of {all} pixels are ink");
        // A border of background is left around the text.
        for x in x1..x2 {
            assert_eq!(*picture.get_pixel(x, y1), label.color);
            assert_eq!(*picture.get_pixel(x, y2 - 1), label.color);
        }
    }
}

#[test]
fn different_texts_look_different() {
    let drawn = |name: &str| {
        let style = Style::new().with_font_size(24.0);
        // The same color and width for both: only the letters differ.
        let scene = |name: &str| Mark::new(BBox::new(20.0, 60.0, 90.0, 90.0)).with_label(name);
        annotate(&photo(100, 100), &scene(name), &style)
    };
    assert_ne!(drawn("É"), drawn("é"));
    assert_ne!(drawn("Ж"), drawn("Ξ"));
    // What the font does not have is a box.
    let empty = Mark::new(BBox::new(20.0, 60.0, 90.0, 90.0)).with_label("東");
    assert_ne!(
        annotate(&photo(100, 100), &empty, &Style::default()),
        drawn("")
    );
}

#[test]
fn a_picture_keeps_what_nothing_was_drawn_on() {
    let photo = RgbImage::from_fn(64, 48, |x, y| Rgb([x as u8 * 3, y as u8 * 5, 77]));
    let nothing: &[Mark] = &[];
    assert_eq!(annotate(&photo, nothing, &Style::default()), photo);
    let mark = Mark::new(BBox::new(10.0, 10.0, 30.0, 30.0));
    let picture = annotate(&photo, &mark, &Style::default());
    let same = photo
        .pixels()
        .zip(picture.pixels())
        .filter(|(a, b)| a == b)
        .count();
    // An outline of one pixel and a thin line on each side.
    assert_eq!(same, 64 * 48 - 4 * 20 * 3);
}

#[test]
fn lines_and_letters_grow_with_the_picture() {
    let nothing: &[Mark] = &[];
    let sizes = [(64, 64), (640, 480), (4000, 3000)];
    let scenes = sizes.map(|size| Scene::new(Size::from(size), nothing, &Style::default()));
    assert!(scenes.is_sorted_by(|a, b| a.stroke() < b.stroke()));
    assert!(scenes.is_sorted_by(|a, b| a.font_size() < b.font_size()));
    let huge = Scene::new(Size::new(100_000, 100_000), nothing, &Style::default());
    assert!(huge.stroke() <= 16.0 && huge.font_size() <= 96.0);
}

#[test]
fn every_form_of_answer_gives_its_marks() {
    let size = Size::new(1000, 1000);
    let labels = |form, text: &str| {
        let marks = parse_text(form, text, size).marks();
        marks.into_iter().map(|mark| mark.label).collect::<Vec<_>>()
    };
    let boxes = "</s><s>car<loc_1><loc_2><loc_3><loc_4>door<loc_5><loc_6><loc_7><loc_8></s>";
    assert_eq!(labels(AnswerForm::Boxes, boxes), ["car", "door"]);
    assert_eq!(labels(AnswerForm::BoxesOrPolygons, boxes), ["car", "door"]);
    let regions = "</s><s><loc_1><loc_2><loc_3><loc_4></s>";
    assert_eq!(labels(AnswerForm::Proposals, regions), [""]);
    let phrases = "</s><s>the image<loc_0><loc_0><loc_999><loc_999>two cats\
        <loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8></s>";
    assert_eq!(
        labels(AnswerForm::Phrases, phrases),
        ["two cats", "two cats"]
    );
    let quads = "</s><s>STOP<loc_10><loc_10><loc_20><loc_10><loc_20><loc_15><loc_10><loc_15></s>";
    assert_eq!(labels(AnswerForm::Quads, quads), ["STOP"]);
    let polygons = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    assert_eq!(labels(AnswerForm::Polygons, polygons), [""]);
    assert!(labels(AnswerForm::Text, "</s><s>A green car.</s>").is_empty());
}

#[test]
fn any_image_can_be_drawn_on() {
    let photo = RgbImage::from_fn(64, 48, |x, y| Rgb([x as u8 * 3, y as u8 * 5, 77]));
    let mark = Mark::new(BBox::new(10.0, 10.0, 30.0, 30.0)).with_label("car");
    let style = Style::default();
    let drawn = annotate(&photo, &mark, &style);
    let dynamic = DynamicImage::from(photo);
    assert_eq!(annotate(&dynamic, &mark, &style), drawn);
    assert_eq!(annotate(&&dynamic, &mark, &style), drawn);
    let deep = DynamicImage::from(dynamic.to_rgb16());
    assert_eq!(annotate(&deep, &mark, &style), drawn);
    let transparent = DynamicImage::from(dynamic.to_rgba8());
    assert_eq!(annotate(&transparent, &mark, &style), drawn);
}
