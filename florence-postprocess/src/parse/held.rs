//! Grounded phrases against the caption of the prompt.

use super::Log;
use super::events::events;
use super::groups::groups;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::token::Token;

/// The phrases of a grounding answer that are not in the caption, as
/// [`PhraseNotInText`](DiagnosticKind::PhraseNotInText), in the order of the tokens.
///
/// Case and the amount of whitespace do not matter. [`parse`](crate::parse()) cannot report this: it
/// does not know the prompt.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Token, phrases_not_in, split_text};
///
/// let answer = "</s><s>A car<loc_1><loc_2><loc_3><loc_4>a dog<loc_5><loc_6><loc_7><loc_8></s>";
/// let tokens: Vec<Token> = split_text(answer).into_iter().map(Token::from).collect();
/// let diagnostics = phrases_not_in("a car on a road", &tokens);
/// assert_eq!(diagnostics.len(), 1);
/// assert_eq!(
///     diagnostics[0].to_string(),
///     "token 7: the phrase \"a dog\" is not in the input text",
/// );
/// ```
pub fn phrases_not_in(caption: &str, tokens: &[Token<'_>]) -> Vec<Diagnostic> {
    let caption = folded(caption);
    // Diagnostics about the tokens themselves are those of `parse`.
    let groups = groups(events(tokens, &[], &mut Log::default()));
    let labels = groups.into_iter().filter_map(|group| group.label);
    labels
        .filter(|label| !caption.contains(&folded(&label.text)))
        .map(|label| {
            let kind = DiagnosticKind::PhraseNotInText { phrase: label.text };
            Diagnostic::new(label.token, kind)
        })
        .collect()
}

/// In lower case, with single spaces.
fn folded(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}
