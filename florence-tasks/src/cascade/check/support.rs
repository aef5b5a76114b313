//! How well what the model says supports a phrase.

use super::Evidence;
use super::witness::Witness;
use crate::task::Task;

/// The least support of a word: none is ruled out for good.
const FLOOR: f32 = 1e-6;

/// What it counts if nothing but other captions say so: those repeat each other's mistakes, but
/// they alone have words for many things at once ("shapes", "furniture").
const HEARSAY: f32 = 0.5;

/// The support of a phrase by the statement that supports it best, from 0 to 1; the first one
/// where several are as good, those about its region before those about the image.
pub(super) fn support<'a>(
    words: &[String],
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
        let support = weight(said.task) * agreement(words, &said.text, probabilities);
        if support > best.0 {
            best = (support, Some(said));
        }
    }
    best
}

fn weight(task: Task) -> f32 {
    match task {
        Task::Caption | Task::DetailedCaption | Task::MoreDetailedCaption => HEARSAY,
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

/// A noun without its plural ending; both numbers of a noun become the same, not always a word.
fn singular(word: &str) -> String {
    for (plural, singular) in [
        ("people", "person"),
        ("men", "man"),
        ("women", "woman"),
        ("children", "child"),
    ] {
        if word == plural {
            return singular.to_owned();
        }
    }
    let stem = word.strip_suffix('s').unwrap_or(word);
    match stem.strip_suffix("ie") {
        Some(stem) if stem.len() > 1 => format!("{stem}y"),
        _ => stem.strip_suffix('e').unwrap_or(stem).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(task: Task, text: &str) -> Evidence {
        Evidence {
            task,
            text: text.to_owned(),
        }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
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
        let image = [
            said(Task::DenseRegionCaption, "small blue stars"),
            said(Task::Caption, "shapes"),
        ];
        let support = |text| {
            let (support, by) = support(&words(text), &here, &image);
            (support, by.map(|by| by.text.as_str()))
        };
        assert_eq!(support("red circle"), (1.0, Some("a large red circle")));
        assert_eq!(support("blue star"), (1.0, Some("small blue stars")));
        assert_eq!(support("shapes"), (HEARSAY, Some("shapes")));
        let (one_wrong, _) = support("green circle");
        assert!((one_wrong - 0.5).abs() < 1e-6, "{one_wrong}");
        let (both_wrong, _) = support("green heart");
        assert!((both_wrong - 0.05).abs() < 1e-6, "{both_wrong}");
    }

    #[test]
    fn nothing_said_is_no_support() {
        assert_eq!(
            support(&words("car"), &Witness::default(), &[]),
            (0.0, None)
        );
        let unheard = [said(Task::Od, "")];
        let (support, _) = support(&words("car"), &Witness::default(), &unheard);
        assert!(support <= FLOOR * 1.001);
    }
}
