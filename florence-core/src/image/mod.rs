//! Images: reading, conversion to RGB, and the exact preparation of the
//! reference.

#[cfg(feature = "bmp")]
mod bmp;
mod decoded;
mod extension;
mod format;
#[cfg(feature = "gif")]
mod gif;
mod jpeg;
mod note;
mod open;
mod orientation;
mod png;
mod prepare;
mod resize;
mod rgb;
#[cfg(feature = "tiff")]
mod tiff;
#[cfg(feature = "webp")]
mod webp;

pub use extension::has_image_extension;
pub use note::ImageNote;
pub use open::{ImageFile, ImageOptions, decode, load_image};
pub use prepare::{prepare, resize};
pub use rgb::to_rgb;
