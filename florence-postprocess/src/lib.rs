#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
pub mod compat;
mod confidence;
mod diagnostic;
pub mod export;
mod form;
mod geometry;
mod noun_phrases;
mod parse;
mod phrases;
mod quantizer;
pub mod reading;
mod spelling;
mod token;
mod xml;

pub use answer::{
    Answer, Detection, Found, GroundedPhrase, Instance, Outline, Parsed, Region, Text, TextRegion,
};
pub use diagnostic::{Diagnostic, DiagnosticKind};
pub use form::{AnswerForm, UnknownForm};
pub use geometry::{
    BBox, Contour, Mask, Orientation, Point, Polygon, QuadBox, Rle, RleError, Shape, Size, nms,
    nms_by_label, outlines_iou, soft_nms,
};
pub use noun_phrases::{NounPhrase, noun_phrases};
pub use parse::{parse, parse_text, phrases_not_in};
pub use phrases::{SKIPPED_PHRASES, is_skipped_phrase};
pub use quantizer::{BINS, Quantizer};
pub use spelling::split_text;
pub use token::{Piece, Token, Vocabulary, raw_text};
