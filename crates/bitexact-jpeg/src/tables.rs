//! The tables that segments define for the scans after them.

use crate::block::ZIGZAG;
use crate::error::{Error, Stop};
use crate::huffman::Definition;
use crate::source::Source;

/// The conditioning of one arithmetic-coding table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditioning {
    pub(crate) dc_lower: u8,
    pub(crate) dc_upper: u8,
    pub(crate) ac: u8,
}

/// The current tables. They persist after the end of a stream that holds only
/// tables.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) quantization: [Option<[u16; 64]>; 4],
    pub(crate) dc: [Option<Definition>; 4],
    pub(crate) ac: [Option<Definition>; 4],
    pub(crate) conditioning: [Conditioning; 16],
    pub(crate) restart_interval: u16,
}

impl Default for Conditioning {
    fn default() -> Self {
        Conditioning {
            dc_lower: 0,
            dc_upper: 1,
            ac: 5,
        }
    }
}

impl Tables {
    /// Reads a DHT segment.
    pub(crate) fn read_huffman(&mut self, source: &mut Source<'_>) -> Result<(), Stop> {
        let wrong = Err(Error::Segment(0xc4).into());
        let mut left = i32::from(source.u16()?) - 2;
        while left > 16 {
            let index = source.byte()?;
            let mut counts = [0; 16];
            for count in &mut counts {
                *count = source.byte()?;
            }
            let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
            left -= 17;
            if total > 256 || total as i32 > left {
                return wrong;
            }
            let mut symbols = [0; 256];
            for symbol in &mut symbols[..total] {
                *symbol = source.byte()?;
            }
            left -= total as i32;
            let (tables, place) = if index & 0x10 != 0 {
                (&mut self.ac, index - 0x10)
            } else {
                (&mut self.dc, index)
            };
            let Some(table) = tables.get_mut(usize::from(place)) else {
                return wrong;
            };
            *table = Some(Definition { counts, symbols });
        }
        if left == 0 { Ok(()) } else { wrong }
    }

    /// Reads a DQT segment.
    pub(crate) fn read_quantization(&mut self, source: &mut Source<'_>) -> Result<(), Stop> {
        let wrong = Err(Error::Segment(0xdb).into());
        let mut left = i32::from(source.u16()?) - 2;
        while left > 0 {
            let index = source.byte()?;
            let wide = index >> 4 != 0;
            let Some(place) = self.quantization.get_mut(usize::from(index & 15)) else {
                return wrong;
            };
            let table = place.get_or_insert([0; 64]);
            for natural in &ZIGZAG[..64] {
                table[*natural] = if wide {
                    source.u16()?
                } else {
                    source.byte()?.into()
                };
            }
            left -= if wide { 129 } else { 65 };
        }
        if left == 0 { Ok(()) } else { wrong }
    }

    /// Reads a DRI segment.
    pub(crate) fn read_restart_interval(&mut self, source: &mut Source<'_>) -> Result<(), Stop> {
        if source.u16()? != 4 {
            return Err(Error::Segment(0xdd).into());
        }
        self.restart_interval = source.u16()?;
        Ok(())
    }

    /// Reads a DAC segment.
    pub(crate) fn read_conditioning(&mut self, source: &mut Source<'_>) -> Result<(), Stop> {
        let wrong = Err(Error::Segment(0xcc).into());
        let mut left = i32::from(source.u16()?) - 2;
        while left > 0 {
            let (index, value) = (usize::from(source.byte()?), source.byte()?);
            left -= 2;
            match index {
                0..16 => {
                    let (lower, upper) = (value & 15, value >> 4);
                    if lower > upper {
                        return wrong;
                    }
                    self.conditioning[index].dc_lower = lower;
                    self.conditioning[index].dc_upper = upper;
                }
                16..32 => self.conditioning[index - 16].ac = value,
                _ => return wrong,
            }
        }
        if left == 0 { Ok(()) } else { wrong }
    }

    /// Sets the Huffman tables of the standard's annex K where none is defined, as in
    /// motion JPEG.
    pub(crate) fn fill_in_standard(&mut self) {
        for (number, (dc, ac)) in [
            (Definition::luminance_dc(), Definition::luminance_ac()),
            (Definition::chrominance_dc(), Definition::chrominance_ac()),
        ]
        .into_iter()
        .enumerate()
        {
            self.dc[number].get_or_insert(dc);
            self.ac[number].get_or_insert(ac);
        }
    }
}
