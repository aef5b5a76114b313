//! The lexer: tokens to labels, runs of locations, and markers.

use super::Log;
use super::run::{Pending, Run};
use crate::diagnostic::DiagnosticKind;
use crate::quantizer::BINS;
use crate::token::{Piece, Token};

/// One location token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Location {
    /// As the model gave it.
    pub(super) bin: u16,
    pub(super) token: usize,
    pub(super) logprob: Option<f32>,
}

/// The lexical elements of answers with regions.
pub(super) enum Event<'a> {
    /// A label, never empty.
    Text(Run),
    /// Locations that follow one another; at least one. Whitespace and control tokens between
    /// them do not part them, markers do.
    Locations(Vec<Location>),
    /// One of the markers that were asked for.
    Marker { name: &'a str, token: usize },
}

/// Reads tokens up to labels and runs. Markers other than `known` are diagnosed and left out, and
/// so are control tokens that do not belong to an answer.
pub(super) fn events<'a>(tokens: &[Token<'a>], known: &[&str], log: &mut Log) -> Vec<Event<'a>> {
    frame(tokens, log);
    let mut events = Vec::new();
    let mut text = Pending::default();
    let mut parted = false;
    for (token, &Token { piece, logprob }) in tokens.iter().enumerate() {
        match piece {
            Piece::Text(bytes) => text.push(token, bytes, logprob),
            Piece::Control(_) => {}
            Piece::Marker(name) if known.contains(&name) => {
                events.extend(text.take(log).map(Event::Text));
                events.push(Event::Marker { name, token });
            }
            Piece::Marker(name) => {
                log.add(
                    token,
                    DiagnosticKind::UnexpectedMarker {
                        marker: name.to_owned(),
                    },
                );
                parted = true;
            }
            Piece::Location(bin) => {
                if bin >= BINS {
                    log.add(token, DiagnosticKind::LocationOutOfRange { bin });
                }
                events.extend(text.take(log).map(Event::Text));
                let location = Location {
                    bin,
                    token,
                    logprob,
                };
                match events.last_mut() {
                    Some(Event::Locations(run)) if !parted => run.push(location),
                    _ => events.push(Event::Locations(vec![location])),
                }
                parted = false;
            }
        }
    }
    events.extend(text.take(log).map(Event::Text));
    events
}

/// Looks at the control tokens around an answer: whether it ends, and whether it ends only once.
pub(super) fn frame(tokens: &[Token<'_>], log: &mut Log) {
    let mut framed = false;
    let mut begun = false;
    let mut ended = false;
    let mut continued = false;
    for (token, Token { piece, .. }) in tokens.iter().enumerate() {
        match piece {
            Piece::Control("</s>") => {
                framed = true;
                ended = begun;
            }
            Piece::Control("<s>" | "<pad>") => framed = true,
            Piece::Control(name) => {
                log.add(
                    token,
                    DiagnosticKind::UnexpectedControl {
                        control: (*name).to_owned(),
                    },
                );
            }
            _ => {
                if ended && !continued {
                    log.add(token, DiagnosticKind::ContentAfterEnd);
                    continued = true;
                }
                begun = true;
            }
        }
    }
    let last = tokens
        .iter()
        .rev()
        .find(|token| token.piece != Piece::Control("<pad>"));
    if framed && last.is_some_and(|token| token.piece != Piece::Control("</s>")) {
        log.add(tokens.len(), DiagnosticKind::Truncated);
    }
}
