//! The first page of a TIFF as Pillow reads it.
//!
//! Other than with other formats, Pillow turns the picture upright; so it is
//! turned here, and nothing is left to be turned.

mod fax;
mod ifd;
mod jpeg;
mod layout;
mod pixels;
mod predictor;
mod unpack;

use std::borrow::Cow;

use image::DynamicImage;
use image::metadata::Orientation;

use self::ifd::Ifd;
use self::layout::Layout;
use super::decoded::{Decoded, Refusal};

/// Reads the first page of a TIFF of at most `max_pixels`.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Refusal> {
    let ifd = Ifd::first(bytes)?;
    let layout = Layout::read(&ifd, max_pixels)?;
    let mut image = pixels::Picture::new(&layout, &ifd)?;
    let blocks = layout.across() * layout.down();
    for (block, place) in layout.blocks().enumerate() {
        if layout.planes == 1 {
            let stored = unpack::block(&layout, &ifd, block, place.rows)?;
            image.put(place, &stored);
            continue;
        }
        // A block of each plane, and the samples of a pixel side by side.
        let planes = (0..layout.planes)
            .map(|plane| unpack::block(&layout, &ifd, plane * blocks + block, place.rows))
            .collect::<Result<Vec<_>, _>>()?;
        image.put(place, &interleave(&planes, usize::from(layout.bits / 8)));
    }
    let mut image: DynamicImage = image.into_image()?;
    let orientation = match ifd.number(274) {
        Some(value @ 1..=8) => Orientation::from_exif(value as u8),
        _ => None,
    };
    image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(Decoded {
        image,
        orientation: Orientation::NoTransforms,
        damage: None,
    })
}

fn interleave(planes: &[Cow<[u8]>], size: usize) -> Vec<u8> {
    let samples = planes.iter().map(|plane| plane.len()).min().unwrap_or(0) / size;
    let mut out = Vec::with_capacity(samples * size * planes.len());
    for i in 0..samples {
        for plane in planes {
            out.extend_from_slice(&plane[i * size..(i + 1) * size]);
        }
    }
    out
}
