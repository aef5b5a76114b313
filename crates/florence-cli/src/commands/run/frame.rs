//! Exports and drawings of photos that are stored turned: what viewers and labelling tools show is
//! the upright photo, and a drawing does not carry the entry that says how to turn it.

use florence_core::image::ImageNote;
use florence_postprocess::{Orientation, Size, TextRegion};
use florence_tasks::draw::{Mark, Marks};

/// How a photo is stored whose pixels were used as they are stored; upright for all others.
pub(super) fn stored(notes: &[ImageNote]) -> Orientation {
    let turned = notes.iter().find_map(|note| match note {
        ImageNote::StoredTurned { exif_orientation } => Orientation::from_exif(*exif_orientation),
        _ => None,
    });
    turned.unwrap_or_default()
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
