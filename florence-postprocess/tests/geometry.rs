//! Shapes: pycocotools' own answers, bit for bit, and what holds for all shapes.

use std::time::{Duration, Instant};

use florence_postprocess::{
    BBox, Mask, Point, Polygon, QuadBox, Rle, RleError, Shape, Size, nms, nms_by_label,
    outlines_iou, soft_nms,
};
use proptest::prelude::*;
use serde_json::Value;

fn goldens(kind: &str) -> Vec<Value> {
    let text = include_str!("data/pycocotools.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn size(case: &Value) -> Size {
    let side = |index: usize| case["size"][index].as_u64().unwrap() as u32;
    Size::new(side(1), side(0))
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|number| number.as_f64().unwrap()).collect()
}

fn polygon(corners: &[(f32, f32)]) -> Polygon {
    let points = corners.iter().map(|(x, y)| Point::new(*x, *y)).collect();
    Polygon { points }
}

fn filled(polygons: &[Polygon], size: Size) -> Mask {
    let mut mask = Mask::new(size);
    for polygon in polygons {
        mask.fill(polygon);
    }
    mask
}

#[test]
fn polygons_are_drawn_as_pycocotools_does() {
    let cases = goldens("polygons");
    assert_eq!(cases.len(), 270);
    for case in cases {
        let rle = Rle::from_xy(&numbers(&case["xy"]), size(&case));
        assert_eq!(rle.to_compressed(), case["counts"], "{case}");
        assert_eq!(rle.area(), case["area"].as_u64().unwrap(), "{case}");
        let bbox = rle.to_bbox().map(|bbox| bbox.to_xywh().map(f64::from));
        let expected = case["bbox"].as_array().map(|_| numbers(&case["bbox"]));
        assert_eq!(bbox.map(|bbox| bbox.to_vec()), expected, "{case}");
    }
}

#[test]
fn boxes_are_drawn_as_pycocotools_does() {
    let cases = goldens("boxes");
    assert_eq!(cases.len(), 60);
    for case in cases {
        let xywh: Vec<f32> = numbers(&case["xywh"]).iter().map(|v| *v as f32).collect();
        let [x, y, w, h] = xywh[..] else { panic!() };
        let rle = Rle::from_bbox(&BBox::new(x, y, x + w, y + h), size(&case));
        assert_eq!(rle.to_compressed(), case["counts"], "{case}");
    }
}

#[test]
fn masks_are_encoded_as_pycocotools_does() {
    let cases = goldens("masks");
    assert_eq!(cases.len(), 60);
    for case in cases {
        let mut mask = Mask::new(size(&case));
        for (y, row) in case["rows"].as_array().unwrap().iter().enumerate() {
            for (x, pixel) in row.as_str().unwrap().bytes().enumerate() {
                mask.set(x as u32, y as u32, pixel == b'1');
            }
        }
        let rle = Rle::from_mask(&mask);
        assert_eq!(rle.to_compressed(), case["counts"], "{case}");
        assert_eq!(rle.to_mask(), mask, "{case}");
    }
}

#[test]
fn masks_overlap_as_in_pycocotools() {
    let cases = goldens("pairs");
    assert_eq!(cases.len(), 120);
    for case in cases {
        let read = |index: usize| {
            Rle::from_compressed(size(&case), case["counts"][index].as_str().unwrap()).unwrap()
        };
        let (left, right) = (read(0), read(1));
        assert_eq!(left.iou(&right), case["iou"].as_f64().unwrap(), "{case}");
        let crowd = case["iou_crowd"].as_f64().unwrap();
        assert_eq!(left.iou_crowd(&right), crowd, "{case}");
        let union = left.union(&right).unwrap();
        assert_eq!(union.to_compressed(), case["union"], "{case}");
        let both = left.intersection(&right).unwrap();
        assert_eq!(both.to_compressed(), case["intersection"], "{case}");
    }
}

