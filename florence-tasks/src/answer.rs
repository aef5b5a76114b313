//! Questions about encoded images, answered together.

use florence_core::candle::Tensor;
use florence_core::{FinishReason, Florence2, Generation, GenerationConfig, TokenKind, Tokenizer};
use florence_postprocess::{
    Diagnostic, DiagnosticKind, Parsed, Piece, Size, Task, Token, Vocabulary, parse, phrases_not_in,
};

use crate::ask::{Ask, Question};
use crate::error::{Error, Result};
use crate::features::ImageFeatures;
use crate::output::{Output, Timings};

/// A question, what it asks, and about which image.
pub(crate) type Asked<'i, A> = (A, Question, &'i ImageFeatures);

/// Asks all at once. Every answer is the one that its question gets alone.
///
/// # Errors
///
/// [`Error::InBatch`] with the position of the question whose prompt cannot be made; what
/// [`Florence2::generate`] refuses.
pub(crate) fn ask_all<A: Ask>(
    model: &Florence2,
    asked: Vec<Asked<'_, A>>,
    options: &GenerationConfig,
) -> Result<Vec<Output<A::Output>>> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let prompts = asked.iter().enumerate().map(|(index, (_, asks, image))| {
        let prompt = asks.prompt.to_ids(model.tokenizer(), image.size);
        prompt.map_err(|source| source.in_batch(index))
    });
    let prompts = prompts.collect::<Result<Vec<_>>>()?;
    let features = asked.iter().map(|(_, _, image)| &image.features);
    let features = Tensor::cat(&features.collect::<Vec<_>>(), 0)?;
    let answers = model.generate(&features, &prompts, options)?;
    let both = asked.into_iter().zip(answers);
    Ok(both
        .map(|((question, asks, image), answer)| {
            output(model.tokenizer(), &question, asks, image, answer)
        })
        .collect())
}

/// Asks one question.
///
/// # Errors
///
/// When its prompt cannot be made; what [`Florence2::generate`] refuses.
pub(crate) fn ask<A: Ask>(
    model: &Florence2,
    (question, asks, image): Asked<'_, A>,
    options: &GenerationConfig,
) -> Result<Output<A::Output>> {
    let prompt = asks.prompt.to_ids(model.tokenizer(), image.size)?;
    let mut answers = model.generate(&image.features, &[prompt], options)?;
    let answer = answers.pop().ok_or_else(no_answer)?;
    Ok(output(model.tokenizer(), &question, asks, image, answer))
}

fn output<A: Ask>(
    tokenizer: &Tokenizer,
    question: &A,
    asked: Question,
    image: &ImageFeatures,
    generation: Generation,
) -> Output<A::Output> {
    let words = Words(tokenizer);
    let ids = &generation.token_ids;
    let tokens = Token::sequence(&words, ids, Some(&generation.logprobs));
    let Parsed {
        answer,
        mut diagnostics,
        ..
    } = parse(asked.form, &tokens, image.size);
    // Published checkpoints repeat the region that they are asked about: "car<loc_52>…".
    diagnostics.retain(|odd| match &odd.kind {
        DiagnosticKind::UnexpectedLocations { bins } => !asked.prompt.asks_about(bins, image.size),
        _ => true,
    });
    diagnostics.extend(odd_question(&asked, &tokens, image.size));
    let cut_off = generation.finish == FinishReason::MaxNewTokens;
    if cut_off
        && !diagnostics
            .iter()
            .any(|odd| odd.kind == DiagnosticKind::Truncated)
    {
        // The last token was forced to be the end.
        let token = ids.len().saturating_sub(1);
        diagnostics.push(Diagnostic::new(token, DiagnosticKind::Truncated));
    }
    diagnostics.sort_by_key(|odd| odd.token);
    Output {
        value: question.read(answer),
        task: asked.marker,
        size: image.size,
        raw_text: tokenizer.decode(ids),
        score: generation.score,
        finish: generation.finish,
        diagnostics,
        image_notes: image.notes.clone(),
        timings: Timings {
            encoder: generation.encoder_time,
            decode: generation.decoder_time,
            ..image.timings
        },
        token_ids: generation.token_ids,
        logprobs: generation.logprobs,
    }
}

/// What is odd about an answer where the question is known.
fn odd_question(asked: &Question, answer: &[Token<'_>], size: Size) -> Vec<Diagnostic> {
    let mut odd = Vec::new();
    if asked.prompt.region_looks_normalised(size) {
        let kind = DiagnosticKind::RegionLooksNormalized { size };
        odd.push(Diagnostic::new(0, kind));
    }
    // Fine-tunes may write the caption themselves, then ground it.
    if asked.marker == Task::PhraseGrounding.as_str() {
        odd.extend(phrases_not_in(&asked.prompt.words(), answer));
    }
    odd
}

fn no_answer() -> Error {
    Error::Core(florence_core::Error::Argument {
        argument: "prompts",
        found: "answered by nothing".to_owned(),
        expected: "one answer for each".to_owned(),
    })
}

/// The tokenizer as the parser sees it.
struct Words<'a>(&'a Tokenizer);

impl Vocabulary for Words<'_> {
    fn piece(&self, id: u32) -> Piece<'_> {
        match self.0.token(id) {
            TokenKind::Text(bytes) => Piece::Text(bytes),
            TokenKind::Location(bin) => Piece::Location(bin),
            TokenKind::Marker(name) => Piece::Marker(name),
            TokenKind::Control(name) => Piece::Control(name),
        }
    }
}
