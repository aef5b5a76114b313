//! Runs of text tokens.

use std::borrow::Cow;

use super::Log;
use crate::confidence::confidence;
use crate::diagnostic::DiagnosticKind;

/// The text tokens of one label.
#[derive(Default)]
pub(super) struct Pending<'a> {
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    token: usize,
    bytes: Cow<'a, [u8]>,
    logprob: Option<f32>,
}

/// One label: the text of neighboring tokens.
pub(super) struct Run {
    /// Without surrounding whitespace, and not empty.
    pub(super) text: String,
    /// The index of its first token.
    pub(super) token: usize,
    /// Of its tokens, without those that were surrounding whitespace.
    pub(super) confidence: Option<f32>,
}

impl<'a> Pending<'a> {
    pub(super) fn push(
        &mut self,
        token: usize,
        bytes: impl Into<Cow<'a, [u8]>>,
        logprob: Option<f32>,
    ) {
        self.parts.push(Part {
            token,
            bytes: bytes.into(),
            logprob,
        });
    }

    /// Joins the tokens, and empties this; `None` where there is only whitespace.
    pub(super) fn take(&mut self, log: &mut Log) -> Option<Run> {
        let parts = std::mem::take(&mut self.parts);
        let is_content = |part: &Part<'_>| !part.bytes.trim_ascii().is_empty();
        let first = parts.iter().position(is_content)?;
        let last = parts.iter().rposition(is_content)?;
        let parts = &parts[first..=last];

        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|part| part.bytes.iter().copied())
            .collect();
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                log.add(
                    token_at(parts, error.utf8_error().valid_up_to()),
                    DiagnosticKind::InvalidUtf8,
                );
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        Some(Run {
            text: text.to_owned(),
            token: parts[0].token,
            confidence: confidence(parts.iter().map(|part| part.logprob)),
        })
    }
}

/// The index of the token that holds this byte.
fn token_at(parts: &[Part<'_>], byte: usize) -> usize {
    let mut end = 0;
    for part in parts {
        end += part.bytes.len();
        if byte < end {
            return part.token;
        }
    }
    parts.last().map_or(0, |part| part.token)
}
