//! The parser: total, with diagnostics.

mod boxes;
mod events;
mod groups;
mod held;
mod polygons;
mod run;
mod text;

use crate::answer::{Answer, Parsed};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::form::AnswerForm;
use crate::geometry::Size;
use crate::quantizer::CoordinateQuantizer;
use crate::special::split_text;
use crate::token::Token;

pub use held::phrases_not_in;

/// Parses a sequence of tokens as an answer of the given form.
///
/// `tokens` is the decoder sequence, with or without its start token, control tokens and padding;
/// `size` is the size of the original image in pixels, and all geometry is in its pixels. Never
/// fails: whatever does not fit the form is in [`Parsed::diagnostics`].
///
/// Unlike the reference post-processors it keeps: text before a newline, boxes whose label holds a
/// newline, non-ASCII labels, boxes beside polygons, polygons that the token limit cut off, and
/// the names of phrases with fewer than four locations.
///
/// # Example: confidences
///
/// ```
/// use florence_postprocess::{AnswerForm, Piece, Size, Token, parse};
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
/// let parsed = parse(AnswerForm::Boxes, &tokens, Size::new(640, 480));
/// let car = &parsed.answer.detections()[0];
/// assert_eq!(car.confidence, Some((-1.0f64).exp() as f32));
/// assert_eq!(car.label_confidence, Some((-0.25f64).exp() as f32));
/// ```
pub fn parse(form: AnswerForm, tokens: &[Token<'_>], size: Size) -> Parsed {
    let mut log = Log::default();
    let quantizer = CoordinateQuantizer::new(size);
    let answer = match form {
        AnswerForm::Text => Answer::Text(text::plain(tokens, &mut log)),
        AnswerForm::Markup => Answer::Markup(text::markup(tokens, &mut log)),
        AnswerForm::Boxes => Answer::Boxes(boxes::detections(tokens, &quantizer, &mut log)),
        AnswerForm::Proposals => Answer::Proposals(boxes::proposals(tokens, &quantizer, &mut log)),
        AnswerForm::Phrases => Answer::Phrases(boxes::phrases(tokens, &quantizer, &mut log)),
        AnswerForm::Quads => Answer::Quads(boxes::quads(tokens, &quantizer, &mut log)),
        AnswerForm::Polygons => Answer::Polygons(polygons::instances(tokens, &quantizer, &mut log)),
        AnswerForm::BoxesOrPolygons => {
            Answer::BoxesOrPolygons(polygons::found(tokens, &quantizer, &mut log))
        }
    };
    Parsed {
        answer,
        diagnostics: log.into_diagnostics(),
    }
}

/// Parses decoded text, with its special tokens spelled out, as an answer of the given form.
///
/// The text is split by [`split_text`] first; token indices in diagnostics count its pieces. There
/// are no confidences. Prefer token ids and [`parse`]: text cannot distinguish the token `<sep>` from
/// the same five characters.
///
/// # Example: an answer cut off by the token limit
///
/// ```
/// use florence_postprocess::{AnswerForm, DiagnosticKind, Size, parse_text};
///
/// let cut = "</s><s>arms<poly><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9><loc_0>";
/// let parsed = parse_text(AnswerForm::BoxesOrPolygons, cut, Size::new(640, 480));
/// assert_eq!(parsed.answer.instances()[0].outlines[0].polygon.points.len(), 3);
/// let kinds: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| &diagnostic.kind).collect();
/// assert_eq!(kinds, [
///     &DiagnosticKind::UnclosedPolygon,
///     &DiagnosticKind::OddCoordinate { bin: 0 },
///     &DiagnosticKind::Truncated,
/// ]);
/// ```
pub fn parse_text(form: AnswerForm, text: &str, size: Size) -> Parsed {
    let tokens: Vec<Token<'_>> = split_text(text).into_iter().map(Token::from).collect();
    parse(form, &tokens, size)
}

/// Collects diagnostics.
#[derive(Default)]
struct Log(Vec<Diagnostic>);

impl Log {
    fn add(&mut self, token: usize, kind: DiagnosticKind) {
        self.0.push(Diagnostic::new(token, kind));
    }

    fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.0.sort_by_key(|diagnostic| diagnostic.token);
        self.0
    }
}
