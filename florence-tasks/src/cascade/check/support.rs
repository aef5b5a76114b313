//! The support of a phrase by the model's statements.

use super::Evidence;
use super::evidence::RegionEvidence;
use super::phrases::{NounPhrase, is_collective, singular};
use florence_postprocess::Task;

/// Minimum support of a word: none is ruled out.
const FLOOR: f32 = 1e-6;

/// Weight of statements of other captions only: captions repeat each other's mistakes.
const CAPTION_WEIGHT: f32 = 0.25;

/// The same for words for many things ("three shapes", "furniture"): only captions use those, no
/// region is described as one.
const COLLECTIVE_CAPTION_WEIGHT: f32 = 0.5;

/// The support of a phrase by the statement that supports it best, from 0 to 1; on ties the first
/// one, those about its region before those about the image.
pub(super) fn support<'a>(
    phrase: &NounPhrase,
    here: &'a RegionEvidence,
    image: &'a [Evidence],
) -> (f32, Option<&'a Evidence>) {
    let here = here
        .statements
        .iter()
        .map(|statement| (statement, here.probabilities.as_slice()));
    let anywhere = image.iter().map(|statement| (statement, [].as_slice()));
    let mut best = (0.0, None);
    for (statement, probabilities) in here.chain(anywhere) {
        let support = weight(statement.task, phrase)
            * agreement(&phrase.words, &statement.text, probabilities);
        if support > best.0 {
            best = (support, Some(statement));
        }
    }
    best
}

fn weight(task: Task, phrase: &NounPhrase) -> f32 {
    match task {
        Task::Caption | Task::DetailedCaption | Task::MoreDetailedCaption => {
            if is_collective(phrase) {
                COLLECTIVE_CAPTION_WEIGHT
            } else {
                CAPTION_WEIGHT
            }
        }
        _ => 1.0,
    }
}

/// The geometric mean over the words: 1 for one that the statement contains, else its probability.
fn agreement(words: &[String], statement: &str, probabilities: &[f32]) -> f32 {
    let stated: Vec<String> = statement
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| singular(&word.to_lowercase()))
        .collect();
    let probabilities = probabilities.iter().copied().chain(std::iter::repeat(0.0));
    let logs = words.iter().zip(probabilities).map(|(word, probability)| {
        if stated.contains(&singular(word)) {
            0.0
        } else {
            probability.clamp(FLOOR, 1.0).ln()
        }
    });
    (logs.sum::<f32>() / words.len().max(1) as f32).exp()
}

#[cfg(test)]
mod tests {
    use super::super::phrases::noun_phrases;
    use super::*;

    fn evidence(task: Task, text: &str) -> Evidence {
        Evidence {
            task,
            text: text.to_owned(),
        }
    }

    fn phrase(text: &str) -> NounPhrase {
        noun_phrases(text).remove(0)
    }

    #[test]
    fn both_numbers_of_a_noun_are_one() {
        for (one, many) in [
            ("star", "stars"),
            ("box", "boxes"),
            ("horse", "horses"),
            ("dish", "dishes"),
            ("lady", "ladies"),
            ("tie", "ties"),
            ("cross", "crosses"),
            ("person", "people"),
        ] {
            assert_eq!(singular(one), singular(many), "{one}");
        }
        assert_ne!(singular("car"), singular("cat"));
    }

    #[test]
    fn the_best_statement_counts_and_probability_fills_in() {
        let here = RegionEvidence {
            statements: vec![evidence(Task::RegionToDescription, "a large red circle")],
            probabilities: vec![0.25, 0.01],
        };
        let image = [evidence(Task::DenseRegionCaption, "small blue stars")];
        let support = |text| {
            let (support, by) = support(&phrase(text), &here, &image);
            (support, by.map(|by| by.text.as_str()))
        };
        assert_eq!(support("a red circle"), (1.0, Some("a large red circle")));
        assert_eq!(support("a blue star"), (1.0, Some("small blue stars")));
        let (one_wrong, _) = support("a green circle");
        assert!((one_wrong - 0.5).abs() < 1e-6, "{one_wrong}");
        let (both_wrong, _) = support("a green heart");
        assert!((both_wrong - 0.05).abs() < 1e-6, "{both_wrong}");
    }

    #[test]
    fn captions_count_less_but_for_words_for_many_things() {
        let here = RegionEvidence::default();
        let image = [
            evidence(Task::Caption, "three shapes"),
            evidence(Task::DetailedCaption, "a red heart beside some furniture"),
        ];
        let support = |text| support(&phrase(text), &here, &image).0;
        assert_eq!(support("the shapes"), COLLECTIVE_CAPTION_WEIGHT);
        assert_eq!(support("one shape"), COLLECTIVE_CAPTION_WEIGHT);
        assert_eq!(support("furniture"), COLLECTIVE_CAPTION_WEIGHT);
        assert_eq!(support("some furniture"), COLLECTIVE_CAPTION_WEIGHT);
        assert_eq!(support("the furniture"), CAPTION_WEIGHT);
        assert_eq!(support("a shape"), CAPTION_WEIGHT);
        assert_eq!(support("red heart"), CAPTION_WEIGHT);
    }

    #[test]
    fn no_statement_is_no_support() {
        let car = phrase("a car");
        assert_eq!(support(&car, &RegionEvidence::default(), &[]), (0.0, None));
        let empty = [evidence(Task::Od, "")];
        let (support, _) = support(&car, &RegionEvidence::default(), &empty);
        assert!(support <= FLOOR * 1.001);
    }
}
