//! Shared by the benches: images, seeded weights, and a logits processor that
//! fixes the length of answers.
#![forbid(unsafe_code)]

pub mod random;

use florence_core::LogitsProcessor;
use image::{DynamicImage, Rgb, RgbImage};

/// A held-out scene of the demo model.
///
/// # Panics
///
/// When the workspace lacks it.
pub fn scene() -> DynamicImage {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/scene.png");
    image::open(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A 12-megapixel image with gradients, edges and noise.
pub fn photo() -> RgbImage {
    RgbImage::from_fn(4000, 3000, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 27;
        let edge = if (x / 500 + y / 300) % 2 == 0 { 90 } else { 0 };
        Rgb([x / 40, y / 30, edge].map(|v| (v + grain) as u8))
    })
}

/// Whether the benches run in test mode, once each.
pub fn is_test() -> bool {
    std::env::args().any(|arg| arg == "--test")
}

/// Keeps an answer from ending before `max_len` tokens.
#[derive(Debug)]
pub struct NotYet {
    /// The token that ends answers.
    pub eos: u32,
    /// Tokens with the one that answers start from.
    pub max_len: usize,
}

impl LogitsProcessor for NotYet {
    fn process(&self, token_ids: &[u32], scores: &mut [f32]) {
        if token_ids.len() + 1 < self.max_len {
            scores[self.eos as usize] = f32::NEG_INFINITY;
        }
    }
}
