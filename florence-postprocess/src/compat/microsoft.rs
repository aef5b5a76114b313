//! Microsoft's post-processor (`processing_florence2.py` of the published checkpoints, the version
//! with scores).
//!
//! Coordinates are `f32` bin centers widened to `f64`, never clamped or reordered. Text answers are
//! not stripped; OCR labels keep everything but `<s>`, so the first label of a decoded answer begins
//! with `</s>`.

use super::Value;
use super::coordinates::{Floats, answer, coordinates, dict};
use super::phrase::{self, Location, POLYGON_STOPS, Tail};
use super::task::{Reading, reading};
use super::{polygon, python, quad};
use crate::geometry::Size;
use crate::phrases::is_skipped_phrase;
use crate::token::Token;

/// `Florence2Processor.post_process_generation(text, task, image_size)` of Microsoft's file.
///
/// `text` is the decoded answer with its special tokens, `task` a task token such as `"<OD>"`
/// (an unknown one gives plain text), `size` the size of the original image in pixels. The
/// result is the dict `{task: …}` with coordinates in pixels of the original image. Total: any
/// text gives a result.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Size, compat::microsoft};
///
/// let answer = "</s><s>car<loc_100><loc_100><loc_199><loc_299></s>";
/// let dict = microsoft::post_process(answer, "<OD>", Size::new(1000, 1000));
/// assert_eq!(
///     dict.to_string(),
///     r#"{"<OD>":{"bboxes":[[100.5,100.5,199.5,299.5]],"labels":["car"]}}"#,
/// );
/// ```
pub fn post_process(text: &str, task: &str, size: Size) -> Value {
    read(text, task, size, None)
}

