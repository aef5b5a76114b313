//! The input as Pillow feeds it to libjpeg: in chunks, each one when the chunk
//! before is used up. What libjpeg makes of a file that is cut off depends on
//! this.

use crate::error::Stop;
use crate::warnings::{Warning, Warnings};

/// The size of a chunk: `ImageFile.MAXBLOCK` of Pillow.
const BLOCK: usize = 1 << 16;

pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    /// The position of the next byte. It can be past `end` when a segment was
    /// skipped.
    pub(crate) at: usize,
    /// The end of the available input.
    end: usize,
    /// Whether the next chunk is fetched when bytes are missing.
    pub(crate) growing: bool,
    /// The second byte of a marker that was met and is pending, or 0.
    pub(crate) marker: u8,
    /// Bytes that were skipped since the last marker.
    pub(crate) discarded: usize,
    /// The number of the next restart marker, 0 to 7.
    pub(crate) next_restart: u8,
    pub(crate) warnings: Warnings,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Source {
            bytes,
            at: 0,
            end: bytes.len().min(BLOCK),
            growing: true,
            marker: 0,
            discarded: 0,
            next_restart: 0,
            warnings: Warnings::default(),
        }
    }

    /// Fetches the next chunk; `false` at the end of the file.
    pub(crate) fn more(&mut self) -> bool {
        let before = self.end;
        self.end = self.bytes.len().min(before + BLOCK);
        self.end > before
    }

    /// The length of the whole file.
    pub(crate) fn file_length(&self) -> usize {
        self.bytes.len()
    }

    /// The available input from the next byte on.
    pub(crate) fn available(&self) -> &'a [u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Stop> {
        loop {
            if let Some(byte) = self.bytes[..self.end].get(self.at) {
                self.at += 1;
                return Ok(*byte);
            }
            if !self.growing || !self.more() {
                return Err(Stop::NeedsData);
            }
        }
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Stop> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    pub(crate) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// Finds the next marker, whose second byte is neither 0x00 nor 0xff.
    pub(crate) fn find_marker(&mut self) -> Result<(), Stop> {
        loop {
            while self.byte()? != 0xff {
                self.discarded += 1;
            }
            let start = self.at - 1;
            let code = loop {
                match self.byte() {
                    Ok(0xff) => {}
                    Ok(code) => break code,
                    Err(stop) => {
                        self.at = start;
                        return Err(stop);
                    }
                }
            };
            if code != 0 {
                self.marker = code;
                break;
            }
            self.discarded += 2;
        }
        let discarded = std::mem::take(&mut self.discarded);
        if discarded > 0 {
            self.warnings.add(Warning::Stray, discarded);
        }
        Ok(())
    }

    /// Reads the restart marker that must come next. If another one comes, data
    /// or a marker was lost; libjpeg decides which by the difference of the numbers
    /// (`jpeg_resync_to_restart`).
    pub(crate) fn restart_marker(&mut self) -> Result<(), Stop> {
        if self.marker == 0 {
            self.find_marker()?;
        }
        if self.marker == 0xd0 + self.next_restart {
            self.marker = 0;
        } else {
            self.warnings.add(Warning::Restart, 1);
            loop {
                match self.marker {
                    // Not a valid marker: find the next one.
                    ..0xc0 => self.find_marker()?,
                    0xd0..=0xd7 => match (self.marker - 0xd0).wrapping_sub(self.next_restart) & 7 {
                        // A later one: the interval that starts here is lost.
                        1 | 2 => break,
                        // An earlier one: skip to the next marker.
                        6 | 7 => self.find_marker()?,
                        _ => {
                            self.marker = 0;
                            break;
                        }
                    },
                    // The scan ends: there is no data for this interval.
                    _ => break,
                }
            }
        }
        self.next_restart = (self.next_restart + 1) & 7;
        Ok(())
    }
}
