//! Log-probabilities of given answers.

use std::ops::Range;

use florence_core::{TokenKind, Tokenizer};

use crate::ask::Ask;
use crate::encoded::EncodedImage;
use crate::error::Result;
use crate::florence::Florence;
use crate::prompt::Prompt;
use crate::source::ImageSource;

/// The log-probability of a given answer, token by token.
///
/// # Example: classification
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToCategory};
///
/// let florence = Florence::nano()?;
/// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
/// let star = RegionToCategory(BBox::new(148.0, 178.0, 261.0, 288.0));
/// let labels = ["circle", "star", "heart"];
/// let scores = photo.score(star, labels)?;
/// let best = (0..labels.len()).max_by(|&a, &b| scores[a].logprob().total_cmp(&scores[b].logprob()));
/// assert_eq!(labels[best.unwrap()], "star");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AnswerScore {
    /// The whole decoder sequence, as in [`Output`](crate::Output): from its start token to the
    /// closing `</s>`.
    pub token_ids: Vec<u32>,
    /// The log-probability of every token after the start token, by the network itself: no rule of
    /// a generation changes them.
    pub logprobs: Vec<f32>,
    /// For every token after the start token, its byte range in the answer's text; empty for
    /// special tokens.
    pub ranges: Vec<Range<usize>>,
}

impl AnswerScore {
    /// The log-probability of the whole answer, including its end token.
    ///
    /// # Example
    ///
    /// See [`AnswerScore`].
    pub fn logprob(&self) -> f32 {
        self.logprobs.iter().sum()
    }

    /// The log-probability of a part of the answer's text, given the text before it: the sum over
    /// the tokens that overlap these bytes.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{BBox, Florence, RegionToDescription};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let star = RegionToDescription(BBox::new(148.0, 178.0, 261.0, 288.0));
    /// let [brown, green] = photo
    ///     .score(star, ["a large brown star", "a large green star"])?
    ///     .try_into()
    ///     .unwrap();
    /// assert!(brown.logprob_of(8..13) > green.logprob_of(8..13) + 3.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn logprob_of(&self, bytes: Range<usize>) -> f32 {
        let touched = self.ranges.iter().zip(&self.logprobs);
        touched
            .filter(|(range, _)| range.start < bytes.end && bytes.start < range.end)
            .map(|(_, logprob)| logprob)
            .sum()
    }
}

impl Florence {
    /// The log-probabilities of given answers to a question, without generation: to choose among
    /// labels, or to rate an answer from elsewhere.
    ///
    /// An answer is text, or a [`Prompt`] where it has regions or special tokens.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`], and for answers that are too long or have regions outside the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let caption = florence.run(Caption, &img)?;
    /// let scores = florence.score(Caption, &img, [caption.value.text.as_str(), "a pink heart"])?;
    /// assert!(scores[0].logprob() > scores[1].logprob());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn score<A: Ask, I: ImageSource + ?Sized>(
        &self,
        question: A,
        image: &I,
        answers: impl IntoIterator<Item = impl Into<Prompt>>,
    ) -> Result<Vec<AnswerScore>> {
        // Refused before the vision tower runs, if possible.
        question.question()?;
        self.encode(image)?.score(question, answers)
    }
}

impl EncodedImage {
    /// The log-probabilities of given answers to a question.
    ///
    /// # Errors
    ///
    /// As [`Florence::score`].
    ///
    /// # Example
    ///
    /// See [`AnswerScore`].
    pub fn score<A: Ask>(
        &self,
        question: A,
        answers: impl IntoIterator<Item = impl Into<Prompt>>,
    ) -> Result<Vec<AnswerScore>> {
        let asked = question.question()?;
        let tokenizer = self.model().tokenizer();
        let prompt = asked.prompt.to_ids(tokenizer, self.size())?;
        let start = self.generation().get_decoder_start_token_id();
        let answers = answers.into_iter().map(|answer| {
            let ids = answer.into().to_ids(tokenizer, self.size())?;
            Ok([vec![start], ids].concat())
        });
        let answers = answers.collect::<Result<Vec<_>>>()?;
        if answers.is_empty() {
            return Ok(Vec::new());
        }
        let logprobs = self
            .model()
            .score(self.features().tensor(), &[prompt], &answers)?;
        let both = answers.into_iter().zip(logprobs);
        Ok(both
            .map(|(token_ids, logprobs)| AnswerScore {
                ranges: ranges(tokenizer, &token_ids[1..]),
                token_ids,
                logprobs,
            })
            .collect())
    }
}

/// The byte range of each token.
fn ranges(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<Range<usize>> {
    let mut end = 0;
    let ranges = ids.iter().map(|&id| {
        let start = end;
        if let TokenKind::Text(bytes) = tokenizer.token(id) {
            end += bytes.len();
        }
        start..end
    });
    ranges.collect()
}