#[test]
fn broken_counts_are_errors_that_say_what() {
    let read = |text: &str| Rle::from_compressed(Size::new(4, 4), text).unwrap_err();
    assert_eq!(read("5\n"), RleError::Byte { at: 1, byte: b'\n' });
    assert_eq!(read("p"), RleError::Byte { at: 0, byte: b'p' });
    assert_eq!(read("4X"), RleError::CutOff);
    assert_eq!(
        read("O"),
        RleError::Range {
            index: 0,
            count: -1
        }
    );
    assert!(matches!(
        read("oooooooooooooooooooooooooooooooooo"),
        RleError::Range { index: 0, .. }
    ));
    assert!(matches!(read(""), RleError::Sum { sum: 0, .. }));
    assert!(matches!(read("4"), RleError::Sum { sum: 4, .. }));
    let apart = Rle::new(Size::new(4, 4)).union(&Rle::new(Size::new(4, 5)));
    assert_eq!(
        apart.unwrap_err().to_string(),
        "a mask of 4x4 cannot be combined with one of 4x5"
    );
}

#[test]
fn large_counts_survive() {
    let size = Size::new(u32::MAX, u32::MAX);
    let rle = Rle::new(size);
    assert_eq!(
        Rle::from_compressed(size, &rle.to_compressed()).unwrap(),
        rle
    );
    let whole = rle.complement();
    assert_eq!(whole.area(), u64::from(u32::MAX).pow(2));
    assert_eq!(whole.complement(), rle);
}

#[test]
fn the_size_of_an_image_costs_nothing() {
    let size = Size::new(u32::MAX, u32::MAX);
    let whole = Rle::new(size).complement();
    let contours = whole.contours();
    assert_eq!(contours.len(), 1);
    assert_eq!(contours[0].outer.to_bbox(), Some(BBox::whole(size)));
    let other = Rle::new(Size::new(u32::MAX - 1, u32::MAX)).complement();
    assert_eq!(whole.iou(&other), 0.0);
    for size in [size, Size::new(u32::MAX, 1)] {
        let all = Rle::from_bbox(&BBox::whole(size), size);
        assert_eq!(all, Rle::new(size).complement());
    }
}

#[test]
fn many_outlines_are_joined_in_time() {
    let square = |at: u32| {
        let (x, y) = ((at % 300) as f32 * 2.0, (at / 300) as f32 * 2.0);
        polygon(&[(x, y), (x + 1.0, y), (x + 1.0, y + 1.0), (x, y + 1.0)])
    };
    let squares: Vec<Polygon> = (0..60_000).map(square).collect();
    let start = Instant::now();
    let joined = Polygon::joined(&squares);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(joined.points.len(), 6 * squares.len() - 2);
    assert_eq!(joined.area(), 60_000.0);
}

#[test]
fn runs_without_pixels_are_read_and_ignored() {
    let rle = Rle::from_counts(Size::new(4, 2), vec![0, 2, 0, 1, 3, 0, 2]).unwrap();
    assert_eq!(rle.area(), 3);
    assert_eq!(rle.to_bbox(), Some(BBox::new(0.0, 0.0, 2.0, 2.0)));
    let plain = Rle::from_mask(&rle.to_mask());
    assert_eq!(plain.counts(), [0, 3, 5]);
    assert_eq!(rle.iou(&plain), 1.0);
    assert_eq!(rle.union(&plain).unwrap(), plain);
    assert_eq!(rle.intersection(&plain).unwrap(), plain);
    assert_eq!(rle.complement(), plain.complement());
    let empty = Rle::from_counts(Size::new(4, 2), vec![3, 0, 5]).unwrap();
    assert_eq!(empty.to_bbox(), None);
}

#[cfg(feature = "serde")]
#[test]
fn runs_are_serialized_as_coco_has_them() {
    let rle = Rle::from_counts(Size::new(10, 5), vec![20, 3, 7, 20]).unwrap();
    let json = serde_json::json!({"size": [5, 10], "counts": rle.to_compressed()});
    assert_eq!(serde_json::to_value(&rle).unwrap(), json);
    assert_eq!(serde_json::from_value::<Rle>(json).unwrap(), rle);
    let listed = serde_json::json!({"size": [5, 10], "counts": [20, 3, 7, 20]});
    assert_eq!(serde_json::from_value::<Rle>(listed).unwrap(), rle);
    let wrong = serde_json::json!({"size": [5, 10], "counts": [20, 3]});
    assert_eq!(
        serde_json::from_value::<Rle>(wrong)
            .unwrap_err()
            .to_string(),
        "the counts add up to 23, but an image of 10x5 has 50 pixels"
    );
}

