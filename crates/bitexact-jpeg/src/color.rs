//! Color conversion.

use crate::segments::Segments;
use crate::warnings::{Warning, Warnings};

/// The color model of the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColorModel {
    Gray,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}

impl ColorModel {
    /// The color model that libjpeg assumes (`default_decompress_parms`).
    pub(crate) fn of(segments: &Segments, ids: &[u8], warnings: &mut Warnings) -> Self {
        match (ids.len(), segments.jfif, segments.adobe) {
            (1, ..) => Self::Gray,
            (3, true, _) | (3, false, Some(1)) => Self::YCbCr,
            (3, false, Some(0)) => Self::Rgb,
            (3, false, None) if ids == b"RGB" => Self::Rgb,
            (3, false, None) => Self::YCbCr,
            (_, _, None | Some(0)) => Self::Cmyk,
            (_, _, Some(2)) => Self::Ycck,
            (count, _, Some(_)) => {
                warnings.add(Warning::Transform, 1);
                if count == 3 { Self::YCbCr } else { Self::Ycck }
            }
        }
    }
}

/// JFIF's constants in fixed point with 16 fractional bits; the two terms of
/// green are added before rounding.
pub(crate) fn ycc_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|v| v.clamp(0, 255) as u8)
}

/// Pillow's conversion of inks that are stored as Adobe does: 255 means no ink.
pub(crate) fn inks_to_rgb(inks: [u8; 3], black: u8) -> [u8; 3] {
    inks.map(|ink| {
        let product = (255 - u32::from(ink)) * u32::from(black) + 128;
        black - (((product >> 8) + product) >> 8) as u8
    })
}

/// The same for YCCK: its YCbCr converts to the complement of the inks.
pub(crate) fn ycck_to_rgb(ycc: [u8; 3], black: u8) -> [u8; 3] {
    inks_to_rgb(ycc_to_rgb(ycc).map(|light| 255 - light), black)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_darken() {
        assert_eq!(inks_to_rgb([255; 3], 255), [255; 3]);
        assert_eq!(inks_to_rgb([255; 3], 40), [40; 3]);
        assert_eq!(inks_to_rgb([0, 255, 128], 255), [0, 255, 128]);
        for ink in 0..=255 {
            for black in 0..=255 {
                let [light, ..] = inks_to_rgb([ink; 3], black);
                let exact = f64::from(ink) * f64::from(black) / 255.0;
                assert!((f64::from(light) - exact).abs() <= 0.5, "{ink} {black}");
            }
        }
    }
}
