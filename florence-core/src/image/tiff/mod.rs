//! The first page of a TIFF as Pillow reads it.
//!
//! Unlike for other formats, Pillow turns the picture upright; so it is turned here, and no
//! orientation remains.

mod fax;
mod ifd;
mod jpeg;
mod layout;
mod pixels;
mod predictor;
mod stored;
mod unpack;

use image::DynamicImage;
use image::metadata::Orientation;

use self::ifd::Ifd;
use self::layout::Layout;
use super::decoded::{Damage, Decoded, Refusal};

/// Reads the first page of a TIFF of at most `max_pixels`.
///
/// Needs memory for the picture, at most three bytes a pixel, and for a strip or tile of one plane
/// at a time, at most twelve bytes a pixel and 64 MiB.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Refusal> {
    let ifd = Ifd::first(bytes)?;
    let layout = Layout::read(&ifd, max_pixels)?;
    let mut image = pixels::Picture::new(&layout, &ifd)?;
    let blocks = layout.across() * layout.down();
    let mut fax = None;
    let mut damaged_from = None;
    for (block, place) in layout.blocks().enumerate() {
        for plane in 0..layout.planes {
            let index = plane * blocks + block;
            let stored = unpack::block(&layout, &ifd, &mut fax, (index, place.rows))?;
            image.put(place, plane, &stored.bytes);
            let row = stored.damaged_from.map(|row| place.y + row);
            let row = row.filter(|row| *row < layout.height);
            damaged_from = row.into_iter().chain(damaged_from).min();
        }
    }
    let mut image: DynamicImage = image.into_image()?;
    let orientation = match ifd.number(274) {
        Some(value @ 1..=8) => Orientation::from_exif(value as u8),
        _ => None,
    };
    let upright = Orientation::NoTransforms;
    image.apply_orientation(orientation.unwrap_or(upright));
    Ok(Decoded {
        image,
        orientation: upright,
        damage: damaged_from.map(|row| Damage {
            what: "its fax data are broken".to_owned(),
            // Rows of the file are not rows of the picture where that is turned.
            from_row: (orientation.unwrap_or(upright) == upright).then_some(row as u32),
        }),
    })
}