#[test]
fn images_without_pixels_have_masks() {
    for size in [Size::new(0, 0), Size::new(0, 5), Size::new(5, 0)] {
        let square = polygon(&[(-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0)]);
        let rle = Rle::from_polygon(&square, size);
        assert_eq!(rle, Rle::new(size));
        assert_eq!(rle.to_bbox(), None);
        assert_eq!(rle.to_mask().contours(), []);
        assert_eq!(
            Rle::from_compressed(size, &rle.to_compressed()).unwrap(),
            rle
        );
    }
}

#[test]
fn outlines_far_outside_cost_nothing_and_cover_what_they_cover() {
    let far = f32::MAX;
    let square = polygon(&[(-far, -far), (far, -far), (far, far), (-far, far)]);
    let size = Size::new(5, 3);
    assert_eq!(Rle::from_polygon(&square, size).counts(), [0, 15]);
    assert_eq!(
        square.clip(&BBox::whole(size)).to_bbox(),
        Some(BBox::whole(size))
    );
    assert_eq!(square.iou(&square), 1.0);
    assert_eq!(square.simplify(1.0).points.len(), 4);
}

fn picture(rows: &[&str]) -> Mask {
    let mut mask = Mask::new(Size::new(rows[0].len() as u32, rows.len() as u32));
    for (y, row) in (0..).zip(rows) {
        for (x, pixel) in (0..).zip(row.bytes()) {
            mask.set(x, y, pixel == b'#');
        }
    }
    mask
}

/// The areas of outer outlines, and of the holes in them.
fn areas(mask: &Mask) -> Vec<(f32, Vec<f32>)> {
    let contours = mask.contours().into_iter();
    contours
        .map(|contour| {
            let holes = contour.holes.iter().map(Polygon::area).collect();
            (contour.outer.area(), holes)
        })
        .collect()
}

#[test]
fn holes_belong_to_the_piece_around_them() {
    let mask = picture(&[
        "##########",
        "#........#",
        "#.####.#.#",
        "#.#..#...#",
        "#.#.##.#.#",
        "#.####.###",
        "#........#",
        "##########",
    ]);
    let (frame, island, dot) = ((80.0, vec![45.0]), (16.0, vec![3.0]), (1.0, vec![]));
    assert_eq!(areas(&mask), [frame, island, dot]);
}

#[test]
fn pieces_that_touch_at_a_corner_are_apart_and_holes_are_not() {
    let mask = picture(&["##...", "##...", "..###", "..#.#", "..##."]);
    // The gap at the right leads out at a corner: no hole.
    assert_eq!(areas(&mask), [(4.0, vec![]), (7.0, vec![])]);
}

#[test]
fn an_overlap_of_concave_and_crossing_outlines_is_exact() {
    let comb = polygon(&[
        (0.0, 0.0),
        (6.0, 0.0),
        (6.0, 4.0),
        (4.0, 4.0),
        (4.0, 1.0),
        (2.0, 1.0),
        (2.0, 4.0),
        (0.0, 4.0),
    ]);
    let bar = polygon(&[(0.0, 2.0), (6.0, 2.0), (6.0, 3.0), (0.0, 3.0)]);
    // 18 and 6 square pixels, 4 of them shared.
    assert_eq!(comb.iou(&bar), 0.2);
    // A bow tie: two triangles of 4 square pixels each, though its signed areas cancel out.
    let bow = polygon(&[(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)]);
    assert_eq!(bow.area(), 0.0);
    let square = polygon(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]);
    assert_eq!(bow.iou(&square), 0.5);
    // Parts that overlap count once.
    let parts = [square.clone(), square.clone()];
    assert_eq!(outlines_iou(&parts, &[square]), 1.0);
}

