//! Statements of the model about an image, apart from the caption.

use florence_postprocess::{Answer, BBox, Task};

use super::phrases::noun_phrases;

use super::Evidence;
use crate::cascade::Steps;
use crate::error::Result;
use crate::score::AnswerScore;
use crate::typed::{RegionToCategory, RegionToDescription};

const REGION_TASKS: [Task; 2] = [Task::RegionToDescription, Task::RegionToCategory];
const IMAGE_TASKS: [Task; 5] = [
    Task::DenseRegionCaption,
    Task::Od,
    Task::Caption,
    Task::DetailedCaption,
    Task::MoreDetailedCaption,
];

/// Statements about a region.
#[derive(Debug, Default)]
pub(super) struct RegionEvidence {
    pub(super) statements: Vec<Evidence>,
    /// For every word of the phrase that should be there, its probability in a description or a
    /// category of the region; empty without a region.
    pub(super) probabilities: Vec<f32>,
}

/// Statements about each region, and the probabilities of the words of its phrase there.
pub(super) fn of_regions(
    steps: &mut Steps<'_>,
    asked: &[(BBox, &[String])],
) -> Result<Vec<RegionEvidence>> {
    let questions = asked
        .iter()
        .flat_map(|(region, _)| REGION_TASKS.map(|task| task.with_region(*region)));
    let answers = steps.ask_all(questions.collect())?;
    asked
        .iter()
        .zip(answers.chunks_exact(REGION_TASKS.len()))
        .map(|((region, words), answers)| {
            let statements = REGION_TASKS.into_iter().zip(answers);
            let statements = statements.filter_map(|(task, answer)| {
                let text = answer.text()?.to_owned();
                (!text.is_empty()).then_some(Evidence { task, text })
            });
            Ok(RegionEvidence {
                statements: statements.collect(),
                probabilities: probabilities(steps, *region, words)?,
            })
        })
        .collect()
}

/// Statements about the whole image, by other tasks than the one that wrote the caption: labels,
/// and noun phrases of captions.
pub(super) fn of_image(steps: &mut Steps<'_>, written_as: Option<Task>) -> Result<Vec<Evidence>> {
    let tasks = IMAGE_TASKS
        .into_iter()
        .filter(|task| Some(*task) != written_as);
    let tasks: Vec<Task> = tasks.collect();
    let answers = steps.ask_all(tasks.clone())?;
    let answered = tasks.into_iter().zip(&answers);
    Ok(answered
        .flat_map(|(task, answer)| {
            texts(answer)
                .into_iter()
                .map(move |text| Evidence { task, text })
        })
        .collect())
}

fn texts(answer: &Answer) -> Vec<String> {
    match answer.text() {
        Some(text) => {
            let phrases = noun_phrases(text).into_iter();
            phrases
                .map(|phrase| text[phrase.range].to_owned())
                .collect()
        }
        None => {
            let labels = answer.detections().iter();
            labels.map(|found| found.label.clone()).collect()
        }
    }
}

/// The probability of each word as part of a description, with an article and without, or of a
/// category; the maximum of them.
fn probabilities(steps: &mut Steps<'_>, region: BBox, words: &[String]) -> Result<Vec<f32>> {
    let bare = words.join(" ");
    let article = if bare.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an "
    } else {
        "a "
    };
    let with_article = format!("{article}{bare}");
    let descriptions = [bare.as_str(), with_article.as_str()];
    let descriptions = steps.score(RegionToDescription(region), descriptions)?;
    let categories = steps.score(RegionToCategory(region), [bare.as_str()])?;
    let scores = descriptions.iter().zip([0, article.len()]);
    let scores = scores.chain(categories.iter().zip([0]));
    let by_score = scores.map(|(score, start)| word_probabilities(score, start, words));
    let least = vec![0.0; words.len()];
    Ok(by_score.fold(least, |best, new| {
        best.iter()
            .zip(new)
            .map(|(best, new)| best.max(new))
            .collect()
    }))
}

/// The probabilities of words in an answer from byte `start` on, separated by spaces.
fn word_probabilities(score: &AnswerScore, mut start: usize, words: &[String]) -> Vec<f32> {
    let mut probabilities = Vec::with_capacity(words.len());
    for word in words {
        let end = start + word.len();
        probabilities.push(score.logprob_of(start..end).exp());
        start = end + 1;
    }
    probabilities
}
