//! Regions in the frame of the page.

use std::cmp::Ordering;

use crate::frame::Frame;
use crate::page::Span;
use crate::rect::{Rect, weighted_quantile};
use florence_postprocess::{QuadBox, TextRegion};

/// A region in the frame of its page.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    pub(super) rect: Rect,
    /// One for each line of the text that is not blank; one for a region without text.
    pub(super) strips: Vec<Strip>,
    /// Characters that are not whitespace.
    pub(super) characters: usize,
    /// Whether there are more digits than letters.
    pub(super) numeric: bool,
}

/// A line of a region.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    /// As high as the font, as far as known.
    pub(super) rect: Rect,
    /// As high as the quad.
    pub(super) ink: Rect,
    pub(super) span: Span,
}

impl Atom {
    /// Whether the region holds several lines, which stay together.
    pub(super) fn is_solid(&self) -> bool {
        self.strips.len() > 1
    }

    /// The width of its first word, as far as characters are equally wide.
    pub(super) fn first_word(&self) -> f64 {
        self.strips.first().map_or(0.0, |strip| {
            let first = strip.span.text.split_whitespace().next();
            let first = first.map_or(0, |word| word.chars().count());
            let all = strip.span.text.chars().count().max(1);
            strip.rect.width() * first as f64 / all as f64
        })
    }

    fn new(index: usize, region: &TextRegion, frame: &Frame) -> Self {
        let quad = clockwise(&region.quad);
        let strips = strips(index, region, &quad, frame);
        let letters = region.text.chars().filter(|c| c.is_alphabetic()).count();
        let digits = region.text.chars().filter(|c| c.is_numeric()).count();
        Self {
            rect: frame.rect_of(&quad),
            strips,
            characters: region.text.chars().filter(|c| !c.is_whitespace()).count(),
            numeric: digits > letters,
        }
    }
}

/// The indices of regions in an order that does not depend on their order in the answer: by corners, then
/// by text and confidence.
pub(super) fn canonical(regions: &[TextRegion]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..regions.len()).collect();
    order.sort_by(|a, b| compare(&regions[*a], &regions[*b]));
    order
}

fn compare(a: &TextRegion, b: &TextRegion) -> Ordering {
    let corners = a.quad.points.iter().zip(&b.quad.points);
    let number = |a: Option<f32>, b: Option<f32>| match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.is_some().cmp(&b.is_some()),
    };
    corners
        .map(|(a, b)| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)))
        .fold(Ordering::Equal, Ordering::then)
        .then_with(|| a.text.cmp(&b.text))
        .then_with(|| number(a.confidence, b.confidence))
        .then_with(|| number(a.text_confidence, b.text_confidence))
}

/// Whether all corners are finite.
pub(super) fn has_place(quad: &QuadBox) -> bool {
    quad.points.iter().all(|point| point.is_finite())
}

/// The regions in the frame.
pub(super) fn atoms(regions: &[TextRegion], indices: &[usize], frame: &Frame) -> Vec<Atom> {
    let atom = |index: &usize| Some(Atom::new(*index, regions.get(*index)?, frame));
    indices.iter().filter_map(atom).collect()
}

/// The text height, never 0: the 75th percentile of quad heights weighted by characters, since low quads may
/// be lowercase letters only.
pub(super) fn usual_height(atoms: &[Atom]) -> f64 {
    let heights = atoms.iter().flat_map(|atom| {
        let weight = atom.characters.max(1) as f64 / atom.strips.len().max(1) as f64;
        atom.strips
            .iter()
            .map(move |strip| (strip.rect.height(), weight))
    });
    weighted_quantile(heights.collect(), 0.75)
        .filter(|height| *height > 0.0)
        .unwrap_or(1.0)
}

/// The same quad with its corners clockwise on the screen, from the same first corner.
fn clockwise(quad: &QuadBox) -> QuadBox {
    let [a, b, c, d] = quad.points;
    let step = |from: f32, to: f32| f64::from(to) - f64::from(from);
    let turn = step(a.x, c.x) * step(b.y, d.y) - step(a.y, c.y) * step(b.x, d.x);
    if turn >= 0.0 {
        return *quad;
    }
    QuadBox {
        points: [a, d, c, b],
    }
}

/// The lines of a region: its quad is cut into as many strips as there are lines from the first to
/// the last that is not blank.
fn strips(index: usize, region: &TextRegion, quad: &QuadBox, frame: &Frame) -> Vec<Strip> {
    let lines = region.text.trim().lines();
    // A carriage return alone is a line end too.
    let lines: Vec<&str> = lines
        .flat_map(|line| line.split('\r'))
        .map(str::trim)
        .collect();
    let count = lines.len().max(1);
    let strip = |text: &str, at: usize, line: usize| {
        let quad = if count == 1 {
            *quad
        } else {
            part(
                quad,
                at as f32 / count as f32,
                (at + 1) as f32 / count as f32,
            )
        };
        Strip {
            rect: frame.rect_of(&quad),
            ink: frame.rect_of(&quad),
            span: Span {
                region: index,
                line,
                text: text.to_owned(),
                quad,
                confidence: region.text_confidence.or(region.confidence),
            },
        }
    };
    if lines.is_empty() {
        return vec![strip("", 0, 0)];
    }
    let written = lines
        .iter()
        .enumerate()
        .filter(|(_, text)| !text.is_empty());
    written
        .enumerate()
        .map(|(line, (at, text))| strip(text, at, line))
        .collect()
}

/// The strip of a quad between two shares of its height.
fn part(quad: &QuadBox, from: f32, to: f32) -> QuadBox {
    let [a, b, c, d] = quad.points;
    QuadBox {
        points: [
            a.lerp(d, from),
            b.lerp(c, from),
            b.lerp(c, to),
            a.lerp(d, to),
        ],
    }
}