#[test]
fn large_numbers_and_small_signs_are_no_trouble() {
    let far = 1e30;
    let square = BBox::new(0.0, 0.0, far, far);
    assert_eq!(square.iou(&square), 1.0);
    let endless = BBox::new(f32::NEG_INFINITY, 0.0, f32::INFINITY, 0.0);
    assert_eq!(endless.area(), 0.0);
    let plane = BBox::new(f32::NEG_INFINITY, 0.0, f32::INFINITY, 1.0);
    assert_eq!(plane.iou(&plane), 0.0);
    let triangle = polygon(&[(-far, -far), (far, -far), (0.0, far)]);
    assert!(triangle.contains(Point::new(0.0, 0.0)));
    let signed = polygon(&[(-0.0, 5.0), (0.0, 1.0), (0.0, 7.0), (4.0, 2.0)]);
    assert_eq!(signed.convex_hull().area(), 12.0);
}

#[test]
fn a_turned_rectangle_is_found_again() {
    let (sin, cos) = 0.3f32.sin_cos();
    let turned = |x: f32, y: f32| (50.0 + x * cos - y * sin, 40.0 + x * sin + y * cos);
    let corners = [(0.0, 0.0), (30.0, 0.0), (30.0, 10.0), (0.0, 10.0)];
    let mut points: Vec<(f32, f32)> = corners.map(|(x, y)| turned(x, y)).to_vec();
    points.extend([turned(15.0, 5.0), turned(29.0, 9.0), turned(3.0, 1.0)]);
    let quad = polygon(&points).min_area_quad().unwrap();
    assert!((quad.area() - 300.0).abs() < 0.01, "{quad:?}");
    assert!((quad.angle() - 0.3).abs() < 1e-4, "{quad:?}");
    assert!(quad.points[0].distance(Point::new(50.0, 40.0)) < 1e-3);

    let line = polygon(&[(0.0, 0.0), (3.0, 4.0), (1.5, 2.0)]);
    let flat = line.min_area_quad().unwrap();
    assert!(flat.area() < 1e-5);
    assert!((flat.to_polygon().perimeter() - 10.0).abs() < 1e-4);
    let dot = polygon(&[(2.0, 3.0)]).min_area_quad().unwrap();
    assert_eq!(dot.points, [Point::new(2.0, 3.0); 4]);
}

#[test]
fn suppression_takes_odd_numbers() {
    let boxes = [BBox::new(0.0, 0.0, 1.0, 1.0); 4];
    let scores = [f32::NAN, 0.5, f32::INFINITY, 0.5];
    let items: Vec<(BBox, f32)> = boxes.into_iter().zip(scores).collect();
    let iou = |a: &(BBox, f32), b: &(BBox, f32)| a.0.iou(&b.0);
    assert_eq!(nms(&items, 0.5, |item| item.1, iou), [2]);
    assert_eq!(nms(&items, 1.0, |item| item.1, iou), [2, 1, 3, 0]);
    assert_eq!(nms(&items, 0.5, |item| item.1, |_, _| f32::NAN).len(), 4);
    let kept = soft_nms(&items, 0.5, 0.1, |item| item.1, iou);
    assert_eq!(kept, [(2, f32::INFINITY)]);
    let label = |item: &(BBox, f32)| if item.1.is_nan() { "a" } else { "b" };
    assert_eq!(nms_by_label(&items, 0.5, label, |item| item.1, iou), [2, 0]);
}

/// Numbers of all kinds, those around an image of up to 40 pixels most of the time.
fn coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -10.0..50.0f32,
        4 => (-100..500i32).prop_map(|tenth| tenth as f32 / 10.0),
        4 => (0..40i32).prop_map(|whole| whole as f32),
        1 => any::<f32>(),
        1 => prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::MAX), Just(f32::MIN)],
    ]
}

fn near() -> impl Strategy<Value = f32> {
    prop_oneof![-10.0..50.0f32, (0..40i32).prop_map(|whole| whole as f32)]
}

fn outline(coordinate: impl Strategy<Value = f32>) -> impl Strategy<Value = Polygon> {
    let point = prop::collection::vec(coordinate, 2).prop_map(|at| Point::new(at[0], at[1]));
    prop::collection::vec(point, 0..12).prop_map(Polygon::from)
}

fn image() -> impl Strategy<Value = Size> {
    (0..40u32, 0..40u32).prop_map(Size::from)
}

