//! What the benches share: the scene that the small model looks at.
#![forbid(unsafe_code)]

use image::DynamicImage;

/// A held-out scene of the small model's world.
///
/// # Panics
///
/// When the workspace lacks it.
pub fn scene() -> DynamicImage {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/scene.png");
    image::open(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
