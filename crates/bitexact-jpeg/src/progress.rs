//! How much of each coefficient the progressive scans have brought.

use crate::frame::Frame;
use crate::scan::Scan;
use crate::source::Source;
use crate::warnings::Warning;

/// For each coefficient in zigzag order, the bits that are still missing; −1
/// where nothing is known.
pub(crate) type Missing = [i8; 64];

pub(crate) struct Progress {
    /// Of each component, after its last scan.
    pub(crate) now: Vec<Missing>,
    /// Before its last scan.
    pub(crate) before: Vec<Missing>,
    /// Scans so far.
    scans: usize,
}

impl Progress {
    pub(crate) fn new(frame: &Frame) -> Self {
        Progress {
            now: vec![[-1; 64]; frame.components.len()],
            before: vec![[-1; 64]; frame.components.len()],
            scans: 0,
        }
    }

    /// Takes note of a scan that begins.
    pub(crate) fn begin(&mut self, scan: &Scan, source: &mut Source<'_>) {
        self.scans += 1;
        let (start, end) = (usize::from(scan.start), usize::from(scan.end));
        for part in &scan.components {
            let now = &mut self.now[part.component];
            let before = &mut self.before[part.component];
            if start > 0 && now[0] < 0 {
                source.warnings.add(Warning::ScanOrder, 1);
            }
            let band = start.min(1)..=end.max(9);
            if self.scans > 1 {
                before[band.clone()].copy_from_slice(&now[band]);
            } else {
                before[band].fill(0);
            }
            for missing in &mut now[start..=end] {
                if i16::from(scan.high) != i16::from(*missing).max(0) {
                    source.warnings.add(Warning::ScanOrder, 1);
                }
                *missing = scan.low as i8;
            }
        }
    }

    /// Whether all is known of all.
    pub(crate) fn complete(&self) -> bool {
        self.now.as_flattened().iter().all(|missing| *missing == 0)
    }

    /// Whether there was more than one scan.
    pub(crate) fn several(&self) -> bool {
        self.scans > 1
    }
}
