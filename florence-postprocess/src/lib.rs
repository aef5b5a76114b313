//! Post-processing for [Florence-2](https://arxiv.org/abs/2311.06242): prompts, and answers parsed
//! into boxes, quads, polygons and text in pixels of the image.
//!
//! Florence-2 answers with text that holds location tokens:
//! `car<loc_54><loc_375><loc_906><loc_707>`. This crate needs no network, no tokenizer and no image
//! library, and has no dependencies by default, so it works with any runtime: candle
//! (`florence-tasks`), ONNX Runtime, a server.
//!
//! ```
//! use florence_postprocess::{Size, Task, parse_text};
//!
//! let task: Task = "<OD>".parse()?;
//! assert_eq!(task.prompt_template(), "Locate the objects with category name in the image.");
//!
//! let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707>door<loc_710><loc_276><loc_908><loc_537></s>";
//! let parsed = parse_text(task.form(), answer, Size::new(640, 480));
//! let detections = parsed.answer.detections();
//! assert_eq!((detections[0].label.as_str(), detections[0].bbox.x1), ("car", 34.88));
//! assert_eq!(detections[1].label, "door");
//! assert!(parsed.diagnostics.is_empty());
//! # Ok::<(), florence_postprocess::UnknownTask>(())
//! ```
//!
//! # From tokens to answers
//!
//! - **Prompts**: [`Task`] has the fifteen tasks with their exact prompts; [`Request`] adds a text or
//!   a region. [`CoordinateQuantizer`] converts between pixels and location bins.
//! - **Tokens**: [`parse()`] takes [`Token`]s, made of token ids by [`Token::sequence`] and a
//!   [`Vocabulary`]; with the feature `tokenizer`, `BpeVocabulary` reads one from a
//!   `tokenizer.json`. [`parse_text`] takes decoded text. Prefer token ids: text cannot distinguish
//!   the token `<sep>` from the same five characters in a photo.
//! - **Answers**: [`Answer`], typed by [`AnswerForm`]: [`Detection`], [`Region`],
//!   [`GroundedPhrase`], [`TextRegion`], [`Instance`], [`Text`].
//! - **Confidences**: with log-probabilities in the tokens, every box, quad, polygon and text has a
//!   `confidence`: `exp` of the mean log-probability of its own tokens.
//!
//! Parsing never fails: any sequence of tokens gives an answer, and what does not fit the form becomes
//! a [`Diagnostic`] with the index of its token.
//!
//! ```
//! use florence_postprocess::{AnswerForm, Size, parse_text};
//!
//! let cut_off = "</s><s>car<loc_54><loc_375><loc_906><loc_707>door<loc_710><loc_276>";
//! let parsed = parse_text(AnswerForm::Boxes, cut_off, Size::new(640, 480));
//! assert_eq!(parsed.answer.detections().len(), 1);
//! let diagnostics: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
//! assert_eq!(diagnostics, [
//!     "token 8: the box of \"door\" has 2 of 4 locations: <loc_710><loc_276>",
//!     "token 10: the answer is cut off: no end token",
//! ]);
//! ```
//!
//! Rules of the parser:
//!
//! - Boxes are ordered (`x1 <= x2`, `y1 <= y2`). The bins as generated stay in `bins`, and
//!   [`InvertedCorners`](DiagnosticKind::InvertedCorners) reports the change.
//! - A label applies to every box, quad or polygon up to the next label.
//! - Whitespace around labels and texts is removed; newlines and accents inside are kept.
//! - An unpaired last coordinate of a polygon is left out of its points and kept in its `bins`.
//! - Grounded phrases that the reference post-processors drop ([`SKIPPED_PHRASES`]) are kept, with
//!   `skipped_by_reference` set.
//!
//! # Geometry
//!
//! [`BBox`], [`QuadBox`], [`Polygon`], [`Mask`] and [`Rle`], or any of them as a [`Shape`], have
//! areas, centers and IoU (of concave and self-intersecting polygons too); polygons are clipped and
//! simplified, boxes converted to crops ([`BBox::pixels`]), masks to contours with holes and back.
//! [`nms`], [`nms_by_label`] and [`soft_nms`] suppress duplicates; [`Answer::retain`] and [`Answer::nms`] filter
//! whole answers. [`Rle`] is COCO's mask: polygon
//! rasterization, compression and overlaps are those of `pycocotools`, bit for bit. [`Orientation`]
//! converts between stored and upright photos.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `serde`: `Serialize` and `Deserialize` for answers, diagnostics, shapes and annotations.
//! - `compat`: the dicts of the two reference post-processors, quirks included.
//! - `tokenizer`: `BpeVocabulary`, a [`Vocabulary`] from a `tokenizer.json`.
//!
//! # Related crates
//!
//! `florence-export` writes COCO, YOLO, LabelMe and Pascal VOC files, `florence-layout` sorts OCR
//! regions into reading order (text, Markdown, hOCR), `florence-draw` draws answers on images. They
//! need this crate only. `florence-tasks` runs the model.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
#[cfg(feature = "compat")]
pub mod compat;
mod confidence;
mod diagnostic;
mod form;
mod geometry;
mod parse;
mod phrases;
mod quantizer;
mod request;
mod special;
mod task;
mod token;
#[cfg(feature = "tokenizer")]
mod vocabulary;
pub mod xml;

pub use answer::{
    Annotation, Answer, Detection, Found, GroundedPhrase, Instance, Outline, Parsed, Region, Text,
    TextRegion,
};
pub use diagnostic::{Diagnostic, DiagnosticKind};
pub use form::{AnswerForm, UnknownForm};
pub use geometry::{
    BBox, Contour, Mask, Orientation, Point, Polygon, QuadBox, Rle, RleError, Shape, Size,
    UnknownOrientation, decimal, nms, nms_by_label, outlines_area, outlines_iou, soft_nms,
};
pub use parse::{parse, parse_text, phrases_not_in};
pub use phrases::{SKIPPED_PHRASES, is_skipped_phrase};
pub use quantizer::{BINS, CoordinateQuantizer, RegionError, RegionProblem};
pub use request::{Input, Request, RequestError};
pub use special::split_text;
pub use task::{InputKind, Task, UnknownTask};
pub use token::{Piece, Token, Vocabulary, raw_text};
#[cfg(feature = "tokenizer")]
pub use vocabulary::{BpeVocabulary, VocabularyError};

/// The examples of the README, as tests.
#[cfg(all(doctest, feature = "compat"))]
#[doc = include_str!("../README.md")]
struct Readme;
