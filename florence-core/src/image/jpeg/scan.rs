//! Scans: where coefficients come from, all at once or little by little.

use super::bits::Bits;
use super::frame::{Frame, Tables, ZIGZAG};
use super::huffman::Huffman;

/// The header of a scan.
pub(super) struct Scan {
    /// Component, DC table, AC table.
    parts: Vec<(usize, usize, usize)>,
    /// The band of coefficients, in zigzag order.
    start: usize,
    end: usize,
    /// Successive approximation: the bit before this scan, the bit after it.
    high: u32,
    low: u32,
}

/// What runs on from block to block.
struct State<'a> {
    bits: Bits<'a>,
    /// The last DC value of each component of the scan.
    predictions: [i32; 4],
    /// Blocks still to come without new coefficients.
    end_of_band: u32,
}

impl Scan {
    pub(super) fn parse(segment: &[u8], frame: &Frame) -> Option<Self> {
        let count = usize::from(*segment.first()?);
        if !(1..=4).contains(&count) || segment.len() != 4 + 2 * count {
            return None;
        }
        let parts = segment[1..1 + 2 * count]
            .chunks_exact(2)
            .map(|p| {
                Some((
                    frame.component(p[0])?,
                    usize::from(p[1] >> 4),
                    usize::from(p[1] & 15),
                ))
            })
            .collect::<Option<Vec<_>>>()?;
        let tail = &segment[1 + 2 * count..];
        let scan = Scan {
            parts,
            start: usize::from(tail[0]),
            end: usize::from(tail[1]),
            high: u32::from(tail[2] >> 4),
            low: u32::from(tail[2] & 15),
        };
        let good = if frame.progressive {
            let one = scan.parts.len() == 1;
            let band = if scan.start == 0 {
                scan.end == 0
            } else {
                one && scan.end < 64
            };
            let bits = scan.low <= 13 && (scan.high == 0 || scan.high == scan.low + 1);
            band && scan.start <= scan.end && bits
        } else {
            scan.start == 0 && scan.end == 63 && scan.high == 0 && scan.low == 0
        };
        good.then_some(scan)
    }

    pub(super) fn components(&self) -> impl Iterator<Item = usize> + '_ {
        self.parts.iter().map(|part| part.0)
    }
}

/// Reads a scan's data from `at` on and returns where it ends.
pub(super) fn read(
    scan: &Scan,
    frame: &mut Frame,
    tables: &Tables,
    bytes: &[u8],
    at: usize,
) -> Option<usize> {
    let mut state = State {
        bits: Bits::new(bytes, at),
        predictions: [0; 4],
        end_of_band: 0,
    };
    let alone = scan.parts.len() == 1;
    let (columns, rows) = if alone {
        let component = &frame.components[scan.parts[0].0];
        (component.columns, component.rows)
    } else {
        (
            frame.width.div_ceil(8 * frame.h_max),
            frame.height.div_ceil(8 * frame.v_max),
        )
    };
    for unit in 0..columns * rows {
        let interval = tables.restart_interval;
        if interval > 0 && unit > 0 && unit % interval == 0 {
            state.bits.restart()?;
            state.predictions = [0; 4];
            state.end_of_band = 0;
        }
        let (x, y) = (unit % columns, unit / columns);
        for (slot, &(index, dc, ac)) in scan.parts.iter().enumerate() {
            let component = &mut frame.components[index];
            let (h, v) = if alone {
                (1, 1)
            } else {
                (component.h, component.v)
            };
            for block in 0..h * v {
                let column = x * h + block % h;
                let row = y * v + block / h;
                let place = (row * component.stride + column) * 64;
                let block = component.coefficients.get_mut(place..place + 64)?;
                let (dc, ac) = (tables.dc.get(dc)?.as_ref(), tables.ac.get(ac)?.as_ref());
                if !frame.progressive {
                    state.dc_first(block, slot, dc?, 0)?;
                    state.ac_sequential(block, ac?)?;
                } else if scan.start == 0 && scan.high == 0 {
                    state.dc_first(block, slot, dc?, scan.low)?;
                } else if scan.start == 0 {
                    block[0] |= (state.bits.take(1)? << scan.low) as i16;
                } else if scan.high == 0 {
                    state.ac_first(block, scan, ac?)?;
                } else {
                    state.ac_refine(block, scan, ac?)?;
                }
            }
        }
    }
    state.bits.position()
}

impl State<'_> {
    fn dc_first(
        &mut self,
        block: &mut [i16],
        slot: usize,
        table: &Huffman,
        low: u32,
    ) -> Option<()> {
        let size = u32::from(table.read(&mut self.bits)?);
        if size > 15 {
            return None;
        }
        let value = self.predictions[slot].wrapping_add(self.bits.signed(size)?);
        self.predictions[slot] = value;
        block[0] = value.wrapping_shl(low) as i16;
        Some(())
    }

    fn ac_sequential(&mut self, block: &mut [i16], table: &Huffman) -> Option<()> {
        let mut k = 1;
        while k < 64 {
            let symbol = table.read(&mut self.bits)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    break;
                }
                k += 16;
                continue;
            }
            k += run;
            block[*ZIGZAG.get(k)?] = self.bits.signed(size)? as i16;
            k += 1;
        }
        Some(())
    }

    fn ac_first(&mut self, block: &mut [i16], scan: &Scan, table: &Huffman) -> Option<()> {
        if self.end_of_band > 0 {
            self.end_of_band -= 1;
            return Some(());
        }
        let mut k = scan.start;
        while k <= scan.end {
            let symbol = table.read(&mut self.bits)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    self.end_of_band = (1 << run) - 1 + self.bits.take(run)?;
                    break;
                }
                k += 16;
                continue;
            }
            k += run as usize;
            block[*ZIGZAG.get(k)?] = (self.bits.signed(size)? << scan.low) as i16;
            k += 1;
        }
        Some(())
    }

    /// One more bit for every coefficient that is not zero yet, and new ones
    /// among those that are.
    fn ac_refine(&mut self, block: &mut [i16], scan: &Scan, table: &Huffman) -> Option<()> {
        let bit = 1i16 << scan.low;
        let mut k = scan.start;
        if self.end_of_band == 0 {
            while k <= scan.end {
                let symbol = table.read(&mut self.bits)?;
                let (mut run, size) = (u32::from(symbol >> 4), symbol & 15);
                let mut value = 0;
                if size == 0 {
                    if run < 15 {
                        self.end_of_band = (1 << run) + self.bits.take(run)?;
                        break;
                    }
                } else {
                    value = if self.bits.take(1)? == 1 { bit } else { -bit };
                }
                while k <= scan.end {
                    let coefficient = &mut block[ZIGZAG[k]];
                    if *coefficient != 0 {
                        self.refine(coefficient, bit)?;
                    } else if run == 0 {
                        *coefficient = value;
                        k += 1;
                        break;
                    } else {
                        run -= 1;
                    }
                    k += 1;
                }
            }
        }
        if self.end_of_band > 0 {
            for natural in &ZIGZAG[k..=scan.end] {
                if block[*natural] != 0 {
                    self.refine(&mut block[*natural], bit)?;
                }
            }
            self.end_of_band -= 1;
        }
        Some(())
    }

    fn refine(&mut self, coefficient: &mut i16, bit: i16) -> Option<()> {
        if self.bits.take(1)? == 1 && *coefficient & bit == 0 {
            let step = if *coefficient > 0 { bit } else { -bit };
            *coefficient = coefficient.wrapping_add(step);
        }
        Some(())
    }
}
