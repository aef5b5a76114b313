//! Writes [Florence-2](https://arxiv.org/abs/2311.06242) answers as annotation files: COCO, YOLO, LabelMe
//! and Pascal VOC.
//!
//! An [`ImageRecord`] holds the [`Annotation`](florence_postprocess::Annotation)s of one image, made from
//! answers or by hand. COCO files are written image by image ([`CocoWriter`], [`CocoResultsWriter`]),
//! keeping only file names in memory; the other formats have a file per image ([`yolo_labels`],
//! [`labelme_document`], [`voc_document`]). [`Categories`] numbers the labels; `YoloData` (feature
//! `yaml`) continues an existing `data.yaml`.
//!
//! Files are always valid: shapes are clipped to their image, and annotations without an area there, with
//! coordinates that are not finite, or too large to rasterize are left out. [`ExportNote`]s report it and
//! [`ExportCounts`] counts. Images that are not stored upright become upright records
//! ([`ImageRecord::upright`]), as labeling tools show them. `tools/exports` of the repository reads the
//! files back with pycocotools, supervision and LabelMe's own reader.
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
//!
//! # Features
//!
//! Off by default.
//!
//! - `serde`: `Serialize` and `Deserialize` for records, documents, notes, counts and options.
//! - `yaml`: `YoloData`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod categories;
mod coco;
mod document;
mod fit;
mod image;
mod json;
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

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