/// `post_process_generation(sequence, transition_beam_score, task, image_size)` of Microsoft's
/// file: the same from tokens, with the confidence of every box under `"scores"`.
///
/// `tokens` is the decoder sequence after its start token, each with its log-probability. Only
/// `<OD>` and `<DENSE_REGION_CAPTION>` have scores, and only where every token has a
/// log-probability and at least one box was found: `exp` of the mean log-probability of the tokens
/// that the box's characters overlap. Those are the four locations of the box as long as the
/// answer starts with exactly one `<s>` and holds nothing but labels and boxes; otherwise the
/// reference's offsets slip, and so do these. [`parse`](crate::parse()) always takes the box's own
/// four tokens.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Piece, Size, Token, compat::microsoft};
///
/// let pieces = [
///     (Piece::Control("<s>"), 0.0),
///     (Piece::Text(b"car"), -0.25),
///     (Piece::Location(1), -0.5),
///     (Piece::Location(2), -1.5),
///     (Piece::Location(3), -1.0),
///     (Piece::Location(4), -1.0),
///     (Piece::Control("</s>"), 0.0),
/// ];
/// let tokens = pieces.map(|(piece, logprob)| Token::new(piece, Some(logprob)));
/// let dict = microsoft::post_process_with_scores(&tokens, "<OD>", Size::new(640, 480));
/// assert_eq!(dict["<OD>"]["scores"][0], (-1.0f64).exp());
/// ```
pub fn post_process_with_scores(tokens: &[Token<'_>], task: &str, size: Size) -> Value {
    let mut text = String::new();
    let mut spans = Vec::with_capacity(tokens.len());
    let mut chars = 0;
    for token in tokens {
        let before = text.len();
        token.piece.write_to(&mut text);
        let end = chars + text[before..].chars().count();
        spans.push((chars, end));
        chars = end;
    }
    let logprobs: Option<Vec<f64>> = tokens
        .iter()
        .map(|token| token.logprob.map(f64::from))
        .collect();
    let scores = logprobs.map(|logprobs| Scores { spans, logprobs });
    read(&text, task, size, scores.as_ref())
}

/// The tokens' character spans in the unmodified text, and their log-probabilities.
struct Scores {
    spans: Vec<(usize, usize)>,
    logprobs: Vec<f64>,
}

impl Scores {
    /// `exp` of the mean over the tokens that overlap these characters.
    fn score(&self, start: usize, end: usize) -> f64 {
        let overlapping = self
            .spans
            .iter()
            .zip(&self.logprobs)
            .filter(|((from, to), _)| !(*to <= start || *from >= end))
            .map(|(_, logprob)| *logprob);
        let (mut sum, mut count) = (0.0, 0.0);
        for logprob in overlapping {
            sum += logprob;
            count += 1.0;
        }
        f64::exp(sum / count)
    }
}

fn read(text: &str, task: &str, size: Size, scores: Option<&Scores>) -> Value {
    let reading = reading(task);
    let bare = || {
        text.replace("<s>", "")
            .replace("</s>", "")
            .replace("<pad>", "")
    };
    let value = match reading {
        Reading::PureText => text.replace("<s>", "").replace("</s>", "").into(),
        Reading::Ocr => {
            let text = text.replace("<s>", "");
            let (mut quads, mut labels) = (Vec::new(), Vec::new());
            for quad in quad::quads(&text) {
                quads.push(coordinates::<Floats>(quad.bins, size));
                labels.push(Value::from(quad.content));
            }
            dict([("quad_boxes", quads.into()), ("labels", labels.into())])
        }
        Reading::DescriptionWithBoxes => {
            let offset = if text.starts_with("<s>") { 3 } else { 0 };
            let found = boxes(
                &bare(),
                size,
                reading,
                scores.map(|scores| (scores, offset)),
            );
            let (boxes, labels) = (found.boxes.into(), found.labels.into());
            if found.scores.is_empty() {
                dict([("bboxes", boxes), ("labels", labels)])
            } else {
                let scores = found.scores.into();
                dict([("bboxes", boxes), ("labels", labels), ("scores", scores)])
            }
        }
        Reading::Boxes | Reading::PhraseGrounding => {
            let found = boxes(&bare(), size, reading, None);
            dict([
                ("bboxes", found.boxes.into()),
                ("labels", found.labels.into()),
            ])
        }
        Reading::Polygons => {
            let (polygons, labels) = polygons(&bare(), size, false);
            dict([("polygons", polygons), ("labels", labels)])
        }
        Reading::DescriptionWithBoxesOrPolygons => {
            let mut found = Boxes::default();
            let mut regions = (Value::List(Vec::new()), Value::List(Vec::new()));
            if text.contains("<poly>") {
                regions = polygons(&bare(), size, true);
            } else {
                found = boxes(&bare(), size, reading, None);
            }
            dict([
                ("bboxes", found.boxes.into()),
                ("bboxes_labels", found.labels.into()),
                ("polygons", regions.0),
                ("polygons_labels", regions.1),
            ])
        }
    };
    answer(task, value)
}

#[derive(Default)]
struct Boxes {
    boxes: Vec<Value>,
    labels: Vec<Value>,
    scores: Vec<Value>,
}

/// `scores` comes with the number of characters that the reference assumes before the first phrase.
fn boxes(text: &str, size: Size, reading: Reading, scores: Option<(&Scores, usize)>) -> Boxes {
    let mut all = Boxes::default();
    let mut offset = scores.map_or(0, |(_, offset)| offset);
    for phrase in phrase::phrases(text, Tail::Locations, reading != Reading::Boxes) {
        let start = offset;
        offset += phrase.chars().count();
        let Some(found) = phrase::boxes(phrase) else {
            continue;
        };
        if reading == Reading::PhraseGrounding && is_skipped_phrase(found.label) {
            continue;
        }
        let label = python::ascii_only(found.label);
        for group in found.boxes {
            all.boxes.push(coordinates::<Floats>(
                group.map(|location| location.bin),
                size,
            ));
            all.labels.push(Value::from(label.clone()));
            if let Some((scores, _)) = scores {
                let [first, .., last] = group;
                let chars = |location: &Location, byte| {
                    debug_assert!(location.end <= phrase.len());
                    start + phrase[..byte].chars().count()
                };
                let score = scores.score(chars(&first, first.start), chars(&last, last.end));
                all.scores.push(Value::from(score));
            }
        }
    }
    all
}

fn polygons(text: &str, size: Size, labeled: bool) -> (Value, Value) {
    let (mut polygons, mut labels) = (Vec::new(), Vec::new());
    for phrase in phrase::phrases(text, Tail::Polygons, labeled) {
        let Some(label) = phrase::label(without_broken_location(phrase), POLYGON_STOPS) else {
            continue;
        };
        for instance in polygon::instances(phrase) {
            polygons.push(
                instance
                    .into_iter()
                    .map(|bins| coordinates::<Floats>(bins, size))
                    .collect(),
            );
            labels.push(Value::from(label));
        }
    }
    (Value::List(polygons), labels.into())
}

/// `re.sub(r"^loc_\d+>", "")`: the rest of a location token that lost its `<` to the label.
fn without_broken_location(phrase: &str) -> &str {
    let Some(digits) = phrase.strip_prefix("loc_") else {
        return phrase;
    };
    let rest = digits.trim_start_matches(|c| python::digit(c).is_some());
    match rest.strip_prefix('>') {
        Some(behind) if rest.len() < digits.len() => behind,
        _ => phrase,
    }
}
