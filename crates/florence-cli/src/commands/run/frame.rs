//! Coordinates of photos with an EXIF orientation: viewers and annotation tools show the upright
//! photo, and a drawing has no EXIF entry.

use florence_core::image::ImageNote;
use florence_postprocess::{Orientation, Size, TextRegion};
use florence_tasks::draw::{Mark, Marks};

/// The EXIF orientation of a photo that was used as stored; upright for all others.
pub(super) fn stored(notes: &[ImageNote]) -> Orientation {
    let stored = notes.iter().find_map(|note| match note {
        ImageNote::StoredTurned { exif_orientation } => Orientation::from_exif(*exif_orientation),
        _ => None,
    });
    stored.unwrap_or_default()
}

/// Lines of text in pixels of the upright photo; `size` is that of the stored one.
pub(super) fn upright_lines(
    lines: &[TextRegion],
    stored: Orientation,
    size: Size,
) -> Vec<TextRegion> {
    let mut upright = lines.to_vec();
    for line in &mut upright {
        line.quad = stored.upright_quad(&line.quad, size);
    }
    upright
}

/// What is drawn on the stored photo, in pixels of the upright one.
pub(super) fn upright_marks(marks: &impl Marks, stored: Orientation, size: Size) -> Vec<Mark> {
    let mut upright = marks.marks();
    for mark in &mut upright {
        mark.shape = stored.upright_shape(&mark.shape, size);
    }
    upright
}
