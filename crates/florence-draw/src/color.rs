//! Colors of labels.

use image::Rgb;

use crate::caption::flattened;

/// Colors that can be distinguished with any of the three kinds of color blindness, and are neither white
/// nor black: found by a search, checked by a test.
const PALETTE: [Rgb<u8>; 12] = [
    Rgb([40, 120, 240]),
    Rgb([200, 40, 0]),
    Rgb([0, 120, 80]),
    Rgb([240, 200, 0]),
    Rgb([160, 40, 160]),
    Rgb([0, 240, 160]),
    Rgb([240, 80, 160]),
    Rgb([120, 160, 0]),
    Rgb([80, 0, 240]),
    Rgb([120, 0, 0]),
    Rgb([200, 160, 240]),
    Rgb([80, 40, 120]),
];

/// The color of a label: the same in every image. Case and the amount of whitespace make no difference.
///
/// There are twelve colors, so two labels may share one.
///
/// # Example
///
/// ```
/// use florence_draw::color_of;
///
/// assert_eq!(color_of("green car"), color_of(" Green\ncar"));
/// assert_ne!(color_of("car"), color_of("person"));
/// ```
pub fn color_of(label: &str) -> Rgb<u8> {
    // FNV-1a: its values are the same everywhere and forever, unlike those of the standard hasher.
    let hash = flattened(label)
        .flat_map(char::to_lowercase)
        .fold(0xcbf2_9ce4_8422_2325, |hash, c| {
            (hash ^ u64::from(u32::from(c))).wrapping_mul(0x0100_0000_01b3)
        });
    // Its low bits alone are not well mixed for short names (this is the end of MurmurHash3).
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    PALETTE[((mixed ^ (mixed >> 33)) % PALETTE.len() as u64) as usize]
}

/// White or black, whichever has the higher contrast (WCAG 2) with a background: at least 4.5 to 1.
///
/// # Example
///
/// ```
/// use florence_draw::ink_on;
/// use image::Rgb;
///
/// assert_eq!(ink_on(Rgb([0, 0, 130])), Rgb([255, 255, 255]));
/// assert_eq!(ink_on(Rgb([240, 230, 60])), Rgb([0, 0, 0]));
/// ```
pub fn ink_on(background: Rgb<u8>) -> Rgb<u8> {
    let luminance = luminance(background);
    if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 {
        Rgb([255; 3])
    } else {
        Rgb([0; 3])
    }
}

/// WCAG's relative luminance, from 0 (black) to 1 (white).
fn luminance(color: Rgb<u8>) -> f64 {
    let [r, g, b] = linear(color);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Linear light of sRGB values.
fn linear(Rgb(color): Rgb<u8>) -> [f64; 3] {
    color.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Matrix = [[f64; 3]; 3];

    fn times(matrix: &Matrix, v: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
    }

    /// Full protanopia, deuteranopia and tritanopia on linear light (Machado, Oliveira and Fernandes, 2009).
    const BLINDNESSES: [Matrix; 3] = [
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ];

    /// Björn Ottosson's Oklab, a perceptually uniform color space.
    fn oklab(light: [f64; 3]) -> [f64; 3] {
        let cones = times(
            &[
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ],
            light.map(|v| v.clamp(0.0, 1.0)),
        );
        times(
            &[
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ],
            cones.map(f64::cbrt),
        )
    }

    fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
        squares.sum::<f64>().sqrt()
    }

    #[test]
    fn colors_can_be_told_apart_by_everyone() {
        for (at, first) in PALETTE.iter().enumerate() {
            for second in &PALETTE[..at] {
                let seen = distance(oklab(linear(*first)), oklab(linear(*second)));
                assert!(seen > 0.15, "{first:?} and {second:?}: {seen:.3}");
                for blindness in &BLINDNESSES {
                    let [a, b] = [first, second].map(|c| oklab(times(blindness, linear(*c))));
                    let seen = distance(a, b);
                    assert!(seen > 0.09, "{first:?} and {second:?}: {seen:.3}");
                }
            }
        }
    }

    #[test]
    fn colors_are_neither_white_nor_black() {
        for color in PALETTE {
            let luminance = luminance(color);
            assert!((0.03..0.8).contains(&luminance), "{color:?}: {luminance}");
        }
    }

    #[test]
    fn colors_of_names_are_here_to_stay() {
        let names = ["car", "person", "dog", "tree", ""].map(|name| color_of(name).0);
        let [red, pink, lavender, olive, green] = [
            [200, 40, 0],
            [240, 80, 160],
            [200, 160, 240],
            [120, 160, 0],
            [0, 120, 80],
        ];
        assert_eq!(names, [red, pink, lavender, olive, green]);
    }

    #[test]
    fn every_color_is_somebody_s() {
        let names = (0..1000).map(|n| color_of(&format!("thing {n}")));
        let mut counts = std::collections::HashMap::new();
        for color in names {
            *counts.entry(color).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), PALETTE.len());
        let even = 1000 / PALETTE.len();
        assert!(
            counts.values().all(|n| (even / 2..even * 2).contains(n)),
            "{counts:?}"
        );
    }

    proptest! {
        #[test]
        fn ink_can_be_read(color: [u8; 3]) {
            let background = luminance(Rgb(color)) + 0.05;
            let ink = luminance(ink_on(Rgb(color))) + 0.05;
            prop_assert!(background.max(ink) / background.min(ink) >= 4.5);
        }

        #[test]
        fn case_and_whitespace_make_no_difference(words in prop::collection::vec("[a-z]{1,8}", 1..5)) {
            let spaced = format!("\n {} ", words.join("\t "));
            prop_assert_eq!(color_of(&words.join(" ")), color_of(&spaced.to_uppercase()));
        }
    }
}
