//! Axis-aligned rectangles of the deskewed page, and quantiles.

/// An ordered rectangle with finite edges, in the frame of the text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x1: f64,
    pub(super) y1: f64,
    pub(super) x2: f64,
    pub(super) y2: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.x2 - self.x1
    }

    pub(super) fn height(&self) -> f64 {
        self.y2 - self.y1
    }

    pub(super) fn middle_x(&self) -> f64 {
        self.x1 / 2.0 + self.x2 / 2.0
    }

    pub(super) fn middle_y(&self) -> f64 {
        self.y1 / 2.0 + self.y2 / 2.0
    }

    pub(super) fn hull(&self, other: &Rect) -> Rect {
        Rect {
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
            x2: self.x2.max(other.x2),
            y2: self.y2.max(other.y2),
        }
    }

    /// How much of the lower of the two rectangles lies beside the other, from 0 to 1; `None`
    /// where they are not on one line of text.
    pub(super) fn beside(&self, other: &Rect) -> Option<f64> {
        let overlap = self.y2.min(other.y2) - self.y1.max(other.y1);
        let low = self.height().min(other.height());
        let high = self.height().max(other.height());
        if low <= 0.0 {
            return (overlap >= 0.0).then_some(1.0);
        }
        (overlap >= low * 0.5 && high <= low * 2.5).then_some(overlap / high)
    }
}

/// The value that `share` of the values do not exceed, where each counts as often as its weight
/// says; `None` without weight.
pub(super) fn weighted_quantile(mut values: Vec<(f64, f64)>, share: f64) -> Option<f64> {
    values.retain(|(value, weight)| value.is_finite() && weight.is_finite() && *weight > 0.0);
    values.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let enough = values.iter().map(|(_, weight)| weight).sum::<f64>() * share;
    let mut seen = 0.0;
    let found = values.iter().find(|(_, weight)| {
        seen += weight;
        seen >= enough
    });
    found.or(values.last()).map(|(value, _)| *value)
}

/// The middle value where each counts as often as its weight says; `None` without weight.
pub(super) fn weighted_median(values: Vec<(f64, f64)>) -> Option<f64> {
    weighted_quantile(values, 0.5)
}

/// The value that `share` of the values do not exceed; `None` without values.
pub(super) fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_follow_the_weight() {
        assert_eq!(
            weighted_median(vec![(1.0, 1.0), (2.0, 1.0), (9.0, 5.0)]),
            Some(9.0)
        );
        assert_eq!(weighted_median(vec![(3.0, 0.0), (f64::NAN, 1.0)]), None);
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(Vec::new(), 0.5), None);
    }

    #[test]
    fn a_drop_capital_is_not_on_one_line_with_the_text_beside_it() {
        let capital = Rect {
            x1: 0.0,
            y1: 0.0,
            x2: 30.0,
            y2: 60.0,
        };
        let line = Rect {
            x1: 35.0,
            y1: 0.0,
            x2: 300.0,
            y2: 20.0,
        };
        let next = Rect {
            x1: 310.0,
            y1: 6.0,
            x2: 330.0,
            y2: 22.0,
        };
        assert_eq!(capital.beside(&line), None);
        assert_eq!(line.beside(&next), Some(0.7));
    }
}
