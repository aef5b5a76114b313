//! Label placement.

use florence_postprocess::{BBox, Point, Size};

/// Rounds in which labels that still overlap are placed again.
const ROUNDS: usize = 3;
/// Cost of overlapping another label, besides the overlapped share.
const COLLISION: f32 = 100.0;
/// Cost of covering a whole shape.
const COVERED_SHAPE: f32 = 8.0;
/// Cost of hiding as much of another outline as the perimeter of the label.
const COVERED_OUTLINE: f32 = 8.0;
/// Additional cost of each candidate after the first, in the order of preference.
const LATER: f32 = 0.03;

/// A label to place.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    /// The index of its shape.
    pub(super) shape: usize,
    /// The topmost point of its shape, if that is filled.
    pub(super) top: Option<Point>,
    /// Its width and height in pixels, no more than the image's.
    pub(super) width: f32,
    pub(super) height: f32,
}

/// A shape that labels should not hide: the box around it, outline included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Obstacle {
    pub(super) bbox: BBox,
    /// Whether the outline runs along the box's edges.
    pub(super) is_box: bool,
}

/// Places labels greedily: each gets the cheapest of several positions around and inside of its shape.
/// Overlapping another label costs most, then hiding shapes, then the distance from the preferred
/// position. Small shapes, which have fewer good positions, choose first; labels that still overlap
/// another are placed again.
pub(super) fn place(tags: &[Tag], obstacles: &[Obstacle], size: Size) -> Vec<BBox> {
    let mut order: Vec<usize> = (0..tags.len()).collect();
    let area = |at: usize| obstacles[tags[at].shape].bbox.area();
    order.sort_by(|a, b| area(*a).total_cmp(&area(*b)));

    let mut places: Vec<Option<BBox>> = vec![None; tags.len()];
    for &at in &order {
        places[at] = best(&tags[at], at, &places, obstacles, size);
    }
    for _ in 0..ROUNDS {
        let mut moved = false;
        for &at in &order {
            let Some(here) = places[at] else { continue };
            if collisions(&here, at, &places) > 0.0 {
                let better = best(&tags[at], at, &places, obstacles, size);
                moved |= better != places[at];
                places[at] = better;
            }
        }
        if !moved {
            break;
        }
    }
    places.into_iter().map(Option::unwrap_or_default).collect()
}

fn best(
    tag: &Tag,
    at: usize,
    places: &[Option<BBox>],
    obstacles: &[Obstacle],
    size: Size,
) -> Option<BBox> {
    let mut best = None;
    let mut lowest = f32::INFINITY;
    for (order, place) in candidates(tag, &obstacles[tag.shape].bbox, size).enumerate() {
        let mut cost = order as f32 * LATER;
        if cost < lowest {
            cost += collisions(&place, at, places);
        }
        if cost < lowest {
            cost += hiding(&place, tag.shape, obstacles);
        }
        if cost < lowest {
            (lowest, best) = (cost, Some(place));
        }
    }
    best
}

/// Candidate positions in the order of preference, all inside the image.
fn candidates(tag: &Tag, shape: &BBox, size: Size) -> impl Iterator<Item = BBox> {
    let Tag { width, height, .. } = *tag;
    let BBox { x1, y1, x2, y2 } = *shape;
    let (left, middle, right) = (x1, (x1 + x2 - width) / 2.0, x2 - width);
    let (above, below) = (y1 - height, y2);
    let (inside_top, inside_bottom) = (y1, y2 - height);

    // A filled shape has its label on top, or in its center.
    let mut corners = Vec::with_capacity(80);
    if let Some(top) = tag.top {
        corners.push((top.x - width / 2.0, above));
        corners.push((middle, (y1 + y2 - height) / 2.0));
    }
    corners.extend([
        (left, above),
        (left, inside_top),
        (left, below),
        (right, above),
        (right, below),
        (right, inside_top),
        (left, inside_bottom),
        (right, inside_bottom),
        (x2, inside_top),
        (x1 - width, inside_top),
        (x2, inside_bottom),
        (x1 - width, inside_bottom),
        (middle, above),
        (middle, below),
    ]);
    for step in 1..8 {
        let share = step as f32 / 8.0;
        let x = left + (right - left) * share;
        corners.extend([above, inside_top, below, inside_bottom].map(|y| (x, y)));
        let y = inside_top + (inside_bottom - inside_top) * share;
        corners.extend([x2, x1 - width, left, right, middle].map(|x| (x, y)));
    }
    for rows in 1..4 {
        let off = rows as f32 * height;
        corners.extend([(left, above - off), (left, below + off)]);
    }
    let inside = move |(x, y): (f32, f32)| {
        let x = x.round().min(size.width as f32 - width).max(0.0);
        let y = y.round().min(size.height as f32 - height).max(0.0);
        BBox::new(x, y, x + width, y + height)
    };
    corners.into_iter().map(inside)
}

/// The cost of covering other labels.
fn collisions(place: &BBox, at: usize, places: &[Option<BBox>]) -> f32 {
    let others = places.iter().enumerate().filter(|(other, _)| *other != at);
    others
        .filter_map(|(_, other)| other.as_ref()?.intersection(place))
        .map(|common| common.area() / place.area())
        .filter(|share| *share > 0.0)
        .map(|share| COLLISION * (1.0 + share))
        .sum()
}

/// The cost of covering shapes: all of a small one, or the outline of another box.
fn hiding(place: &BBox, own: usize, obstacles: &[Obstacle]) -> f32 {
    let around = 2.0 * (place.width() + place.height());
    let mut cost = 0.0;
    for (at, Obstacle { bbox, is_box }) in obstacles.iter().enumerate() {
        let Some(common) = place.intersection(bbox) else {
            continue;
        };
        cost += COVERED_SHAPE * common.area() / bbox.area().max(1.0);
        if *is_box && at != own {
            let upright = [bbox.x1, bbox.x2].map(|x| place.x1 < x && x < place.x2);
            let level = [bbox.y1, bbox.y2].map(|y| place.y1 < y && y < place.y2);
            let count = |edges: [bool; 2]| edges.iter().filter(|edge| **edge).count() as f32;
            let hidden = count(upright) * common.height() + count(level) * common.width();
            cost += COVERED_OUTLINE * hidden / around;
        }
    }
    cost
}
