#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
pub mod compat;
mod confidence;
mod diagnostic;
mod form;
mod geometry;
mod parse;
mod phrases;
mod quantizer;
mod spelling;
mod token;
pub mod xml;

pub use answer::{
    Annotation, Answer, Detection, Found, GroundedPhrase, Instance, Outline, Parsed, Region, Text,
    TextRegion,
};
pub use diagnostic::{Diagnostic, DiagnosticKind};
pub use form::{AnswerForm, UnknownForm};
pub use geometry::{
    BBox, Contour, Mask, Orientation, Point, Polygon, QuadBox, Rle, RleError, Shape, Size, decimal,
    nms, nms_by_label, outlines_area, outlines_iou, soft_nms,
};
pub use parse::{parse, parse_text, phrases_not_in};
pub use phrases::{SKIPPED_PHRASES, is_skipped_phrase};
pub use quantizer::{BINS, Quantizer};
pub use spelling::split_text;
pub use token::{Piece, Token, Vocabulary, raw_text};
