//! Runs the vision tower on images.

use std::time::Instant;

use florence_core::candle::Tensor;
use florence_core::image::ImageNote;
use florence_core::{Florence2, ImageFeatures};
use florence_postprocess::Size;

use crate::error::Result;
use crate::output::Timings;
use crate::prepared::PreparedImage;

/// Maximum number of images whose pixels are concatenated for one run of the vision tower.
const BATCH: usize = 32;

/// An image after the vision tower, with what its answers carry.
pub(crate) struct Encoded {
    pub(crate) features: ImageFeatures,
    pub(crate) size: Size,
    pub(crate) notes: Vec<ImageNote>,
    /// The time of preparation, and that of the vision tower, which all images of a run share.
    pub(crate) timings: Timings,
}

/// Runs the vision tower on each image, as many at once as memory allows. If a joint run fails, each
/// of its images is run alone, so that one does not cost the others their results.
pub(crate) fn encode(model: &Florence2, images: &[PreparedImage]) -> Vec<Result<Encoded>> {
    let mut encoded = Vec::with_capacity(images.len());
    // Images that are not resized may differ in size.
    let of_one_size = images.chunk_by(|a, b| a.pixels.dims() == b.pixels.dims());
    for images in of_one_size.flat_map(|images| images.chunks(BATCH)) {
        match encode_together(model, images) {
            Ok(together) => encoded.extend(together.into_iter().map(Ok)),
            Err(error) if images.len() == 1 => encoded.push(Err(error)),
            Err(_) => encoded.extend(images.iter().map(|image| {
                let mut alone = encode_together(model, std::slice::from_ref(image))?;
                Ok(alone.remove(0))
            })),
        }
    }
    encoded
}

fn encode_together(model: &Florence2, images: &[PreparedImage]) -> Result<Vec<Encoded>> {
    let start = Instant::now();
    let pixels = images.iter().map(|image| &image.pixels);
    let pixels = Tensor::cat(&pixels.collect::<Vec<_>>(), 0).map_err(florence_core::Error::from)?;
    let features = ImageFeatures::split(&model.encode_pixels(&pixels)?)?;
    let vision = start.elapsed();
    let both = features.into_iter().zip(images);
    Ok(both
        .map(|(features, image)| Encoded {
            features,
            size: image.size,
            notes: image.notes.clone(),
            timings: Timings {
                preprocess: image.preprocess,
                vision,
                ..Timings::default()
            },
        })
        .collect())
}
