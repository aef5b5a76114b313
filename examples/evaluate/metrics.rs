//! Metrics, the same as in `tools/nano/evaluate.py`.

use std::collections::BTreeMap;

use florence_tasks::{BBox, Mask, Polygon, Size};

/// Sums and weights by name.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    sums: BTreeMap<String, (f64, f64)>,
}

impl Meter {
    /// Counts `value` of `weight` possible.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, weight: f64) {
        let entry = self.sums.entry(name.into()).or_default();
        entry.0 += value;
        entry.1 += weight;
    }

    /// Counts one try.
    pub(crate) fn hit(&mut self, name: impl Into<String>, hit: bool) {
        self.add(name, f64::from(u8::from(hit)), 1.0);
    }

    /// Names with their means and weights, by name.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, f64, f64)> {
        self.sums
            .iter()
            .map(|(name, &(sum, weight))| (name.as_str(), sum / weight, weight))
    }
}

/// A labeled box.
pub(crate) type Labeled = (String, BBox);

/// Pairs of boxes with the same label, matched greedily from the largest IoU.
pub(crate) fn matched(found: &[Labeled], truth: &[Labeled], threshold: f32) -> usize {
    let mut pairs = Vec::new();
    for (i, (label, bbox)) in found.iter().enumerate() {
        for (j, (other, target)) in truth.iter().enumerate() {
            let iou = bbox.iou(target);
            if label == other && iou >= threshold {
                pairs.push((iou, i, j));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut used_found, mut used_truth) = (vec![false; found.len()], vec![false; truth.len()]);
    let mut count = 0;
    for (_, i, j) in pairs {
        if !used_found[i] && !used_truth[j] {
            used_found[i] = true;
            used_truth[j] = true;
            count += 1;
        }
    }
    count
}

/// Levenshtein distance in characters.
pub(crate) fn edits(a: &str, b: &str) -> usize {
    let b = b.chars().collect::<Vec<_>>();
    let mut row = (0..=b.len()).collect::<Vec<_>>();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Intersection over union of the pixels inside.
pub(crate) fn mask_iou(found: &[Polygon], truth: &Polygon, size: Size) -> f64 {
    let (mut mask, mut target) = (Mask::new(size), Mask::new(size));
    found.iter().for_each(|polygon| mask.fill(polygon));
    target.fill(truth);
    f64::from(mask.iou(&target))
}

/// Facts of a longer caption: counts and background, then each object's words.
pub(crate) fn caption_facts(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>();
    let mut counts = Vec::new();
    for (at, pair) in words.windows(2).enumerate() {
        match pair {
            ["shows", count] => counts.push(*count),
            ["on", "a"] if words.get(at + 4) == Some(&"background") => {
                counts.extend(&words[at + 2..at + 4])
            }
            ["text", "in"] if words.get(at + 3).is_some_and(|w| w.starts_with("place")) => {
                counts.push(words[at + 2])
            }
            ["no", "text"] => counts.push("no"),
            _ => {}
        }
    }
    let listed = text
        .split_once(": ")
        .map_or("", |(_, rest)| rest.split('.').next().unwrap_or(rest));
    let phrases = listed
        .split(", ")
        .flat_map(|part| part.split(" and "))
        .filter(|part| !part.is_empty())
        .map(|part| part.split_whitespace().map(str::to_owned).collect())
        .collect();
    (counts.into_iter().map(str::to_owned).collect(), phrases)
}
