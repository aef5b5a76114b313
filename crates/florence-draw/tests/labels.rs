//! Where labels go, and what they say.

use florence_draw::{FigureShape, Mark, Scene, Style, color_of};
use florence_postprocess::{BBox, Point, Polygon, Size};
use proptest::prelude::*;

const SIZE: Size = Size::new(960, 640);

fn mark(label: &str, bbox: [f32; 4]) -> Mark {
    Mark::new(BBox::from(bbox))
        .with_label(label)
        .with_confidence(0.5)
}

fn overlapping(places: &[BBox]) -> usize {
    let pairs = places.iter().enumerate();
    let after = |(at, a)| places[at + 1..].iter().map(move |b: &BBox| (a, b));
    let pairs = pairs.flat_map(after);
    pairs
        .filter(|(a, b): &(&BBox, &BBox)| a.intersection(b).is_some_and(|both| both.area() > 0.0))
        .count()
}

fn bounds(scene: &Scene) -> Vec<BBox> {
    scene.labels().iter().map(|label| label.bounds).collect()
}

/// A label at the top left corner of every box, as simple programs draw it.
fn naive(marks: &[Mark], scene: &Scene) -> Vec<BBox> {
    let each = marks.iter().zip(scene.labels());
    each.map(|(mark, label)| {
        let florence_postprocess::Shape::Box(bbox) = mark.shape else {
            panic!("only boxes here")
        };
        let (width, height) = (label.bounds.width(), label.bounds.height());
        let x = bbox.x1.min(SIZE.width as f32 - width).max(0.0);
        let y = (bbox.y1 - height).max(0.0);
        BBox::new(x, y, x + width, y + height)
    })
    .collect()
}

/// Boxes all over the picture, the same each time.
fn crowd(count: usize) -> Vec<Mark> {
    let mut state = 12345u64;
    let mut random = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let names = ["car", "person", "traffic light", "bicycle", "bus"];
    (0..count)
        .map(|at| {
            let (x, y) = (random() * 860.0, random() * 540.0);
            let (width, height) = (20.0 + random() * 140.0, 20.0 + random() * 140.0);
            mark(names[at % 5], [x, y, x + width, y + height])
        })
        .collect()
}

#[test]
fn a_single_label_stands_on_its_box() {
    let scene = Scene::new(
        SIZE,
        &mark("car", [100.0, 100.0, 300.0, 200.0]),
        &Style::default(),
    );
    let bounds = scene.labels()[0].bounds;
    let edge = 100.0 - scene.stroke() / 2.0;
    assert!(
        (bounds.x1 - edge).abs() <= 1.0 && (bounds.y2 - edge).abs() <= 1.0,
        "{bounds:?}"
    );
}

#[test]
fn the_label_of_an_outlined_thing_stands_on_its_top() {
    let corners = [(500.0, 300.0), (600.0, 400.0), (400.0, 400.0)];
    let points = corners.map(|(x, y)| Point::new(x, y)).to_vec();
    let scene = Scene::new(
        SIZE,
        &Mark::new(Polygon { points }).with_label("tent"),
        &Style::default(),
    );
    let bounds = scene.labels()[0].bounds;
    assert!((bounds.center().x - 500.0).abs() <= 1.0, "{bounds:?}");
    assert!(bounds.y2 <= 300.0, "{bounds:?}");
}

#[test]
fn labels_of_the_same_box_do_not_overlap() {
    let same: Vec<Mark> = (0..8)
        .map(|_| mark("car", [300.0, 200.0, 600.0, 400.0]))
        .collect();
    let scene = Scene::new(SIZE, &same, &Style::default());
    assert_eq!(scene.labels().len(), 8);
    assert_eq!(overlapping(&bounds(&scene)), 0);
}

#[test]
fn labels_in_the_corners_of_the_picture_do_not_overlap() {
    let marks = [
        mark("sky", [0.0, 0.0, 960.0, 300.0]),
        mark("house", [0.0, 0.0, 400.0, 280.0]),
        mark("picture", [0.0, 0.0, 960.0, 640.0]),
        mark("lamp", [0.0, 0.0, 20.0, 20.0]),
        mark("tree", [940.0, 620.0, 960.0, 640.0]),
    ];
    let scene = Scene::new(SIZE, &marks, &Style::default());
    assert_eq!(overlapping(&bounds(&scene)), 0);
}

#[test]
fn crowded_labels_overlap_far_less_than_if_each_stood_on_its_box() {
    let marks = crowd(60);
    let scene = Scene::new(SIZE, &marks, &Style::default());
    let simple = overlapping(&naive(&marks, &scene));
    assert!(simple >= 20, "the scene is crowded: {simple}");
    assert_eq!(overlapping(&bounds(&scene)), 0);

    let marks = crowd(300);
    let scene = Scene::new(SIZE, &marks, &Style::default());
    let (simple, ours) = (
        overlapping(&naive(&marks, &scene)),
        overlapping(&bounds(&scene)),
    );
    assert!(ours * 2 < simple, "{ours} against {simple}");
}

