//! Signs of damage that libjpeg recovers from, with a warning that Pillow does
//! not pass on.

use super::super::decoded::Damage;

/// One kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
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

/// Where in the image the decoder is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// The row of pixels that comes next, where that is one place: not in
    /// progressive files.
    pub(super) row: Option<u32>,
    /// The row at which the restart interval begins.
    pub(super) interval: Option<u32>,
}

/// What was found, and from which row on it may matter.
#[derive(Debug, Default)]
pub(super) struct Signs {
    pub(super) place: Place,
    /// In the order found, and how often or how many bytes.
    found: Vec<(Sign, usize)>,
    first_row: Option<u32>,
    /// Whether something may matter from an unknown row on.
    unknown: bool,
}

impl Signs {
    pub(super) fn add(&mut self, sign: Sign, count: usize) {
        let row = match sign {
            // These change no pixel.
            Sign::ScanParameters | Sign::Transform | Sign::Version => None,
            Sign::EndsEarly => Some(self.place.row),
            // What was misread before it was noticed is not known. It began
            // after the last restart marker at the latest.
            Sign::BadCode | Sign::Restart | Sign::Stray => Some(self.place.interval),
            Sign::ScansMissing => Some(Some(0)),
            Sign::ScanOrder | Sign::NoEnd => Some(None),
        };
        if let Some(row) = row {
            self.unknown |= row.is_none();
            self.first_row = self.first_row.into_iter().chain(row).min();
        }
        match self.found.iter_mut().find(|(known, _)| *known == sign) {
            Some((_, total)) => *total = total.saturating_add(count),
            None => self.found.push((sign, count)),
        }
    }

    pub(super) fn into_damage(self) -> Option<Damage> {
        let what: Vec<String> = self.found.iter().map(|(s, n)| s.words(*n)).collect();
        (!what.is_empty()).then(|| Damage {
            what: what.join("; "),
            from_row: self.first_row.filter(|_| !self.unknown),
        })
    }
}

impl Sign {
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
