//! The drawing of an answer, upright as viewers show the photo.

use florence_core::image::to_rgb;
use florence_postprocess::{Orientation, Size};
use florence_tasks::AnyOutput;
use florence_tasks::draw::{Mark, Style, annotate, overlay, save};
use image::{DynamicImage, ImageResult, RgbImage, RgbaImage};

use std::path::Path;

use super::frame;

/// What is drawn on an image.
pub(super) struct Drawing {
    marks: Vec<Mark>,
    /// The EXIF orientation of a photo that was used as stored.
    pub(super) stored: Orientation,
    /// The size of the upright image.
    size: Size,
}

impl Drawing {
    pub(super) fn new(answer: &AnyOutput) -> Self {
        let stored = frame::stored(answer.image_notes());
        Self {
            marks: frame::upright_marks(answer, stored, answer.size()),
            stored,
            size: stored.upright_size(answer.size()),
        }
    }

    /// Whether the picture differs from the stored photo in its orientation.
    pub(super) fn is_turned(&self) -> bool {
        self.stored != Orientation::Upright
    }

    /// On a copy of the image.
    pub(super) fn annotated(&self, image: &DynamicImage) -> RgbImage {
        annotate(&self.upright(image), &self.marks, &Style::default())
    }

    /// Alone, on a transparent image.
    pub(super) fn overlay(&self) -> RgbaImage {
        overlay(&self.marks, self.size, &Style::default())
    }

    /// Writes a copy of the image with the drawing to a file of any kind.
    pub(super) fn save(&self, path: &Path, image: &DynamicImage) -> ImageResult<()> {
        save(path, &self.upright(image), &self.marks, &Style::default())
    }

    fn upright(&self, image: &DynamicImage) -> RgbImage {
        let mut upright = DynamicImage::from(to_rgb(image).into_owned());
        if let Some(orientation) = image::metadata::Orientation::from_exif(self.stored.to_exif()) {
            upright.apply_orientation(orientation);
        }
        upright.into_rgb8()
    }
}
