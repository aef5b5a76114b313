//! Estimates the text direction of a page, and deskews it.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use crate::rect::{Rect, weighted_median};
use florence_postprocess::{Point, QuadBox};

/// Bins of the histogram of directions: three degrees each.
const DIRECTIONS: usize = 120;
/// Directions this close to the fullest bin decide the exact angle: 7.5 degrees.
const NEAR: f64 = PI / 24.0;
/// An angle this close to a quarter turn is one: a twentieth of a degree.
const EXACT: f64 = PI / 3600.0;

/// A point of the deskewed page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A page deskewed so that its text runs to the right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// The direction of the text in radians, as [`QuadBox::angle`].
    pub(super) angle: f64,
    cos: f64,
    sin: f64,
}

impl Frame {
    /// The frame of text that runs in a direction.
    pub(super) fn new(angle: f64) -> Self {
        let quarters = (angle / FRAC_PI_2).round();
        if (angle - quarters * FRAC_PI_2).abs() >= EXACT {
            let (sin, cos) = angle.sin_cos();
            return Self { angle, cos, sin };
        }
        let (cos, sin) = match quarters.rem_euclid(4.0) as u8 {
            0 => (1.0, 0.0),
            1 => (0.0, 1.0),
            2 => (-1.0, 0.0),
            _ => (0.0, -1.0),
        };
        let angle = f64::atan2(sin, cos);
        Self { angle, cos, sin }
    }

    /// The frame of most of the text on a page, by the directions of its quads: the
    /// fullest bin of a histogram, then the median near it. Long quads count more, since bins of
    /// the model turn a short quad by degrees and a long one hardly.
    pub(super) fn of<'a>(quads: impl Iterator<Item = &'a QuadBox> + Clone) -> Self {
        let directions = quads.map(along).filter(|(_, length)| *length > 0.0);
        let mut weights = [0.0f64; DIRECTIONS];
        for (angle, length) in directions.clone() {
            weights[bin_of(angle)] += length;
        }
        let smooth = |at: usize| {
            let before = weights[(at + DIRECTIONS - 1) % DIRECTIONS];
            let behind = weights[(at + 1) % DIRECTIONS];
            weights[at] + (before + behind) / 2.0
        };
        let fullest = (0..DIRECTIONS)
            .rev()
            .max_by(|a, b| smooth(*a).total_cmp(&smooth(*b)))
            .unwrap_or_default();
        let peak = fullest as f64 * TAU / DIRECTIONS as f64;
        let near = directions
            .map(|(angle, length)| (wrap(angle - peak), length * length))
            .filter(|(off, _)| off.abs() <= NEAR)
            .collect();
        match weighted_median(near) {
            Some(off) => Self::new(wrap(peak + off)),
            None => Self::new(0.0),
        }
    }

    /// A point of the image in frame coordinates.
    pub(super) fn enter(&self, point: Point) -> Spot {
        let (x, y) = (f64::from(point.x), f64::from(point.y));
        Spot {
            x: x * self.cos + y * self.sin,
            y: y * self.cos - x * self.sin,
        }
    }

    /// The corners of a rectangle of the frame in the image.
    pub(super) fn leave(&self, rect: &Rect) -> QuadBox {
        let corner = |x: f64, y: f64| {
            let (x, y) = (x * self.cos - y * self.sin, x * self.sin + y * self.cos);
            Point::new(x as f32, y as f32)
        };
        QuadBox {
            points: [
                corner(rect.x1, rect.y1),
                corner(rect.x2, rect.y1),
                corner(rect.x2, rect.y2),
                corner(rect.x1, rect.y2),
            ],
        }
    }

    /// The rectangle around a quad: between the middles of its edges where it runs with the text,
    /// so that what is left of a skew does not fatten it, around its corners elsewhere.
    pub(super) fn rect_of(&self, quad: &QuadBox) -> Rect {
        let [a, b, c, d] = quad.points.map(|point| self.enter(point));
        let (run, rise) = (b.x - a.x + c.x - d.x, b.y - a.y + c.y - d.y);
        let [left, top, right, bottom] = if run > 2.0 * rise.abs() {
            [
                (a.x + d.x) / 2.0,
                (a.y + b.y) / 2.0,
                (b.x + c.x) / 2.0,
                (c.y + d.y) / 2.0,
            ]
        } else {
            [
                a.x.min(b.x).min(c.x).min(d.x),
                a.y.min(b.y).min(c.y).min(d.y),
                a.x.max(b.x).max(c.x).max(d.x),
                a.y.max(b.y).max(c.y).max(d.y),
            ]
        };
        Rect {
            x1: left.min(right),
            y1: top.min(bottom),
            x2: left.max(right),
            y2: top.max(bottom),
        }
    }

    /// The quarter turns from the text of the page to that of a quad: 0 to 3.
    pub(super) fn quarter_turns(&self, quad: &QuadBox) -> u8 {
        let (angle, length) = along(quad);
        if length <= 0.0 {
            return 0;
        }
        (wrap(angle - self.angle) / FRAC_PI_2)
            .round()
            .rem_euclid(4.0) as u8
    }
}