fn pixels() -> impl Strategy<Value = Mask> {
    let share = prop_oneof![Just(0.1), Just(0.5), Just(0.9)];
    (0..12u32, 0..12u32, share).prop_flat_map(|(width, height, share)| {
        let count = (width * height) as usize;
        prop::collection::vec(prop::bool::weighted(share), count).prop_map(move |set| {
            let mut mask = Mask::new(Size::new(width, height));
            for (index, set) in (0..).zip(set) {
                mask.set(index % width, index / width, set);
            }
            mask
        })
    })
}

/// Every pixel of two masks put together.
fn each(left: &Mask, right: &Mask, keep: impl Fn(bool, bool) -> bool) -> Mask {
    let size = left.size();
    let mut mask = Mask::new(size);
    for (x, y) in (0..size.width).flat_map(|x| (0..size.height).map(move |y| (x, y))) {
        mask.set(x, y, keep(left.contains(x, y), right.contains(x, y)));
    }
    mask
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn runs_are_the_mask(mask in pixels()) {
        let rle = Rle::from_mask(&mask);
        prop_assert_eq!(&rle.to_mask(), &mask);
        prop_assert_eq!(rle.area(), mask.area() as u64);
        prop_assert_eq!(&Rle::from_counts(rle.size(), rle.counts().to_vec()).unwrap(), &rle);
        prop_assert_eq!(&Rle::from_compressed(rle.size(), &rle.to_compressed()).unwrap(), &rle);
        let all = each(&mask, &mask, |set, _| !set);
        prop_assert_eq!(rle.complement(), Rle::from_mask(&all));
    }

    #[test]
    fn runs_are_put_together_pixel_by_pixel(a in outline(near()), b in outline(near()), size in image()) {
        let (a, b) = (Rle::from_polygon(&a, size), Rle::from_polygon(&b, size));
        let (left, right) = (a.to_mask(), b.to_mask());
        let union = Rle::from_mask(&each(&left, &right, |a, b| a || b));
        let both = Rle::from_mask(&each(&left, &right, |a, b| a && b));
        prop_assert_eq!(a.shared(&b), both.area());
        prop_assert_eq!(a.iou(&b) as f32, left.iou(&right));
        prop_assert_eq!(a.union(&b).unwrap(), union);
        prop_assert_eq!(a.intersection(&b).unwrap(), both);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[0-o]{0,12}|.{0,12}", size in image()) {
        if let Ok(rle) = Rle::from_compressed(size, &text) {
            prop_assert_eq!(rle.to_mask().area() as u64, rle.area());
            let again = Rle::from_compressed(size, &rle.to_compressed()).unwrap();
            prop_assert_eq!(again, rle);
        }
    }

    #[test]
    fn contours_give_the_mask_back(mask in pixels()) {
        let contours = mask.contours();
        let size = mask.size();
        let polygons: Vec<Polygon> = contours.iter().map(|contour| contour.to_polygon()).collect();
        prop_assert_eq!(&filled(&polygons, size), &mask);
        // pycocotools draws them so too.
        prop_assert_eq!(Rle::from_polygons(&polygons, size), Rle::from_mask(&mask));
        prop_assert_eq!(&Rle::from_mask(&mask).contours(), &contours);
        let area: f32 = contours
            .iter()
            .map(|piece| piece.outer.area() - piece.holes.iter().map(Polygon::area).sum::<f32>())
            .sum();
        prop_assert_eq!(area, mask.area() as f32);
        for contour in &contours {
            let outer = contour.outer.to_bbox().unwrap();
            for hole in &contour.holes {
                prop_assert_eq!(hole.to_bbox().unwrap().hull(&outer), outer);
            }
        }
        // As one outline they are the mask as well: they do not overlap.
        prop_assert_eq!(filled(&[Polygon::joined(&polygons)], size), mask);
    }

    #[test]
    fn both_ways_of_drawing_differ_along_edges_only(shape in outline(near()), size in image()) {
        let exact = filled(std::slice::from_ref(&shape), size);
        let drawn = Rle::from_polygon(&shape, size).to_mask();
        for place in differences(&exact, &drawn) {
            prop_assert!(from_outline(place, &shape) < 0.5, "{place:?}");
        }
    }

    #[test]
    fn nothing_panics_and_everything_stays_in_range(
        a in outline(coordinate()),
        b in outline(coordinate()),
        size in image(),
        region in prop::array::uniform4(coordinate()),
        tolerance in coordinate(),
    ) {
        let rle = Rle::from_polygon(&a, size);
        prop_assert_eq!(rle.counts().iter().sum::<u64>(), u64::from(size.width) * u64::from(size.height));
        let iou = a.iou(&b);
        prop_assert!((0.0..=1.0).contains(&iou));
        prop_assert!((iou - b.iou(&a)).abs() < 1e-3);
        let region = BBox::from(region);
        let BBox { x1, y1, x2, y2 } = region;
        let corners = polygon(&[(x1, y1), (x1, y2), (x2, y2), (x2, y1)]);
        prop_assert_eq!(Rle::from_bbox(&region, size), Rle::from_polygon(&corners, size));
        let inside = a.clip(&region);
        if let Some(bbox) = inside.to_bbox() {
            prop_assert_eq!(bbox.hull(&region), region);
        }
        if let Some(bbox) = region.clip(&BBox::whole(size)) {
            prop_assert!(bbox.area() > 0.0 || bbox.width() * bbox.height() == 0.0);
            prop_assert_eq!(bbox.hull(&BBox::whole(size)), BBox::whole(size));
        }
        let simple = a.simplify(tolerance);
        prop_assert!(simple.points.iter().all(|point| point.is_finite()));
        let finite = a.points.iter().filter(|point| point.is_finite()).count();
        prop_assert!(simple.points.len() >= finite.min(3));
        let hull = a.convex_hull();
        prop_assert!(hull.points.len() <= finite);
        prop_assert_eq!(a.min_area_quad().is_some(), finite > 0);
        let joined = Polygon::joined([&a, &b, &inside]);
        prop_assert!(joined.points.len() >= a.points.len() + b.points.len());
        filled(&[joined], size);
    }

    #[test]
    fn clipping_is_drawing_less(shape in outline(near()), size in image()) {
        let inside = shape.clip(&BBox::whole(size));
        let (all, part) = (filled(std::slice::from_ref(&shape), size), filled(&[inside], size));
        // Rounding of new corners moves edges by less than a pixel's thousandth.
        for place in differences(&all, &part) {
            prop_assert!(from_outline(place, &shape) < 1e-3, "{place:?}");
        }
    }

    #[test]
    fn overlaps_agree_with_drawing(a in outline(near()), b in outline(near())) {
        // The same shapes, thirty times as large.
        let grown = |shape: &Polygon| {
            let points = shape.points.iter();
            Polygon { points: points.map(|at| Point::new((at.x + 10.0) * 30.0, (at.y + 10.0) * 30.0)).collect() }
        };
        let size = Size::new(1800, 1800);
        let (left, right) = (Rle::from_polygon(&grown(&a), size), Rle::from_polygon(&grown(&b), size));
        if left.union(&right).unwrap().area() > 50_000 {
            prop_assert!((f64::from(a.iou(&b)) - left.iou(&right)).abs() < 0.03);
        }
    }

    #[test]
    fn boxes_overlap_as_polygons_do(a in prop::array::uniform4(near()), b in prop::array::uniform4(near())) {
        let [a, b] = [a, b].map(|edges| BBox::from(edges).ordered());
        let quad = |BBox { x1, y1, x2, y2 }: BBox| QuadBox::from([x1, y1, x2, y1, x2, y2, x1, y2]);
        prop_assert!((a.iou(&b) - quad(a).iou(&quad(b))).abs() < 1e-4);
    }

    #[test]
    fn what_simplifying_takes_away_is_near(shape in outline(near()), tolerance in 0.01..20.0f32) {
        let simple = shape.simplify(tolerance);
        let mut rest = shape.points.iter();
        prop_assert!(simple.points.iter().all(|kept| rest.any(|point| point == kept)));
        for point in &shape.points {
            prop_assert!(from_outline(*point, &simple) <= tolerance + 1e-3);
        }
    }

    #[test]
    fn hulls_and_quads_hold_every_point(shape in outline(near())) {
        let hull = shape.convex_hull();
        let quad = shape.min_area_quad();
        for ring in [Some(hull.points.clone()), quad.map(|quad| quad.points.to_vec())].into_iter().flatten() {
            for (index, from) in ring.iter().enumerate() {
                let to = ring[(index + 1) % ring.len()];
                for point in &shape.points {
                    let across = (to.x - from.x) * (point.y - from.y) - (to.y - from.y) * (point.x - from.x);
                    prop_assert!(across >= -0.02, "{across}");
                }
            }
        }
        if let Some(quad) = quad {
            prop_assert!(quad.area() <= shape.to_bbox().unwrap().area() * 1.001 + 0.01);
            prop_assert!(quad.area() >= hull.area() * 0.999 - 0.01);
            prop_assert!(quad.area() < 0.01 || quad.angle().abs() <= std::f32::consts::FRAC_PI_4 + 0.01);
        }
    }

    #[test]
    fn suppression_keeps_what_does_not_overlap(
        items in prop::collection::vec((prop::array::uniform4(near()), 0.0..1.0f32, 0..3u8), 0..20),
        threshold in 0.0..1.0f32,
    ) {
        let items: Vec<(BBox, f32, u8)> = items
            .into_iter()
            .map(|(edges, score, label)| (BBox::from(edges).ordered(), score, label))
            .collect();
        let iou = |a: &(BBox, f32, u8), b: &(BBox, f32, u8)| a.0.iou(&b.0);
        let kept = nms(&items, threshold, |item| item.1, iou);
        prop_assert!(kept.windows(2).all(|pair| items[pair[0]].1 >= items[pair[1]].1));
        for (index, item) in items.iter().enumerate() {
            let overlapped = kept
                .iter()
                .any(|better| *better != index && items[*better].1 >= item.1 && iou(&items[*better], item) > threshold);
            prop_assert_eq!(kept.contains(&index), !overlapped);
        }
        let mut apart: Vec<usize> = (0..3)
            .flat_map(|label| {
                let of_label: Vec<usize> = (0..items.len()).filter(|index| items[*index].2 == label).collect();
                let chosen: Vec<_> = of_label.iter().map(|index| items[*index]).collect();
                nms(&chosen, threshold, |item| item.1, iou).into_iter().map(move |index| of_label[index])
            })
            .collect();
        apart.sort_unstable();
        let mut by_label = nms_by_label(&items, threshold, |item| &item.2, |item| item.1, iou);
        by_label.sort_unstable();
        prop_assert_eq!(by_label, apart);
        let soft = soft_nms(&items, 0.5, 0.0, |item| item.1, iou);
        prop_assert!(soft.iter().all(|(index, score)| *score <= items[*index].1));
        prop_assert!(soft.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    }
}

proptest! {
    #[test]
    fn crops_are_the_pixels_that_a_box_touches(
        edges in prop::array::uniform4(-20.0f32..60.0),
        width in 0u32..40,
        height in 0u32..40,
    ) {
        let bbox = BBox::from(edges).ordered();
        let size = Size::new(width, height);
        match bbox.pixels(size) {
            Some((x, y, w, h)) => {
                prop_assert!(w > 0 && h > 0 && x + w <= width && y + h <= height);
                let crop = BBox::new(x as f32, y as f32, (x + w) as f32, (y + h) as f32);
                let inside = bbox.clamp(size);
                prop_assert_eq!(inside.hull(&crop), crop);
                prop_assert!(crop.width() < inside.width() + 2.0 && crop.height() < inside.height() + 2.0);
            }
            None => prop_assert_eq!(bbox.clip(&BBox::whole(size)), None),
        }
    }

    #[test]
    fn centers_and_areas_of_masks_are_those_of_their_pixels(
        width in 1u32..12,
        height in 1u32..12,
        bits in prop::collection::vec(any::<bool>(), 144),
    ) {
        let mut mask = Mask::new(Size::new(width, height));
        let (mut count, mut sum_x, mut sum_y) = (0u32, 0.0, 0.0);
        for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
            if bits[(12 * y + x) as usize] {
                mask.set(x, y, true);
                count += 1;
                sum_x += x as f32 + 0.5;
                sum_y += y as f32 + 0.5;
            }
        }
        let shape = Shape::from(Rle::from_mask(&mask));
        prop_assert_eq!(shape.area(), count as f32);
        let contours = mask.contours();
        let outlines: Vec<Polygon> = contours.iter().map(|piece| piece.to_polygon()).collect();
        let outlines = Shape::from(outlines);
        prop_assert!((outlines.area() - count as f32).abs() < 1e-3);
        prop_assert_eq!(outlines.to_bbox(), shape.to_bbox());
        if count == 0 {
            prop_assert_eq!(shape.center(), None);
            prop_assert_eq!(outlines.center(), None);
        } else {
            let mean = Point::new(sum_x / count as f32, sum_y / count as f32);
            for center in [shape.center().unwrap(), outlines.center().unwrap()] {
                prop_assert!(center.distance(mean) < 1e-3, "{center:?} {mean:?}");
            }
        }
    }

    #[test]
    fn shapes_of_any_numbers_have_areas_and_centers(
        edges in prop::array::uniform4(any::<f32>()),
        corners in prop::collection::vec((any::<f32>(), any::<f32>()), 0..9),
        width in any::<u32>(),
        height in any::<u32>(),
    ) {
        let polygon = polygon(&corners);
        let bbox = BBox::from(edges);
        for shape in [Shape::from(bbox), polygon.clone().into(), QuadBox::from(bbox).into()] {
            prop_assert!(shape.area() >= 0.0 || shape.area().is_nan());
            prop_assert_eq!(shape.center().is_some(), shape.to_bbox().is_some());
        }
        prop_assert_eq!(polygon.center().is_none(), corners.is_empty());
        if let Some((x, y, w, h)) = bbox.pixels(Size::new(width, height)) {
            prop_assert!(x.checked_add(w).is_some_and(|right| right <= width));
            prop_assert!(y.checked_add(h).is_some_and(|bottom| bottom <= height));
        }
    }
}

