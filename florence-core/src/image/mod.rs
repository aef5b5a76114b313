//! Images: reading, conversion to RGB, and the exact preparation of the
//! reference.

mod decoded;
mod jpeg;
mod note;
mod open;
mod prepare;
mod resize;
mod rgb;

pub use note::ImageNote;
pub use open::{ImageFile, ImageOptions, decode, load_image};
pub use prepare::{prepare, resize};
pub use rgb::to_rgb;
