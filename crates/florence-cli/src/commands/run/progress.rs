//! How far a run over many images is, on stderr.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::bar::bar;
use crate::failure::Failure;
use crate::stderr::tell;

/// The parts of the bar.
const BAR: &str = "{wide_bar} {pos}/{len} images, {per_sec}, {eta} left {msg}";

/// Time between two lines where stderr is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Counts images. With a terminal it is a bar, elsewhere a line every ten seconds.
pub(super) struct Progress {
    total: usize,
    answered: usize,
    skipped: usize,
    failed: BTreeMap<&'static str, usize>,
    start: Instant,
    last_line: Instant,
    show: Show,
}

enum Show {
    Nothing,
    Lines,
    Bar(ProgressBar),
}

impl Progress {
    pub(super) fn new(total: usize, is_shown: bool, is_terminal: bool) -> Self {
        let show = match (is_shown, is_terminal) {
            (false, _) => Show::Nothing,
            (true, false) => Show::Lines,
            (true, true) => Show::Bar(bar(total as u64, BAR)),
        };
        let start = Instant::now();
        Self {
            total,
            answered: 0,
            skipped: 0,
            failed: BTreeMap::new(),
            start,
            last_line: start,
            show,
        }
    }

    /// An image that needed no work.
    pub(super) fn skip(&mut self) {
        self.skipped += 1;
        self.step();
    }

    /// An image that is finished, with the first thing that failed.
    pub(super) fn finish_image(&mut self, failure: Option<&Failure>) {
        match failure {
            None => self.answered += 1,
            Some(failure) => *self.failed.entry(failure.kind()).or_default() += 1,
        }
        self.step();
    }

    /// Prints above the bar.
    pub(super) fn above(&self, print: impl FnOnce()) {
        match &self.show {
            Show::Bar(bar) => bar.suspend(print),
            _ => print(),
        }
    }

    fn step(&mut self) {
        match &self.show {
            Show::Nothing => (),
            Show::Bar(bar) => {
                bar.inc(1);
                let failed: usize = self.failed.values().sum();
                if failed > 0 {
                    bar.set_message(format!("{failed} failed"));
                }
            }
            Show::Lines if self.last_line.elapsed() >= EVERY => {
                self.last_line = Instant::now();
                tell(format_args!(
                    "{} of {} images; {}",
                    self.seen(),
                    self.total,
                    self.rate()
                ));
            }
            Show::Lines => (),
        }
    }

    /// The summary at the end.
    pub(super) fn finish(&self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
        if matches!(self.show, Show::Nothing) {
            return;
        }
        let mut parts = vec![format!(
            "{} of {} images answered",
            self.answered, self.total
        )];
        if self.skipped > 0 {
            parts.push(format!("{} already done", self.skipped));
        }
        parts.extend(
            self.failed
                .iter()
                .map(|(kind, count)| format!("{count} {kind}")),
        );
        let left = self.total - self.seen();
        if left > 0 {
            parts.push(format!("{left} not reached"));
        }
        tell(format_args!("{}; {}", parts.join(", "), self.rate()));
    }

    fn seen(&self) -> usize {
        self.answered + self.skipped + self.failed.values().sum::<usize>()
    }

    fn rate(&self) -> String {
        let worked = self.seen() - self.skipped;
        let rate = worked as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        let left = self.total - self.seen();
        let mut text = format!("{rate:.2} images/s");
        if left > 0 && rate > 0.0 {
            let time = Duration::from_secs((left as f64 / rate) as u64);
            text.push_str(&format!(", {} left", indicatif::HumanDuration(time)));
        }
        text
    }
}
