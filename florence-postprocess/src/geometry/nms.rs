//! Non-maximum suppression.

/// Greedy non-maximum suppression: the indices of the items that are kept, best first. An item is
/// suppressed where a better one that is kept overlaps it by more than `threshold`.
///
/// `overlap` is any measure of two items, such as [`BBox::iou`](crate::BBox::iou),
/// [`QuadBox::iou`](crate::QuadBox::iou) or [`Rle::iou`](crate::Rle::iou). Of equal scores the
/// earlier item is better; a NaN is the worst score and overlaps nothing.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, nms};
///
/// let found = [
///     (BBox::new(0.0, 0.0, 10.0, 10.0), 0.6),
///     (BBox::new(1.0, 0.0, 11.0, 10.0), 0.9),
///     (BBox::new(50.0, 0.0, 60.0, 10.0), 0.3),
/// ];
/// let kept = nms(&found, 0.5, |found| found.1, |a, b| a.0.iou(&b.0));
/// assert_eq!(kept, [1, 2]);
/// ```
pub fn nms<T>(
    items: &[T],
    threshold: f32,
    score: impl Fn(&T) -> f32,
    overlap: impl Fn(&T, &T) -> f32,
) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    for index in by_score(items, score) {
        let item = &items[index];
        if !kept
            .iter()
            .any(|better| overlap(&items[*better], item) > threshold)
        {
            kept.push(index);
        }
    }
    kept
}

/// [`nms`] per label: items of different labels do not suppress each other.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, Size, nms_by_label, parse_text};
///
/// let answer = "</s><s>cat<loc_0><loc_0><loc_99><loc_99>dog<loc_0><loc_0><loc_99><loc_99>\
///     cat<loc_1><loc_0><loc_99><loc_99></s>";
/// let parsed = parse_text(AnswerForm::Boxes, answer, Size::new(640, 480));
/// let found = parsed.answer.detections();
/// let kept = nms_by_label(
///     found,
///     0.5,
///     |found| found.label.as_str(),
///     |found| found.confidence.unwrap_or(1.0),
///     |a, b| a.bbox.iou(&b.bbox),
/// );
/// assert_eq!(kept, [0, 1]);
/// ```
pub fn nms_by_label<'a, T, L: PartialEq>(
    items: &'a [T],
    threshold: f32,
    label: impl Fn(&'a T) -> L,
    score: impl Fn(&T) -> f32,
    overlap: impl Fn(&T, &T) -> f32,
) -> Vec<usize> {
    let labeled: Vec<(L, &T)> = items.iter().map(|item| (label(item), item)).collect();
    nms(
        &labeled,
        threshold,
        |(_, item)| score(item),
        |(one, a), (other, b)| {
            if one == other {
                overlap(a, b)
            } else {
                f32::NEG_INFINITY
            }
        },
    )
}

/// Gaussian Soft-NMS: the best item lowers the scores of all others by the factor
/// `exp(-overlap² / sigma)`, then the best of those does, and so on. Returns index and new score of
/// the items whose score stays above `min_score`, best first.
///
/// Scores are 0 or more: the factor would raise negative ones.
/// Of equal scores the earlier item is better; an item whose score is or becomes NaN is left out,
/// and so are all where `min_score` is NaN. A usual `sigma` is 0.5; one that is not positive
/// lowers nothing.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, soft_nms};
///
/// let found = [
///     (BBox::new(0.0, 0.0, 10.0, 10.0), 0.9),
///     (BBox::new(0.0, 0.0, 10.0, 10.0), 0.8),
///     (BBox::new(50.0, 0.0, 60.0, 10.0), 0.3),
/// ];
/// let kept = soft_nms(&found, 0.5, 0.2, |found| found.1, |a, b| a.0.iou(&b.0));
/// assert_eq!(kept, [(0, 0.9), (2, 0.3)]);
/// ```
pub fn soft_nms<T>(
    items: &[T],
    sigma: f32,
    min_score: f32,
    score: impl Fn(&T) -> f32,
    overlap: impl Fn(&T, &T) -> f32,
) -> Vec<(usize, f32)> {
    let mut open: Vec<(usize, f32)> = items.iter().map(score).enumerate().collect();
    let mut kept = Vec::new();
    loop {
        open.retain(|(_, score)| *score > min_score);
        let best = open
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let Some((place, (index, score))) = best.map(|(place, best)| (place, *best)) else {
            return kept;
        };
        open.swap_remove(place);
        kept.push((index, score));
        if sigma > 0.0 {
            for (other, score) in &mut open {
                let overlap = overlap(&items[index], &items[*other]);
                *score *= (-overlap * overlap / sigma).exp();
            }
        }
    }
}

/// Indices from the best score to the worst.
fn by_score<T>(items: &[T], score: impl Fn(&T) -> f32) -> Vec<usize> {
    let mut order: Vec<(usize, f32)> = items
        .iter()
        .map(score)
        .map(|score| {
            if score.is_nan() {
                f32::NEG_INFINITY
            } else {
                score + 0.0
            }
        })
        .enumerate()
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    order.into_iter().map(|(index, _)| index).collect()
}
