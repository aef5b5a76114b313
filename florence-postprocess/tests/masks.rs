//! Masks of shapes: every pixel against exact arithmetic.

use florence_postprocess::{BBox, Mask, Point, Polygon, QuadBox, Rle, Shape, Size};
use proptest::prelude::*;

const SIDE: u32 = 24;

/// Whether the center of a pixel is inside, by the even-odd rule: whether an odd number of edges
/// cross the row left of it or at it. In halves of pixels, so that all numbers are whole.
fn is_inside(corners: &[(i64, i64)], x: u32, y: u32) -> bool {
    let (px, py) = (2 * i64::from(x) + 1, 2 * i64::from(y) + 1);
    let next = corners.iter().cycle().skip(1);
    let crossings = corners.iter().zip(next).filter(|((ax, ay), (bx, by))| {
        // An edge has its upper end, not its lower one.
        if (*ay <= py) == (*by <= py) {
            return false;
        }
        // px >= ax + (bx - ax) (py - ay) / (by - ay), without the division.
        let (right, left) = ((px - ax) * (by - ay), (bx - ax) * (py - ay));
        if by > ay {
            right >= left
        } else {
            right <= left
        }
    });
    crossings.count() % 2 == 1
}

fn polygon(corners: &[(i64, i64)]) -> Polygon {
    let point = |(x, y): &(i64, i64)| Point::new(*x as f32 / 2.0, *y as f32 / 2.0);
    Polygon {
        points: corners.iter().map(point).collect(),
    }
}

fn ring() -> impl Strategy<Value = Vec<(i64, i64)>> {
    // Also outside of the image, on centers of pixels (odd) and between them (even).
    prop::collection::vec((-10..58_i64, -10..58_i64), 0..9)
}

proptest! {
    #[test]
    fn a_pixel_is_set_where_its_center_is_inside(rings in prop::collection::vec(ring(), 1..4)) {
        let polygons: Vec<Polygon> = rings.iter().map(|ring| polygon(ring)).collect();
        let mask = Shape::Polygons(polygons).to_mask(Size::new(SIDE, SIDE));
        for (x, y) in (0..SIDE).flat_map(|x| (0..SIDE).map(move |y| (x, y))) {
            // One object: in any of its polygons.
            let inside = rings.iter().any(|ring| is_inside(ring, x, y));
            prop_assert_eq!(mask.contains(x, y), inside, "{},{} of {:?}", x, y, rings);
        }
    }

    #[test]
    fn boxes_and_quads_are_filled_like_their_corners(
        [x1, y1, x2, y2] in prop::array::uniform4(-10..58_i64),
    ) {
        let corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)];
        let [a, b, c, d] = [x1, y1, x2, y2].map(|edge| edge as f32 / 2.0);
        let size = Size::new(SIDE, SIDE);
        let bbox = Shape::from(BBox { x1: a, y1: b, x2: c, y2: d }).to_mask(size);
        let quad = Shape::from(QuadBox::from([a, b, c, b, c, d, a, d])).to_mask(size);
        prop_assert_eq!(&bbox, &quad);
        for (x, y) in (0..SIDE).flat_map(|x| (0..SIDE).map(move |y| (x, y))) {
            prop_assert_eq!(bbox.contains(x, y), is_inside(&corners, x, y));
        }
    }
}

#[test]
fn a_hole_is_where_a_polygon_covers_twice() {
    // A frame drawn as one line, and the same as two polygons of one object.
    let (outer, inner) = (
        [(0, 0), (20, 0), (20, 20), (0, 20)],
        [(6, 6), (12, 6), (12, 12), (6, 12)],
    );
    let size = Size::new(SIDE, SIDE);
    let line: Vec<_> = [&outer[..], &outer[..1], &inner[..], &inner[..1]].concat();
    assert_eq!(Shape::from(polygon(&line)).to_mask(size).area(), 100 - 9);
    let both = vec![polygon(&outer), polygon(&inner)];
    assert_eq!(Shape::from(both).to_mask(size).area(), 100);
}

#[test]
fn masks_of_every_kind_of_shape_add_up() {
    let size = Size::new(4, 3);
    let mut mask = Mask::new(size);
    mask.fill_shape(&BBox::new(0.0, 0.0, 1.0, 1.0).into());
    mask.fill_shape(&Shape::from(Rle::from_counts(size, vec![4, 1, 7]).unwrap()));
    // Of another size: what lies inside.
    let larger = Rle::from_bbox(&BBox::new(3.0, 2.0, 9.0, 9.0), Size::new(9, 9));
    mask.fill_shape(&larger.into());
    // Between all centers, and not finite.
    mask.fill_shape(&BBox::new(2.6, 0.0, 3.4, 3.0).into());
    mask.fill_shape(
        &BBox {
            x1: f32::NAN,
            y1: 0.0,
            x2: f32::INFINITY,
            y2: 3.0,
        }
        .into(),
    );
    assert_eq!(mask.to_gray(), [255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 255]);
    assert!(Mask::new(Size::new(0, 5)).to_gray().is_empty());
    assert_eq!(
        Shape::from(BBox::new(0.0, 0.0, 9.0, 9.0))
            .to_mask(Size::new(0, 0))
            .area(),
        0
    );
}
