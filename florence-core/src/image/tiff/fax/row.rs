//! A row of runs, white and black in turns.
//!
//! What damaged codes lead to follows libtiff (`tif_fax3.h`, `EXPAND1D`, `EXPAND2D` and
//! `CLEANUP_RUNS`) step by step, since Pillow shows what it leaves.

use super::bits::Bits;
use super::codes::{BLACK, Mode, RunCode, Runs, WHITE};

/// Why a row is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// No bits remain.
    EndOfData,
    /// More runs than a row can have.
    TooManyRuns,
}

/// The row that is being read.
#[derive(Debug)]
pub(super) struct Row {
    width: i32,
    /// Lengths of runs; what follows the first `count` is left over from earlier rows.
    runs: Vec<u32>,
    count: usize,
    /// The pixels of all runs so far, and of the one that has not ended.
    x: i32,
    open: i32,
    /// Whether a code was read that ends the row.
    pub(super) at_end_of_line: bool,
    /// Whether it is damaged.
    pub(super) damaged: bool,
}

/// The row above, from the run that the next change is compared with.
#[derive(Debug)]
struct Above<'a> {
    runs: &'a [u32],
    next: usize,
    /// Where the run before ends.
    x: i32,
}

impl Row {
    pub(super) fn new(width: usize, most_runs: usize) -> Self {
        Row {
            width: width as i32,
            runs: vec![0; most_runs],
            count: 0,
            x: 0,
            open: 0,
            at_end_of_line: false,
            damaged: false,
        }
    }

    /// Makes it a white row.
    pub(super) fn whiten(&mut self) {
        self.begin();
        self.runs[..2].copy_from_slice(&[self.width as u32, 0]);
    }

    /// Begins another row.
    pub(super) fn begin(&mut self) {
        (self.count, self.x, self.open) = (0, 0, 0);
        (self.at_end_of_line, self.damaged) = (false, false);
    }

    /// Reads runs that are coded by their lengths.
    pub(super) fn read_lengths(&mut self, bits: &mut Bits<'_>) -> Result<(), Stop> {
        loop {
            let runs = if self.is_black() { &BLACK } else { &WHITE };
            match self.read_run(runs, bits)? {
                RunCode::Last(_) if self.x >= self.width => break,
                RunCode::Last(_) => {
                    // An empty pair of runs is dropped.
                    if self.count.is_multiple_of(2) && self.runs[..self.count].ends_with(&[0, 0]) {
                        self.count -= 2;
                    }
                }
                code => {
                    self.at_end_of_line = code == RunCode::EndOfLine;
                    self.damaged |= code == RunCode::Unknown;
                    break;
                }
            }
        }
        self.close()
    }

    /// Reads runs that are coded by what the row above has.
    pub(super) fn read_changes(&mut self, bits: &mut Bits<'_>, above: &Row) -> Result<(), Stop> {
        let mut above = Above {
            runs: &above.runs,
            next: 0,
            x: 0,
        };
        above.pass()?;
        let whole = self.read_modes(bits, &mut above)?;
        if whole && self.open != 0 {
            // Nothing but a change at the end of the row may follow.
            let change = self.open.wrapping_add(self.x) >= self.width || {
                let is_change = self.peek(bits, 1)? == 1;
                bits.skip(u8::from(is_change));
                is_change
            };
            if change {
                self.end_run(0)?;
            } else {
                self.damaged = true;
            }
        }
        self.close()
    }

