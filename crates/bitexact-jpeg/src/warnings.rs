//! Damage that libjpeg recovers from. It issues a warning for most of it, which
//! Pillow does not pass on.

use crate::damage::Damage;

/// One kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warning {
    EndsEarly,
    BadCode,
    Restart,
    Stray,
    ScanOrder,
    ScansMissing,
    ScanParameters,
    Transform,
    Version,
    NoEnd,
}

/// The position of the decoder in the image.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    /// The row of pixels that is decoded next; `None` for progressive files.
    pub(crate) row: Option<u32>,
    /// The row at which the current restart interval begins.
    pub(crate) interval: Option<u32>,
}

/// The damage found so far, and the first row that it may affect.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    pub(crate) position: Position,
    /// In the order found, each with how often it occurred or how many bytes.
    found: Vec<(Warning, usize)>,
    first_row: Option<u32>,
    /// Whether some damage affects the image from an unknown row on.
    unknown: bool,
}

impl Warnings {
    pub(crate) fn add(&mut self, warning: Warning, count: usize) {
        let row = match warning {
            // These change no pixels.
            Warning::ScanParameters | Warning::Transform | Warning::Version => None,
            Warning::EndsEarly => Some(self.position.row),
            // Data before the place where damage is noticed may be misread too,
            // but none before the last restart marker.
            Warning::BadCode | Warning::Restart | Warning::Stray => Some(self.position.interval),
            Warning::ScansMissing => Some(Some(0)),
            Warning::ScanOrder | Warning::NoEnd => Some(None),
        };
        if let Some(row) = row {
            self.unknown |= row.is_none();
            self.first_row = self.first_row.into_iter().chain(row).min();
        }
        match self.found.iter_mut().find(|(known, _)| *known == warning) {
            Some((_, total)) => *total = total.saturating_add(count),
            None => self.found.push((warning, count)),
        }
    }

    pub(crate) fn into_damage(self) -> Option<Damage> {
        let what: Vec<String> = self.found.iter().map(|(s, n)| s.words(*n)).collect();
        (!what.is_empty()).then(|| Damage {
            what: what.join("; "),
            from_row: self.first_row.filter(|_| !self.unknown),
        })
    }
}

impl Warning {
    fn words(self, count: usize) -> String {
        let many = |one: &str, many: &str| {
            if count == 1 {
                format!("1 {one}")
            } else {
                format!("{count} {many}")
            }
        };
        match self {
            Self::EndsEarly => "the data ends early".to_owned(),
            Self::BadCode => many("impossible code", "impossible codes"),
            Self::Restart => many(
                "restart marker missing or out of order",
                "restart markers missing or out of order",
            ),
            Self::Stray => many("stray byte before a marker", "stray bytes before markers"),
            Self::ScanOrder => "progressive scans out of order".to_owned(),
            Self::ScansMissing => "scans are missing".to_owned(),
            Self::ScanParameters => "a sequential scan with other parameters".to_owned(),
            Self::Transform => "an unknown colour transform in its Adobe segment".to_owned(),
            Self::Version => "an unknown version in its JFIF segment".to_owned(),
            Self::NoEnd => "no end-of-image marker".to_owned(),
        }
    }
}