#[test]
fn small_things_are_not_covered() {
    let marks = [
        mark("car", [180.0, 300.0, 600.0, 520.0]),
        mark("key hole", [190.0, 280.0, 200.0, 290.0]),
    ];
    let scene = Scene::new(SIZE, &marks, &Style::default());
    let hole = BBox::new(190.0, 280.0, 200.0, 290.0);
    for label in scene.labels() {
        let covered = label.bounds.intersection(&hole);
        assert!(covered.is_none_or(|both| both.area() == 0.0), "{label:?}");
    }
}

#[test]
fn a_name_has_its_color_wherever_it_comes() {
    let here = [
        mark("car", [0.0; 4]),
        mark("person", [10.0, 10.0, 50.0, 50.0]),
    ];
    let there = [
        mark("person", [1.0, 2.0, 9.0, 9.0]),
        mark("a dog", [0.0; 4]),
        mark("car", [0.0; 4]),
    ];
    for marks in [&here[..], &there[..]] {
        for label in Scene::new(SIZE, marks, &Style::default()).labels() {
            let name = label.text.trim_end_matches(" 0.50");
            assert_eq!(label.color, color_of(name), "{name}");
        }
    }
    // A name that is cut keeps the color of the whole.
    let long = "a person in a red coat who waits ".repeat(9);
    let scene = Scene::new(SIZE, &mark(&long, [0.0, 0.0, 9.0, 9.0]), &Style::default());
    assert!(scene.labels()[0].text.ends_with("… 0.50"));
    assert_eq!(scene.labels()[0].color, color_of(&long));
}

#[test]
fn names_and_confidences_can_be_left_out() {
    let marks = [mark("car", [100.0, 100.0, 300.0, 200.0])];
    let text = |labels, confidences| {
        let style = Style::new()
            .with_labels(labels)
            .with_confidences(confidences);
        let scene = Scene::new(SIZE, &marks, &style);
        scene
            .labels()
            .iter()
            .map(|label| label.text.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(text(true, true), ["car 0.50"]);
    assert_eq!(text(true, false), ["car"]);
    assert_eq!(text(false, true), ["0.50"]);
    assert!(text(false, false).is_empty());
}

proptest! {
    #[test]
    fn labels_are_in_the_picture_and_their_text_in_them(
        boxes in prop::collection::vec((".{0,80}", prop::array::uniform4(-100f32..1200.0)), 1..20),
        width in 1u32..900,
        height in 1u32..900,
    ) {
        let marks: Vec<Mark> = boxes.iter().map(|(label, bbox)| mark(label, *bbox)).collect();
        let scene = Scene::new(Size::new(width, height), &marks, &Style::default());
        for label in scene.labels() {
            let BBox { x1, y1, x2, y2 } = label.bounds;
            prop_assert!(0.0 <= x1 && x1 < x2 && x2 <= width as f32, "{label:?}");
            prop_assert!(0.0 <= y1 && y1 < y2 && y2 <= height as f32, "{label:?}");
            prop_assert!(x1 <= label.origin.x && label.origin.x + label.width <= x2 + 0.01, "{label:?}");
            prop_assert!(!label.text.contains(|c: char| c.is_control()), "{label:?}");
        }
    }

    #[test]
    fn the_order_of_marks_changes_no_color(names in prop::collection::vec("[a-z]{1,6}", 1..8)) {
        let marks: Vec<Mark> = names.iter().map(|name| mark(name, [10.0, 10.0, 50.0, 50.0])).collect();
        let reversed: Vec<Mark> = marks.iter().rev().cloned().collect();
        let colors = |marks: &[Mark]| {
            let scene = Scene::new(SIZE, marks, &Style::default());
            let mut colors: Vec<_> = scene.figures().iter().map(|f| (f.title.clone(), f.color.0)).collect();
            colors.sort();
            colors
        };
        prop_assert_eq!(colors(&marks), colors(&reversed));
    }
}

#[test]
fn large_figures_are_drawn_first() {
    let marks = [
        mark("small", [10.0, 10.0, 20.0, 20.0]),
        mark("large", [0.0, 0.0, 900.0, 600.0]),
        mark("middle", [0.0, 0.0, 90.0, 60.0]),
    ];
    let scene = Scene::new(SIZE, &marks, &Style::default());
    let widths = scene.figures().iter().map(|figure| match &figure.shape {
        FigureShape::Box(bbox) => bbox.width(),
        other => panic!("{other:?}"),
    });
    assert!(widths.is_sorted_by(|a, b| a > b));
}