#[test]
fn the_centroid_is_that_of_the_area() {
    // An L of three squares; the mean of its corners is elsewhere.
    let l = [
        (0.0, 0.0),
        (1.0, 0.0),
        (1.0, 1.0),
        (2.0, 1.0),
        (2.0, 2.0),
        (0.0, 2.0),
    ];
    let center = polygon(&l).center().unwrap();
    assert!(
        center.distance(Point::new(5.0 / 6.0, 7.0 / 6.0)) < 1e-6,
        "{center:?}"
    );
    // Either way round, and far from the origin.
    let far: Vec<_> = l.iter().rev().map(|(x, y)| (x + 1e6, y + 1e6)).collect();
    let center = polygon(&far).center().unwrap();
    assert!(
        center.distance(Point::new(1e6 + 5.0 / 6.0, 1e6 + 7.0 / 6.0)) < 0.1,
        "{center:?}"
    );
    let line = polygon(&[(0.0, 0.0), (4.0, 2.0)]);
    assert_eq!(line.center(), Some(Point::new(2.0, 1.0)));
}

/// The middles of pixels that are set in one mask only.
fn differences(left: &Mask, right: &Mask) -> Vec<Point> {
    let size = left.size();
    let places = (0..size.width).flat_map(|x| (0..size.height).map(move |y| (x, y)));
    places
        .filter(|(x, y)| left.contains(*x, *y) != right.contains(*x, *y))
        .map(|(x, y)| Point::new(x as f32 + 0.5, y as f32 + 0.5))
        .collect()
}

/// How far a point is from a closed outline.
fn from_outline(point: Point, outline: &Polygon) -> f32 {
    let behind = outline.points.iter().cycle().skip(1);
    let edges = outline.points.iter().zip(behind);
    edges
        .map(|(from, to)| from_edge(point, *from, *to))
        .fold(f32::MAX, f32::min)
}

fn from_edge(point: Point, from: Point, to: Point) -> f32 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 {
        (((point.x - from.x) * dx + (point.y - from.y) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    point.distance(Point::new(from.x + along * dx, from.y + along * dy))
}
