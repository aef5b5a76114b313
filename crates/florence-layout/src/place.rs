//! Assigns lines to the sides of a gutter, and finds the lines that cross it.

use crate::probe::{HEADING, Probe};

/// How wide a strip is tried, in heights of the text.
const STRIP: f64 = 0.9;
/// How far text may reach into it.
pub(super) const SLACK: f64 = 0.15;
/// Columns start on one height where their first lines differ by less.
const LEVEL: f64 = 0.6;
/// At most one in this many lines of the left column is too long for it.
const OVERFULL: usize = 8;
/// Minimum lines that start at the left edge of the right column for each such line, and two for each line
/// that crosses the strip: gaps between words have no such edge.
const STARTS: usize = 4;
/// How far lines start from the edge of their column.
const EDGE: f64 = 0.5;
/// The next lines of the right column are closer to one that is too long, in heights of the text.
const BESIDE: f64 = 3.0;
/// Pieces of lines that are narrower, in heights of the text, are not too long for a column.
const LINE: f64 = 16.0;
/// Number of lines above and below that are examined.
const LOOKS: usize = 64;

/// On which side of a strip a line lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Left,
    /// On the left too, but too long for its column: it says nothing of where that ends.
    Overfull,
    Right,
    /// It crosses the strip, or is a heading of both columns.
    Across,
}

/// The lines above a line.
#[derive(Debug, Clone, Copy)]
struct Above {
    /// Where the last line on the other side ends.
    end: f64,
    /// Where a line across the strip ends, if that is the one before.
    across: Option<f64>,
}

impl Default for Above {
    fn default() -> Self {
        Self {
            end: f64::NEG_INFINITY,
            across: None,
        }
    }
}

/// Where lines lie by their edges alone.
pub(super) fn sides(probes: &[Probe], start: f64, height: f64) -> Vec<Where> {
    let (left, right) = (start - (STRIP - SLACK) * height, start - SLACK * height);
    let mut places: Vec<Where> = probes
        .iter()
        .map(|probe| match probe {
            probe if probe.x1 < right && probe.x2 > left => Where::Across,
            probe if probe.x1 < right => Where::Left,
            _ => Where::Right,
        })
        .collect();
    let overfull: Vec<usize> = (0..probes.len())
        .filter(|at| {
            places[*at] == Where::Across && is_overfull(*at, probes, &places, start, height)
        })
        .collect();
    let count = |wanted| places.iter().filter(|place| **place == wanted).count();
    let starts = probes
        .iter()
        .filter(|probe| (probe.x1 - start).abs() < EDGE * height)
        .count();
    if overfull.len() * OVERFULL <= count(Where::Left)
        && overfull.len() * STARTS <= starts
        && count(Where::Across) * 2 <= starts
    {
        for at in overfull {
            places[at] = Where::Overfull;
        }
    }
    places
}

/// Whether a line is one of the left column that is too long for it: it ends before the right
/// column starts, and one of that stands beside it; or it is printed
/// over one of them, which no line of both columns is.
fn is_overfull(at: usize, probes: &[Probe], places: &[Where], start: f64, height: f64) -> bool {
    let line = &probes[at];
    if line.x2 - line.x1 < LINE * height {
        return false;
    }
    let right = |other: &usize| places[*other] == Where::Right;
    let near = |other: &usize| (probes[*other].y - line.y).abs() < BESIDE * height;
    let above = (0..at).rev().take(LOOKS).take_while(near);
    let below = (at + 1..probes.len()).take(LOOKS).take_while(near);
    let mut beside = above
        .chain(below)
        .filter(right)
        .map(|other| &probes[other])
        .filter(|other| {
            let apart = (other.y - line.y).abs();
            apart < (other.height + line.height) / 2.0 - SLACK * height
        });
    if line.x2 > start + SLACK * height {
        return beside.any(|other| other.x1 < line.x2 - SLACK * height && other.x2 > line.x2);
    }
    beside.next().is_some()
}

/// Where lines lie. A line in large letters, or the last of a few across the strip, with nothing
/// beside it, below which both columns start on one height or nothing follows, is a heading of
/// both, however short it is.
pub(super) fn places(probes: &[Probe], start: f64, height: f64) -> Vec<Where> {
    let mut places = sides(probes, start, height);
    let side = |place| usize::from(place == Where::Right);
    // Where the last line above ends, for each line on the other side.
    let mut ends = [f64::NEG_INFINITY; 2];
    let mut above = vec![Above::default(); probes.len()];
    let mut across = None;
    let mut since = None;
    for ((probe, place), above) in probes.iter().zip(&places).zip(&mut above) {
        let bottom = probe.y + probe.height / 2.0;
        if *place == Where::Across {
            (across, since) = (Some(bottom), None);
            continue;
        }
        let first = *since.get_or_insert(probe.y);
        above.across = across.filter(|_| first == probe.y);
        above.end = ends[1 - side(*place)];
        let end = &mut ends[side(*place)];
        *end = end.max(bottom);
    }
    // Where the next lines below start.
    let mut starts = [f64::INFINITY; 2];
    for ((probe, place), above) in probes.iter().zip(&mut places).zip(&above).rev() {
        if *place == Where::Across {
            starts = [f64::INFINITY; 2];
            continue;
        }
        let (own, other) = (starts[side(*place)], starts[1 - side(*place)]);
        let (top, bottom) = (probe.y - probe.height / 2.0, probe.y + probe.height / 2.0);
        let goes_on = above
            .across
            .is_some_and(|end| top - end + LEVEL / 2.0 * height < own - bottom);
        let is_heading = (goes_on || probe.height >= HEADING * height)
            && (own == other || (own - other).abs() < LEVEL * height)
            && other > bottom - SLACK * height
            && above.end < top + SLACK * height;
        if is_heading {
            *place = Where::Across;
        } else {
            starts[side(*place)] = top;
        }
    }
    places
}
