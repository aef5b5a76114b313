//! Images: reading, conversion to RGB, and the exact preparation of the
//! reference.

mod jpeg;
mod open;
mod prepare;
mod resize;
mod rgb;

pub use open::{ImageOptions, decode, load_image};
pub use prepare::{prepare, resize};
pub use rgb::to_rgb;
