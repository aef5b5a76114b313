//! Florence-2 in Rust: caption, detect, ground, segment and read text with one small vision model
//! and a typed API, on [candle](https://github.com/huggingface/candle), without Python.
//!
//! ```
//! use florence_tasks::{Florence, Od};
//!
//! # #[cfg(feature = "nano")] {
//! let florence = Florence::nano()?; // built-in demo model; for photos: Florence::from_dir("Florence-2-base-ft")?
//! let img = image::open("tests/data/scene.png")?;
//!
//! let objects = florence.run(Od, &img)?;
//! for object in &objects {
//!     println!("{:.2} {} at {:?}", object.confidence.unwrap_or_default(), object.label, object.bbox);
//! }
//! assert!(!objects.value.is_empty());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Florence`] is cheap to clone, clones share the weights, everything takes `&self`: one model serves
//! any number of threads. [`Florence::builder`] chooses the [`Device`] and the [`Precision`];
//! [`Florence::from_dir`] opens a folder, `Florence::from_hub` (feature `hub`) downloads a checkpoint by
//! name. Errors name the file, key or argument at fault; [`Error::kind`] classifies them.
//!
//! # Tasks
//!
//! Each task is a type with its own answer type:
//!
//! | type | task token | input | answer |
//! | --- | --- | --- | --- |
//! | [`Caption`], [`DetailedCaption`], [`MoreDetailedCaption`] | `<CAPTION>` … | – | [`Text`] |
//! | [`Ocr`] | `<OCR>` | – | [`Text`] |
//! | [`OcrWithRegion`] | `<OCR_WITH_REGION>` | – | `Vec<`[`TextRegion`]`>` |
//! | [`Od`] | `<OD>` | – | `Vec<`[`Detection`]`>` |
//! | [`DenseRegionCaption`] | `<DENSE_REGION_CAPTION>` | – | `Vec<`[`Detection`]`>` |
//! | [`RegionProposal`] | `<REGION_PROPOSAL>` | – | `Vec<`[`Region`]`>` |
//! | [`PhraseGrounding`] | `<CAPTION_TO_PHRASE_GROUNDING>` | a caption | `Vec<`[`GroundedPhrase`]`>` |
//! | [`ReferringSegmentation`] | `<REFERRING_EXPRESSION_SEGMENTATION>` | an expression | `Vec<`[`Instance`]`>` |
//! | [`OpenVocabularyDetection`] | `<OPEN_VOCABULARY_DETECTION>` | one or several names | [`Found`] |
//! | [`RegionToSegmentation`] | `<REGION_TO_SEGMENTATION>` | a region | `Vec<`[`Instance`]`>` |
//! | [`RegionToCategory`], [`RegionToDescription`], [`RegionToOcr`] | `<REGION_TO_CATEGORY>` … | a region | [`Text`] |
//!
//! Regions and answers are in pixels of the original image, origin at the top left. User text stays
//! text: `</s>` or `<loc_5>` in a caption are characters, not tokens.
//!
//! - [`AnyTask`] is a task or cascade by name, for programs that choose at run time
//!   ([`Florence::run_any`]); [`Task`] is the enum of the tasks alone.
//! - [`Custom`] is for fine-tunes with a task token or prompt of their own; implement [`Ask`] for
//!   questions of your own.
//!
//! # Encode once, ask many
//!
//! The vision tower is most of the work. [`Florence::encode`] runs it once; the [`EncodedImage`] is
//! cheap to clone, can be sent between threads, and has the same methods.
//!
//! ```
//! # #[cfg(feature = "nano")] {
//! use florence_tasks::{Caption, Florence, PhraseGrounding};
//!
//! let florence = Florence::nano()?;
//! let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
//!
//! let caption = photo.run(Caption)?.into_value().text;
//! for phrase in photo.run(PhraseGrounding(&caption))? {
//!     println!("{} is at {:?}", phrase.phrase, phrase.regions);
//! }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Florence::run_batch`] asks several questions in one batch, [`Florence::encode_batch`] encodes
//! several images; both give a result for each item, so that a bad image does not fail the others.
//!
//! # What comes with an answer
//!
//! [`Output`] holds the answer as `value`, and beside it the raw text, token ids, log-probabilities,
//! parse diagnostics, timings, and (feature `compat`) the dict that the Python processors would have
//! returned. Every box, quad, polygon and text has a `confidence`.
//!
//! # Cascades
//!
//! A cascade asks follow-up questions about one encoded image: [`CaptionAndGround`],
//! [`DetectAndDescribe`], [`DetectAndSegment`]. [`CheckCaption`] looks for every noun phrase of a caption
//! in the image and warns of those without support. Implement [`Cascade`] for your own.
//!
//! [`Florence::score`] gives the probability of given answers, for example to choose among labels.
//!
//! ```
//! # #[cfg(feature = "nano")] {
//! use florence_tasks::{CheckCaption, Florence};
//!
//! let img = image::open("tests/data/scene.png")?;
//! let checked = Florence::nano()?.cascade(CheckCaption::new("a brown star and a pink heart"), &img)?;
//! assert_eq!(
//!     checked.value.warnings,
//!     [r#""a pink heart" is not supported by the image: the model describes that region as "a small red square""#],
//! );
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Generation
//!
//! By default as in the reference: three beams, no repeated 3-gram, at most 1,024 new tokens.
//! [`Florence::with_generation`] changes that for a model, `run_with` for one question.
//!
//! ```
//! # #[cfg(feature = "nano")] {
//! use florence_tasks::{Caption, Florence};
//!
//! let florence = Florence::nano()?;
//! let greedy = florence.generation().clone().num_beams(1);
//! let florence = florence.with_generation(greedy);
//! let caption = florence.run(Caption, &image::open("tests/data/scene.png")?)?;
//! assert!(!caption.value.text.is_empty());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Threads and async
//!
//! On the CPU, work runs in the rayon pool of the caller: set its size with `RAYON_NUM_THREADS`, or
//! wrap a call in your own pool's `install`. Calls block until they are done. From async code, clone the
//! model into `spawn_blocking`:
//!
//! ```
//! # #[cfg(feature = "nano")] {
//! use florence_tasks::{Caption, Florence};
//!
//! async fn caption(florence: &Florence, image: image::DynamicImage) -> florence_tasks::Result<String> {
//!     let florence = florence.clone();
//!     let task = tokio::task::spawn_blocking(move || florence.run(Caption, &image));
//!     Ok(task.await.expect("the task does not panic")?.into_value().text)
//! }
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! let image = image::open("tests/data/scene.png")?;
//! assert!(!runtime.block_on(caption(&Florence::nano()?, image))?.is_empty());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One call uses all cores of its pool, so many blocking tasks at once gain nothing: put requests into a
//! queue and answer them with [`Florence::run_batch`], as the crate `florence-serve` does.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `nano`: `Florence::nano`, a demo model of 7 MB compiled into the program.
//! - `hub`: `Florence::from_hub`, downloads by name.
//! - `draw`: [`florence-draw`](https://docs.rs/florence-draw) as the module `draw`, for outputs and cascades.
//! - `serde`: `Serialize` and `Deserialize` on answers, outputs and options.
//! - `compat`: `Output::to_reference_json`, the dict of the Python processors; with `serde` also `AnswerLine` and `ErrorLine`,
//!   the lines that `florence run --json` writes.
//! - `cuda`, `cudnn`, `metal`: run on GPUs.
//! - `bmp`, `gif`, `tiff`, `webp`: image formats that [`florence_core::image`] reads beside PNG and JPEG.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
mod any;
mod ask;
mod cascade;
mod custom;
mod encoded;
mod error;
mod features;
mod florence;
#[cfg(all(feature = "compat", feature = "serde"))]
mod line;
mod load;
mod output;
mod prepared;
mod prompt;
mod request;
mod score;
mod source;
mod typed;

