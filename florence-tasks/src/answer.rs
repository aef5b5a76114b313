//! Asks questions about encoded images, and makes outputs of the generations.

use std::collections::BTreeMap;
use std::sync::Arc;

use florence_core::{
    FinishReason, Florence2, Generation, GenerationConfig, ImageFeatures, TokenKind, Tokenizer,
};
use florence_postprocess::{
    Diagnostic, DiagnosticKind, Parsed, Piece, Size, Task, Token, Vocabulary, parse, phrases_not_in,
};

use crate::ask::{Ask, Question};
use crate::error::{Error, Result};
use crate::features::Encoded;
use crate::output::{Output, Timings};

/// A question with its prompt and answer form, and the image that it is about.
pub(crate) type Asked<A> = (A, Question, Arc<Encoded>);

/// Answers questions in one batch; a result for each, in order. If the batch fails, each is asked
/// alone, so that one does not cost the others their answers.
pub(crate) fn ask_each<A: Ask>(
    model: &Florence2,
    asked: Vec<Result<Asked<A>>>,
    options: &GenerationConfig,
) -> Vec<Result<Output<A::Output>>> {
    let with_ids = |asked: Result<Asked<A>>| {
        let asked = asked?;
        let ids = asked.1.prompt.to_ids(model.tokenizer(), asked.2.size)?;
        Ok((asked, ids))
    };
    let asked: Vec<Result<_>> = asked.into_iter().map(with_ids).collect();
    let valid = asked.iter().filter_map(|asked| asked.as_ref().ok());
    let valid = valid.map(|((_, _, image), ids)| (&**image, &**ids));
    let mut together = together(model, &valid.collect::<Vec<_>>(), options).into_iter();
    let answered = asked.into_iter().map(|asked| {
        let ((question, asks, image), ids) = asked?;
        let generation = match together.next().flatten() {
            Some(generation) => generation,
            None => alone(model, &image, ids, options)?,
        };
        Ok(output(
            model.tokenizer(),
            &question,
            asks,
            &image,
            generation,
        ))
    });
    answered.collect()
}

/// Answers one question.
pub(crate) fn ask<A: Ask>(
    model: &Florence2,
    asked: Asked<A>,
    options: &GenerationConfig,
) -> Result<Output<A::Output>> {
    let mut answered = ask_each(model, vec![Ok(asked)], options);
    answered.pop().unwrap_or_else(|| Err(no_answer()))
}

/// The generations of those that can be asked together: images that are not resized may differ in
/// their number of visual tokens.
fn together(
    model: &Florence2,
    asked: &[(&Encoded, &[u32])],
    options: &GenerationConfig,
) -> Vec<Option<Generation>> {
    let mut generations: Vec<_> = asked.iter().map(|_| None).collect();
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (image, _)) in asked.iter().enumerate() {
        groups
            .entry(image.features.tokens())
            .or_default()
            .push(index);
    }
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let images = group.iter().map(|index| asked[*index].0);
        let prompts: Vec<_> = group.iter().map(|index| asked[*index].1.to_vec()).collect();
        let generated = generate(model, images, &prompts, options).unwrap_or_default();
        for (index, generation) in group.into_iter().zip(generated) {
            generations[index] = Some(generation);
        }
    }
    generations
}

fn alone(
    model: &Florence2,
    image: &Encoded,
    ids: Vec<u32>,
    options: &GenerationConfig,
) -> Result<Generation> {
    let generations = generate(model, [image], &[ids], options)?;
    generations.into_iter().next().ok_or_else(no_answer)
}

fn generate<'i>(
    model: &Florence2,
    images: impl IntoIterator<Item = &'i Encoded>,
    prompts: &[Vec<u32>],
    options: &GenerationConfig,
) -> Result<Vec<Generation>> {
    let features = ImageFeatures::batch(images.into_iter().map(|image| &image.features))?;
    Ok(model.generate(&features, prompts, options)?)
}

fn output<A: Ask>(
    tokenizer: &Tokenizer,
    question: &A,
    asked: Question,
    image: &Encoded,
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
