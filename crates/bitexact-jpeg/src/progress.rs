//! Which bits of each coefficient the progressive scans have supplied so far.

use crate::frame::Frame;
use crate::scan::Scan;
use crate::source::Source;
use crate::warnings::Warning;

/// For each coefficient in zigzag order, how many low bits are still missing; −1
/// if no scan has supplied the coefficient (libjpeg's `coef_bits`).
pub(crate) type Missing = [i8; 64];

pub(crate) struct Progress {
    /// By component, after the last scan.
    pub(crate) now: Vec<Missing>,
    /// By component, before the last scan.
    pub(crate) before: Vec<Missing>,
    /// The number of scans so far.
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

    /// Records a scan that begins.
    pub(crate) fn begin(&mut self, scan: &Scan, source: &mut Source<'_>) {
        self.scans += 1;
        let (start, end) = (usize::from(scan.start), usize::from(scan.end));
        for selected in &scan.components {
            let now = &mut self.now[selected.component];
            let before = &mut self.before[selected.component];
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

    /// Whether all bits of all coefficients were supplied.
    pub(crate) fn complete(&self) -> bool {
        self.now.as_flattened().iter().all(|missing| *missing == 0)
    }

    /// Whether there was more than one scan.
    pub(crate) fn several(&self) -> bool {
        self.scans > 1
    }
}