pub use florence_core;
#[cfg(feature = "draw")]
pub use florence_draw as draw;
pub use florence_postprocess as postprocess;
pub use image;

pub use any::{AnyOutput, AnyTask, UnknownAnyTask};
pub use ask::{Ask, Question};
pub use cascade::{
    CaptionAndCheck, CaptionAndGround, CaptionLength, Cascade, CascadeAnswer, CascadeName,
    CascadeRequest, Cascaded, CheckCaption, CheckedCaption, CheckedPhrase, Described,
    DetectAndDescribe, DetectAndSegment, Evidence, GroundedCaption, Segmented, Steps,
    UnknownCascade,
};
pub use custom::Custom;
pub use encoded::EncodedImage;
pub use error::{Error, InputProblem, Result};
pub use florence::Florence;
#[cfg(all(feature = "compat", feature = "serde"))]
pub use line::{AnswerLine, ErrorLine};
pub use load::FlorenceBuilder;
#[cfg(feature = "compat")]
pub use output::Flavor;
pub use output::{Output, Timings};
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
    Checkpoint, CheckpointBytes, CheckpointOptions, Device, EarlyStopping, ErrorKind, FinishReason,
    GenerationConfig, ImageFeatures, InputSize, LogitsProcessor, Precision,
};
pub use florence_postprocess::{
    Annotation, Answer, AnswerForm, BBox, Detection, Diagnostic, DiagnosticKind, Found,
    GroundedPhrase, InputKind, Instance, Mask, Outline, Point, Polygon, QuadBox, Region,
    RegionError, RegionProblem, Request, RequestError, Rle, Shape, Size, Task, Text, TextRegion,
    UnknownTask,
};
