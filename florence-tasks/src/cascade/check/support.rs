//! How well what the model says supports a phrase.

use super::Evidence;
use super::phrases::{NounPhrase, is_collective, singular};
use super::witness::Witness;
use florence_postprocess::Task;

/// The least support of a word: none is ruled out for good.
const FLOOR: f32 = 1e-6;

/// What it counts that only other captions say so: they repeat each other's mistakes.
const HEARSAY: f32 = 0.25;

/// The same for words that stand for many things ("three shapes", "furniture"): captions alone use
/// those, a region is never said to be one.
const COLLECTIVE_HEARSAY: f32 = 0.5;

/// The support of a phrase by the statement that supports it best, from 0 to 1; the first one
/// where several are as good, those about its region before those about the image.
pub(super) fn support<'a>(
    phrase: &NounPhrase,
    here: &'a Witness,
    image: &'a [Evidence],
) -> (f32, Option<&'a Evidence>) {
    let here = here
        .statements
        .iter()
        .map(|said| (said, here.probabilities.as_slice()));
    let anywhere = image.iter().map(|said| (said, [].as_slice()));
    let mut best = (0.0, None);
    for (said, probabilities) in here.chain(anywhere) {
        let support =
            weight(said.task, phrase) * agreement(&phrase.words, &said.text, probabilities);
        if support > best.0 {
            best = (support, Some(said));
        }
    }
    best
}

fn weight(task: Task, phrase: &NounPhrase) -> f32 {
    match task {
        Task::Caption | Task::DetailedCaption | Task::MoreDetailedCaption => {
            if is_collective(phrase) {
                COLLECTIVE_HEARSAY
            } else {
                HEARSAY
            }
        }
        _ => 1.0,
    }
}

/// The geometric mean over the words: 1 for one that the statement has, else its probability.
fn agreement(words: &[String], statement: &str, probabilities: &[f32]) -> f32 {
    let said: Vec<String> = statement
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| singular(&word.to_lowercase()))
        .collect();
    let probabilities = probabilities.iter().copied().chain(std::iter::repeat(0.0));
    let logs = words.iter().zip(probabilities).map(|(word, probability)| {
        if said.contains(&singular(word)) {
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

    fn said(task: Task, text: &str) -> Evidence {
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
        let here = Witness {
            statements: vec![said(Task::RegionToDescription, "a large red circle")],
            probabilities: vec![0.25, 0.01],
        };
        let image = [said(Task::DenseRegionCaption, "small blue stars")];
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
        let here = Witness::default();
        let image = [
            said(Task::Caption, "three shapes"),
            said(Task::DetailedCaption, "a red heart beside some furniture"),
        ];
        let support = |text| support(&phrase(text), &here, &image).0;
        assert_eq!(support("the shapes"), COLLECTIVE_HEARSAY);
        assert_eq!(support("one shape"), COLLECTIVE_HEARSAY);
        assert_eq!(support("furniture"), COLLECTIVE_HEARSAY);
        assert_eq!(support("some furniture"), COLLECTIVE_HEARSAY);
        assert_eq!(support("the furniture"), HEARSAY);
        assert_eq!(support("a shape"), HEARSAY);
        assert_eq!(support("red heart"), HEARSAY);
    }

    #[test]
    fn nothing_said_is_no_support() {
        let car = phrase("a car");
        assert_eq!(support(&car, &Witness::default(), &[]), (0.0, None));
        let unheard = [said(Task::Od, "")];
        let (support, _) = support(&car, &Witness::default(), &unheard);
        assert!(support <= FLOOR * 1.001);
    }
}