    /// Whether the row was completed by its codes.
    fn read_modes(&mut self, bits: &mut Bits<'_>, above: &mut Above<'_>) -> Result<bool, Stop> {
        while self.x < self.width {
            if self.count == self.runs.len() {
                return Err(Stop::TooManyRuns);
            }
            let Some(mode) = Mode::next(bits) else {
                return Err(self.end_of_data());
            };
            match mode {
                Mode::Pass => {
                    above.follow(self)?;
                    above.pass()?;
                    self.open = self.open.wrapping_add(above.x.wrapping_sub(self.x));
                    self.x = above.x;
                    above.pass()?;
                }
                Mode::Horizontal => {
                    let runs = [&WHITE, &BLACK];
                    let first = usize::from(self.is_black());
                    for runs in [runs[first], runs[1 - first]] {
                        if !matches!(self.read_run(runs, bits)?, RunCode::Last(_)) {
                            self.damaged = true;
                            return Ok(false);
                        }
                    }
                    above.follow(self)?;
                }
                Mode::Vertical(right @ 0..) => {
                    above.follow(self)?;
                    let length = above.x.wrapping_sub(self.x);
                    self.end_run(length.wrapping_add(right.into()))?;
                    above.pass()?;
                }
                Mode::Vertical(left) => {
                    above.follow(self)?;
                    if above.x < self.x.wrapping_sub(left.into()) {
                        self.damaged = true;
                        return Ok(false);
                    }
                    let length = above.x.wrapping_sub(self.x);
                    self.end_run(length.wrapping_add(left.into()))?;
                    above.back()?;
                }
                Mode::Extension | Mode::EndOfLine => {
                    self.runs[self.count] = self.width.wrapping_sub(self.x) as u32;
                    self.count += 1;
                    self.damaged |= mode == Mode::Extension;
                    if mode == Mode::EndOfLine {
                        self.damaged |= self.peek(bits, 4)? != 0;
                        bits.skip(4);
                        self.at_end_of_line = true;
                    }
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Reads the codes of a run; returns the last one.
    fn read_run(&mut self, runs: &Runs, bits: &mut Bits<'_>) -> Result<RunCode, Stop> {
        loop {
            let Some(code) = runs.next(bits) else {
                return Err(self.end_of_data());
            };
            match code {
                RunCode::More(length) => {
                    self.x = self.x.wrapping_add(length.into());
                    self.open = self.open.wrapping_add(length.into());
                    continue;
                }
                RunCode::Last(length) => self.end_run(length.into())?,
                _ => {}
            }
            return Ok(code);
        }
    }

    fn is_black(&self) -> bool {
        !self.count.is_multiple_of(2)
    }

    fn peek(&mut self, bits: &mut Bits<'_>, count: u8) -> Result<u32, Stop> {
        bits.peek(count).ok_or_else(|| self.end_of_data())
    }

    /// Ends the row at the end of the data.
    fn end_of_data(&mut self) -> Stop {
        self.damaged = true;
        match self.close() {
            Ok(()) => Stop::EndOfData,
            Err(stop) => stop,
        }
    }

    /// Ends a run after this many more pixels.
    fn end_run(&mut self, length: i32) -> Result<(), Stop> {
        let run = self.runs.get_mut(self.count).ok_or(Stop::TooManyRuns)?;
        *run = self.open.wrapping_add(length) as u32;
        self.count += 1;
        self.x = self.x.wrapping_add(length);
        self.open = 0;
        Ok(())
    }

    /// Extends the runs to the width of the row, the rest white.
    pub(super) fn close(&mut self) -> Result<(), Stop> {
        if self.open != 0 {
            self.end_run(0)?;
        }
        if self.x == self.width {
            return Ok(());
        }
        self.damaged = true;
        while self.x > self.width && self.count > 0 {
            self.count -= 1;
            self.x = self.x.wrapping_sub(self.runs[self.count] as i32);
        }
        if self.x < self.width {
            self.x = self.x.max(0);
            if self.is_black() {
                self.end_run(0)?;
            }
            self.end_run(self.width - self.x)?;
        } else if self.x > self.width {
            self.end_run(self.width)?;
            self.end_run(0)?;
        }
        Ok(())
    }

    /// Sets the bits of black pixels, and truncates runs that are too long.
    pub(super) fn paint(&mut self, bits: &mut [u8]) {
        if self.is_black()
            && let Some(run) = self.runs.get_mut(self.count)
        {
            *run = 0;
        }
        let width = self.width as u32;
        let mut x = 0;
        for (number, run) in self.runs[..self.count].iter_mut().enumerate() {
            *run = (*run).min(width - x);
            if number % 2 == 1 {
                blacken(bits, x as usize, (x + *run) as usize);
            }
            x += *run;
        }
    }

    /// Ends a row that the next one is compared with: nothing changes at its end.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        self.end_run(0)
    }
}

fn blacken(bits: &mut [u8], from: usize, to: usize) {
    for x in from..to {
        bits[x / 8] |= 0x80 >> (x % 8);
    }
}

impl Above<'_> {
    fn take(&mut self) -> Result<i32, Stop> {
        let run = self.runs.get(self.next).ok_or(Stop::TooManyRuns)?;
        self.next += 1;
        Ok(*run as i32)
    }

    /// Advances to the next change.
    fn pass(&mut self) -> Result<(), Stop> {
        self.x = self.x.wrapping_add(self.take()?);
        Ok(())
    }

    /// Returns to the previous change.
    fn back(&mut self) -> Result<(), Stop> {
        self.next = self.next.checked_sub(1).ok_or(Stop::TooManyRuns)?;
        self.x = self.x.wrapping_sub(self.runs[self.next] as i32);
        Ok(())
    }

    /// Advances to the next change of the same color to the right of the row's position.
    fn follow(&mut self, row: &Row) -> Result<(), Stop> {
        if row.count == 0 {
            return Ok(());
        }
        while self.x <= row.x && self.x < row.width {
            let both = self.take()?.wrapping_add(self.take()?);
            self.x = self.x.wrapping_add(both);
        }
        Ok(())
    }
}
