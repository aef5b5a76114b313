#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
mod ask;
mod cascade;
mod custom;
mod encoded;
mod error;
mod features;
mod florence;
mod load;
mod output;
mod prepared;
mod prompt;
mod request;
mod score;
mod source;
mod typed;

pub use florence_core as core;
#[cfg(feature = "draw")]
pub use florence_draw as draw;
pub use florence_postprocess as postprocess;

pub use ask::{Ask, Question};
pub use cascade::{
    CaptionAndCheck, CaptionAndGround, CaptionLength, Cascade, CascadeAnswer, CascadeName,
    CascadeRequest, Cascaded, CheckCaption, CheckedCaption, CheckedPhrase, Described,
    DetectAndDescribe, DetectAndSegment, Evidence, GroundedCaption, MIN_SUPPORT, Segmented, Steps,
};
pub use custom::Custom;
pub use encoded::EncodedImage;
pub use error::{Error, Result};
pub use florence::Florence;
pub use load::FlorenceBuilder;
pub use output::{Flavor, Output, Timings};
pub use prepared::PreparedImage;
pub use prompt::Prompt;
pub use score::AnswerScore;
pub use source::ImageSource;
pub use typed::{
    Caption, DenseRegionCaption, DetailedCaption, MoreDetailedCaption, Ocr, OcrWithRegion, Od,
    OpenVocabularyDetection, PhraseGrounding, Phrases, ReferringSegmentation, RegionProposal,
    RegionToCategory, RegionToDescription, RegionToOcr, RegionToSegmentation,
};

#[cfg(feature = "hub")]
pub use florence_core::hub::{DownloadProgress, HubError, HubOptions};
pub use florence_core::{
    Checkpoint, CheckpointBytes, Device, EarlyStopping, ErrorKind, FinishReason, GenerationConfig,
    Precision,
};
pub use florence_postprocess::{
    Answer, AnswerForm, BBox, Detection, Diagnostic, DiagnosticKind, Found, GroundedPhrase,
    InputKind, Instance, Mask, Outline, Point, Polygon, QuadBox, Region, RegionError,
    RegionProblem, Request, RequestError, Rle, Shape, Size, Task, Text, TextRegion, UnknownTask,
};
