//! The fifteen tasks as types with typed answers.

mod regions;
mod texts;
mod things;

pub use regions::{RegionToCategory, RegionToDescription, RegionToOcr, RegionToSegmentation};
pub use texts::{Caption, DetailedCaption, MoreDetailedCaption, Ocr, OcrWithRegion};
pub use things::{
    DenseRegionCaption, Od, OpenVocabularyDetection, PhraseGrounding, Phrases,
    ReferringSegmentation, RegionProposal,
};

/// Implements [`Ask`](crate::Ask) by a request and one variant of the answer.
macro_rules! ask {
    ($type:ty => $output:ty, |$self:ident| $request:expr, $variant:ident) => {
        impl crate::ask::Ask for $type {
            type Output = $output;

            fn question(&self) -> crate::error::Result<crate::ask::Question> {
                let $self = self;
                crate::ask::Ask::question(&$request)
            }

            fn read(&self, answer: florence_postprocess::Answer) -> $output {
                match answer {
                    florence_postprocess::Answer::$variant(value) => value,
                    // Answers have the form that the question asked for.
                    _ => Default::default(),
                }
            }
        }
    };
}

pub(crate) use ask;
