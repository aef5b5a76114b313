//! Grounding of a caption's phrases.

use florence_postprocess::{GroundedPhrase, Region};

use super::phrases::NounPhrase;

use crate::cascade::Steps;
use crate::error::Result;
use crate::typed::PhraseGrounding;

/// The regions of every phrase, the most confident first: those of grounding the whole caption;
/// phrases that this misses are grounded alone.
pub(super) fn grounded_regions(
    steps: &mut Steps<'_>,
    caption: &str,
    phrases: &[NounPhrase],
) -> Result<Vec<Vec<Region>>> {
    let mut all = vec![Vec::new(); phrases.len()];
    let mut from = 0;
    for found in steps.ask(PhraseGrounding(caption))? {
        if let Some(start) = position_in(caption, from, &found) {
            from = start + found.phrase.len();
            let has_head =
                |phrase: &NounPhrase| start < phrase.range.end && phrase.range.end <= from;
            if let Some(at) = phrases.iter().position(has_head) {
                all[at].extend(found.regions);
            }
        }
    }
    let passed_over = || (0..phrases.len()).filter(|&at| all[at].is_empty());
    let missing: Vec<usize> = passed_over().collect();
    let alone = missing
        .iter()
        .map(|&at| &caption[phrases[at].range.clone()]);
    let answers = steps.ask_all(alone.map(PhraseGrounding).collect())?;
    for (at, answer) in missing.into_iter().zip(answers) {
        all[at] = answer.into_iter().flat_map(|found| found.regions).collect();
    }
    let confidence = |region: &Region| region.confidence.unwrap_or(0.0);
    for regions in &mut all {
        regions.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
    }
    Ok(all)
}

/// The byte position in the caption of a phrase of an answer: normally after the previous one.
fn position_in(caption: &str, from: usize, found: &GroundedPhrase) -> Option<usize> {
    let later = caption[from..].find(&found.phrase).map(|at| from + at);
    later.or_else(|| caption.find(&found.phrase))
}
