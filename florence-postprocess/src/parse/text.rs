//! Text and markup.

use super::Log;
use super::events::frame;
use super::run::Pending;
use crate::answer::Text;
use crate::diagnostic::DiagnosticKind;
use crate::token::{Piece, Token};

/// All text tokens together; locations and markers are diagnosed.
pub(super) fn plain(tokens: &[Token<'_>], log: &mut Log) -> Text {
    frame(tokens, log);
    let mut text = Pending::default();
    let mut stray: Option<(usize, Vec<u16>)> = None;
    for (token, Token { piece, logprob }) in tokens.iter().enumerate() {
        if let Piece::Location(bin) = piece {
            stray
                .get_or_insert_with(|| (token, Vec::new()))
                .1
                .push(*bin);
            continue;
        }
        report(stray.take(), log);
        match piece {
            Piece::Text(bytes) => text.push(token, *bytes, *logprob),
            Piece::Marker(name) => {
                log.add(
                    token,
                    DiagnosticKind::UnexpectedMarker {
                        marker: (*name).to_owned(),
                    },
                );
            }
            Piece::Location(_) | Piece::Control(_) => {}
        }
    }
    report(stray, log);
    let text = finish(text, log);
    if text.text.is_empty() {
        log.add(tokens.len(), DiagnosticKind::EmptyAnswer);
    }
    text
}

fn report(stray: Option<(usize, Vec<u16>)>, log: &mut Log) {
    if let Some((token, bins)) = stray {
        log.add(token, DiagnosticKind::UnexpectedLocations { bins });
    }
}

/// Everything but the control tokens, spelled out.
pub(super) fn markup(tokens: &[Token<'_>], log: &mut Log) -> Text {
    frame(tokens, log);
    let mut text = Pending::default();
    for (token, Token { piece, logprob }) in tokens.iter().enumerate() {
        match piece {
            Piece::Text(bytes) => text.push(token, *bytes, *logprob),
            Piece::Marker(name) => text.push(token, name.as_bytes(), *logprob),
            Piece::Location(_) => text.push(token, piece.to_string().into_bytes(), *logprob),
            Piece::Control(_) => {}
        }
    }
    finish(text, log)
}

fn finish(mut text: Pending<'_>, log: &mut Log) -> Text {
    text.take(log).map_or_else(Text::default, |run| Text {
        text: run.text,
        confidence: run.confidence,
    })
}