/// The direction and the length of a quad: the mean of its upper and its lower edge.
fn along(quad: &QuadBox) -> (f64, f64) {
    let [a, b, c, d] = quad.points;
    let step = |from: f32, to: f32| f64::from(to) - f64::from(from);
    let x = (step(a.x, b.x) + step(d.x, c.x)) / 2.0;
    let y = (step(a.y, b.y) + step(d.y, c.y)) / 2.0;
    (y.atan2(x), x.hypot(y))
}

fn bin_of(angle: f64) -> usize {
    let turn = angle.rem_euclid(TAU) / TAU;
    (turn * DIRECTIONS as f64).round() as usize % DIRECTIONS
}

/// The same angle from −π to π.
fn wrap(angle: f64) -> f64 {
    let turned = angle.rem_euclid(TAU);
    if turned > PI { turned - TAU } else { turned }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(angle: f64, length: f64, at: f64) -> QuadBox {
        let rect = Rect {
            x1: at,
            y1: at,
            x2: at + length,
            y2: at + 20.0,
        };
        Frame::new(angle).leave(&rect)
    }

    #[test]
    fn every_direction_is_found_through_outliers() {
        for degrees in (-179..=180).step_by(7) {
            let angle = f64::from(degrees).to_radians();
            let mut quads: Vec<QuadBox> = (0..9)
                .map(|at| {
                    line(
                        angle + f64::from(at - 4) * 0.002,
                        400.0,
                        f64::from(at) * 30.0,
                    )
                })
                .collect();
            quads.push(line(angle + 1.3, 300.0, 50.0));
            quads.push(line(angle - 2.0, 200.0, 90.0));
            let found = Frame::of(quads.iter()).angle;
            assert!(
                wrap(found - angle).abs() < 0.003,
                "{degrees}: {}",
                found.to_degrees()
            );
        }
    }

    #[test]
    fn entering_and_leaving_cancel() {
        let quad = QuadBox::from([3.0, 4.0, 203.0, 4.0, 203.0, 24.0, 3.0, 24.0]);
        for angle in [0.0, 0.1, FRAC_PI_2, PI, -FRAC_PI_2, 2.5] {
            let frame = Frame::new(angle);
            let turned = frame.leave(&Frame::new(0.0).rect_of(&quad));
            let back = Frame::new(0.0).leave(&frame.rect_of(&turned));
            for (point, expected) in back.points.iter().zip(&quad.points) {
                assert!(point.distance(*expected) < 1e-3, "{angle}: {back:?}");
            }
        }
    }

    #[test]
    fn quarter_turns_are_counted_from_the_text() {
        let frame = Frame::new(0.3);
        assert_eq!(frame.quarter_turns(&line(0.2, 100.0, 0.0)), 0);
        assert_eq!(frame.quarter_turns(&line(0.3 + FRAC_PI_2, 100.0, 0.0)), 1);
        assert_eq!(frame.quarter_turns(&line(0.3 + PI, 100.0, 0.0)), 2);
        assert_eq!(frame.quarter_turns(&line(0.3 - FRAC_PI_2, 100.0, 0.0)), 3);
    }
}
