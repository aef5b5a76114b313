//! COCO result files.

use std::io::{self, Write};

use crate::coco::{compressed, xywh};
use crate::fit::{fit_all, keep_numbered, settled};
use crate::json::object;
use crate::{Categories, ExportCounts, ExportNote, ExportNoteKind, ImageRecord};
use florence_postprocess::decimal;

/// The kind of a COCO result file.
///
/// # Example
///
/// ```
/// use florence_export::CocoResultKind;
///
/// assert_ne!(CocoResultKind::Boxes, CocoResultKind::Masks);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CocoResultKind {
    /// Results with `bbox`, for the evaluation of boxes.
    #[default]
    Boxes,
    /// Results with `segmentation` as compressed run lengths, for the evaluation of masks.
    Masks,
}

/// Writes a COCO result file for `COCO.loadRes` and `COCOeval` of `pycocotools`, a line for each
/// annotation.
///
/// Image and category ids have to be those of that file: ids of images are given with each image,
/// category ids are one more than the numbers of [`Categories`]. An unknown score is 1.
///
/// # Example
///
/// ```
/// use florence_export::{Categories, CocoResultKind, CocoResultsWriter, ImageRecord};
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// let car = Annotation::new("car", BBox::new(34.5, 160.0, 36.5, 162.0));
/// image.annotations.push(car.with_score(0.9));
/// let known = Categories::closed(["person", "bicycle", "car"]);
/// let mut writer = CocoResultsWriter::new(Vec::new(), CocoResultKind::Boxes, known)?;
/// writer.write_image(139, &image)?;
/// let json = String::from_utf8(writer.finish()?).unwrap();
/// assert_eq!(json, r#"[
/// {"image_id":139,"category_id":3,"bbox":[34.5,160.0,2.0,2.0],"score":0.9}
/// ]
/// "#);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct CocoResultsWriter<W: Write> {
    out: W,
    kind: CocoResultKind,
    categories: Categories,
    /// Whether no result is written yet.
    is_empty: bool,
    counts: ExportCounts,
}

impl<W: Write> CocoResultsWriter<W> {
    /// A list with these categories.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{Categories, CocoResultKind, CocoResultsWriter};
    ///
    /// let categories = Categories::closed(["car"]);
    /// let writer = CocoResultsWriter::new(Vec::new(), CocoResultKind::Masks, categories)?;
    /// assert_eq!(writer.counts().annotations, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(mut out: W, kind: CocoResultKind, categories: Categories) -> io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self {
            out,
            kind,
            categories,
            is_empty: true,
            counts: ExportCounts::default(),
        })
    }

    /// Adds the annotations of an image.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Size;
    /// use florence_export::{
    ///     Categories, CocoResultKind, CocoResultsWriter, ImageRecord,
    /// };
    ///
    /// let open = Categories::open();
    /// let mut writer = CocoResultsWriter::new(Vec::new(), CocoResultKind::Boxes, open)?;
    /// let notes = writer.write_image(1, &ImageRecord::new("empty.jpg", Size::new(640, 480)))?;
    /// assert!(notes.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_image(
        &mut self,
        image_id: u64,
        image: &ImageRecord,
    ) -> io::Result<Vec<ExportNote>> {
        let (fitted, mut notes) = fit_all(image);
        let number = |label: &str| self.categories.number(label);
        let kept = keep_numbered(image, fitted, &mut notes, number);
        for (category, found) in &kept {
            let (image_id, category_id) = (image_id.into(), (category + 1).into());
            let mut result = object([("image_id", image_id), ("category_id", category_id)]);
            match self.kind {
                CocoResultKind::Boxes => result.push("bbox", xywh(found)),
                CocoResultKind::Masks => match found.shape.rle(image.size) {
                    Ok(rle) if rle.area() > 0 => result.push("segmentation", compressed(&rle)),
                    other => {
                        let kind = other.err().unwrap_or(ExportNoteKind::NoArea);
                        notes.push(ExportNote::new(image, found.index, kind));
                        continue;
                    }
                },
            }
            result.push("score", found.score.map_or(1.0, decimal));
            let start = if self.is_empty { "\n" } else { ",\n" };
            self.is_empty = false;
            write!(self.out, "{start}{result}")?;
        }
        let notes = settled(notes);
        self.counts.add(&image.annotations, &notes);
        Ok(notes)
    }

    /// How much was written and left out so far.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{Categories, CocoResultKind, CocoResultsWriter};
    ///
    /// let open = Categories::open();
    /// let writer = CocoResultsWriter::new(Vec::new(), CocoResultKind::Boxes, open)?;
    /// assert_eq!(writer.counts().images, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn counts(&self) -> ExportCounts {
        self.counts
    }

    /// Completes the list, which is not JSON before.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{Categories, CocoResultKind, CocoResultsWriter};
    ///
    /// let open = Categories::open();
    /// let writer = CocoResultsWriter::new(Vec::new(), CocoResultKind::Boxes, open)?;
    /// assert_eq!(writer.finish()?, b"[\n]\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}
