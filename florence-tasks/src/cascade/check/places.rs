//! Where the phrases of a caption should be.

use florence_postprocess::{GroundedPhrase, Region};

use super::phrases::NounPhrase;

use crate::cascade::Steps;
use crate::error::Result;
use crate::typed::PhraseGrounding;

/// The places of every phrase, the likeliest first: all of them in the light of the caption, those
/// that are passed over there each alone.
pub(super) fn places(
    steps: &mut Steps<'_>,
    caption: &str,
    phrases: &[NounPhrase],
) -> Result<Vec<Vec<Region>>> {
    let mut places = vec![Vec::new(); phrases.len()];
    let mut from = 0;
    for found in steps.ask(PhraseGrounding(caption))? {
        if let Some(start) = stands(caption, from, &found) {
            from = start + found.phrase.len();
            let has_head =
                |phrase: &NounPhrase| start < phrase.range.end && phrase.range.end <= from;
            if let Some(at) = phrases.iter().position(has_head) {
                places[at].extend(found.regions);
            }
        }
    }
    let passed_over = || (0..phrases.len()).filter(|&at| places[at].is_empty());
    let missing: Vec<usize> = passed_over().collect();
    let alone = missing
        .iter()
        .map(|&at| &caption[phrases[at].range.clone()]);
    let answers = steps.ask_all(alone.map(PhraseGrounding).collect())?;
    for (at, answer) in missing.into_iter().zip(answers) {
        places[at] = answer.into_iter().flat_map(|found| found.regions).collect();
    }
    let confidence = |region: &Region| region.confidence.unwrap_or(0.0);
    for regions in &mut places {
        regions.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
    }
    Ok(places)
}

/// Where a phrase of an answer stands in the caption: behind the one before it, as a rule.
fn stands(caption: &str, from: usize, found: &GroundedPhrase) -> Option<usize> {
    let later = caption[from..].find(&found.phrase).map(|at| from + at);
    later.or_else(|| caption.find(&found.phrase))
}
