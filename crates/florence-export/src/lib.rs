//! Answers as the annotation files of other tools: COCO, YOLO, LabelMe and Pascal VOC.
//!
//! An [`ImageRecord`] holds what was found in one image, as [`Annotation`]s made from answers or by
//! hand. COCO files are written image by image ([`CocoWriter`], [`CocoResultsWriter`]), so that a
//! hundred thousand images need no more memory than their names; the other formats have a file for
//! each image ([`yolo_labels`], [`labelme_document`], [`voc_document`]).
//!
//! An existing `data.yaml` is continued with `YoloData` (feature `yaml`), so that class numbers keep
//! their meaning. Files that are not stored upright become upright records ([`ImageRecord::upright`]),
//! which is how labelling tools show them. What is written is read back with pycocotools, supervision
//! and LabelMe's own reader in `tools/exports` of the repository.
//!
//! Files are always valid. Shapes are cut off at the edges of their image, and what has no area
//! there, or coordinates that are not numbers, is left out, and so is what would take gigabytes to
//! draw; [`ExportNote`]s say so and [`ExportCounts`] counts. Labels may hold anything.
//!
//! # Example
//!
//! ```
//! use florence_export::{CocoSegmentation, CocoWriter, ImageRecord};
//! use florence_postprocess::{AnswerForm, Size, parse_text};
//!
//! let size = Size::new(1000, 1000);
//! let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707>door<loc_7><loc_7><loc_7><loc_9></s>";
//! let parsed = parse_text(AnswerForm::Boxes, answer, size);
//!
//! let mut image = ImageRecord::new("street.jpg", size);
//! image.extend_from_answer(&parsed.answer);
//!
//! let mut writer = CocoWriter::new(Vec::new(), CocoSegmentation::Polygons)?;
//! let notes = writer.write_image(&image)?;
//! assert_eq!(
//!     notes[0].to_string(),
//!     r#"street.jpg, annotation 1 ("door"): left out: it has no area"#,
//! );
//! assert_eq!(writer.counts().annotations, 1);
//! let json = writer.finish()?;
//! assert!(json.starts_with(br#"{"annotations":["#));
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]

mod categories;
mod coco;
mod document;
mod fit;
mod image;
mod labelme;
mod note;
mod results;
mod voc;
mod yaml;
mod yolo;
#[cfg(feature = "yaml")]
mod yolo_data;

pub use categories::Categories;
pub use coco::{CocoSegmentation, CocoWriter};
pub use document::Document;
pub use image::ImageRecord;
pub use labelme::labelme_document;
pub use note::{ExportCounts, ExportNote, ExportNoteKind};
pub use results::{CocoResultKind, CocoResultsWriter};
pub use voc::voc_document;
pub use yolo::{YoloTask, yolo_data, yolo_labels};
#[cfg(feature = "yaml")]
pub use yolo_data::{YoloData, YoloDataError};
