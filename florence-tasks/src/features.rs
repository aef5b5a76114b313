//! What the vision tower gives for images.

use std::time::Instant;

use florence_core::Florence2;
use florence_core::candle::Tensor;
use florence_core::image::ImageNote;
use florence_postprocess::Size;

use crate::error::Result;
use crate::output::Timings;
use crate::prepared::PreparedImage;

/// Images whose pixels are put together for one run of the vision tower.
const BATCH: usize = 32;

/// An image after the vision tower.
pub(crate) struct ImageFeatures {
    /// `(1, visual_tokens, dim)`
    pub(crate) features: Tensor,
    pub(crate) size: Size,
    pub(crate) notes: Vec<ImageNote>,
    /// The time of preparation, and that of the vision tower, which all images of a run share.
    pub(crate) timings: Timings,
}

/// Runs the vision tower on all images, as many at once as memory is meant for.
pub(crate) fn encode(model: &Florence2, images: &[PreparedImage]) -> Result<Vec<ImageFeatures>> {
    let mut encoded = Vec::with_capacity(images.len());
    for images in images.chunks(BATCH) {
        let start = Instant::now();
        let pixels = images.iter().map(|image| &image.pixels);
        let pixels = Tensor::cat(&pixels.collect::<Vec<_>>(), 0)?;
        let features = model.encode_pixels(&pixels)?;
        let vision = start.elapsed();
        for (index, image) in images.iter().enumerate() {
            encoded.push(ImageFeatures {
                // A copy: who keeps one image need not keep the others.
                features: features.narrow(0, index, 1)?.copy()?,
                size: image.size,
                notes: image.notes.clone(),
                timings: Timings {
                    preprocess: image.preprocess,
                    vision,
                    ..Timings::default()
                },
            });
        }
    }
    Ok(encoded)
}
