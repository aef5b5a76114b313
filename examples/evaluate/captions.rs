//! Evaluates caption checks: captions with planted mistakes, and which of them are flagged.

use std::collections::BTreeMap;
use std::error::Error;

use florence_tasks::{
    CaptionAndCheck, CaptionLength, CheckCaption, CheckedPhrase, EncodedImage, Florence,
};
use image::DynamicImage;
use image::imageops::FilterType;

use crate::scenes::{Object, Scene};

const COLORS: [&str; 11] = [
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "black", "white",
];
const SHAPES: [&str; 10] = [
    "circle", "square", "triangle", "star", "diamond", "pentagon", "heart", "cross", "arrow",
    "crescent",
];
const LENGTHS: [CaptionLength; 3] = [
    CaptionLength::Sentence,
    CaptionLength::Detailed,
    CaptionLength::Paragraph,
];
/// The default threshold of the check.
const MIN_SUPPORT: f32 = 0.3;

/// Thresholds to report.
const THRESHOLDS: [f32; 7] = [0.001, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9];

/// Scales at which a photo is too coarse to recognize everything.
const COARSE: [f32; 2] = [0.12, 0.07];

/// Phrases by what is wrong with them, each with its support.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    given: BTreeMap<&'static str, Vec<f32>>,
    /// Given phrases: whether each is wrong, and the confidence of its grounded box.
    boxes: Vec<(bool, f32)>,
    own: BTreeMap<&'static str, Vec<(bool, f32)>>,
}

/// A named object of a caption.
#[derive(Debug, Clone)]
struct Named {
    size: String,
    color: String,
    shape: String,
    wrong: Option<&'static str>,
}

impl Warnings {
    /// Evaluates a scene: given captions, and the model's own.
    pub(crate) fn add(
        &mut self,
        florence: &Florence,
        scene: &Scene,
        image: &DynamicImage,
        errors: bool,
    ) -> Result<(), Box<dyn Error>> {
        let photo = florence.encode(image)?;
        if !scene.objects.is_empty() {
            self.given(&photo, scene, errors)?;
        }
        self.own("as it is", &photo, scene)?;
        for (share, name) in COARSE.into_iter().zip(["coarse", "very coarse"]) {
            let side = |side: u32| ((side as f32 * share) as u32).max(1);
            let small = image.resize_exact(
                side(image.width()),
                side(image.height()),
                FilterType::Triangle,
            );
            self.own(name, &florence.encode(&small)?, scene)?;
        }
        Ok(())
    }

    fn given(
        &mut self,
        photo: &EncodedImage,
        scene: &Scene,
        errors: bool,
    ) -> Result<(), Box<dyn Error>> {
        let mut choice = Choice(scene.seed);
        for style in 0..4 {
            for wrong in ["nothing", "thing", "color", "shape", "size", "added"] {
                let Some(named) = names(scene, wrong, style, &mut choice) else {
                    continue;
                };
                let (caption, texts) = written(&named, style, &mut choice);
                let checked = photo.cascade(CheckCaption::new(&caption))?;
                for (thing, text) in named.iter().zip(texts) {
                    let found = checked
                        .value
                        .phrases
                        .iter()
                        .find(|phrase| phrase.phrase == text);
                    let found =
                        found.ok_or_else(|| format!("{text:?} not found in {caption:?}"))?;
                    let kind = thing.wrong.unwrap_or("nothing");
                    self.given.entry(kind).or_default().push(found.support);
                    let likeliest = found.regions.first().and_then(|region| region.confidence);
                    self.boxes
                        .push((thing.wrong.is_some(), likeliest.unwrap_or(0.0)));
                    if errors && found.supported == thing.wrong.is_some() {
                        println!("{} {kind} {caption:?}\n    {found:?}", scene.file);
                    }
                }
            }
        }
        Ok(())
    }

    fn own(
        &mut self,
        name: &'static str,
        photo: &EncodedImage,
        scene: &Scene,
    ) -> Result<(), Box<dyn Error>> {
        for length in LENGTHS {
            let checked = photo.cascade(CaptionAndCheck::new(length))?;
            let phrases = checked.value.phrases.iter();
            let verdicts = phrases.map(|phrase| (is_true(phrase, scene), phrase.support));
            self.own.entry(name).or_default().extend(verdicts);
        }
        Ok(())
    }

    pub(crate) fn print(&self) {
        println!("| what is wrong | phrases | least support | {} |", heads());
        println!("| --- | --- | --- |{}", " --- |".repeat(THRESHOLDS.len()));
        for (kind, supports) in &self.given {
            let shares = THRESHOLDS.map(|threshold| share(supports, threshold));
            let least = supports.iter().copied().fold(f32::INFINITY, f32::min);
            println!(
                "| {kind} | {} | {least:.4} | {} |",
                supports.len(),
                cells(shares)
            );
        }
        let of = |wrong: bool| {
            let kinds = self.given.iter();
            let kinds = kinds.filter(|(kind, _)| (**kind != "nothing") == wrong);
            kinds
                .flat_map(|(_, supports)| supports.iter().copied())
                .collect::<Vec<_>>()
        };
        let given = [of(true), of(false)];
        println!("\n| captions | phrases, wrong | figure | {} |", heads());
        println!("| --- | --- | --- |{}", " --- |".repeat(THRESHOLDS.len()));
        figures("given", &given[0], &given[1]);
        for (name, verdicts) in &self.own {
            let of = |truth: bool| {
                let verdicts = verdicts.iter().filter(|(is_true, _)| *is_true == truth);
                verdicts.map(|(_, support)| *support).collect::<Vec<_>>()
            };
            figures(&format!("the model's, {name}"), &of(false), &of(true));
        }
        let (warned_of, wrongly, threshold) = self.best_by_box();
        println!(
            "\nBy the confidence of the box alone, at its best threshold, {threshold:.3}: \
             {warned_of} warned of, {wrongly} wrongly"
        );
    }

    /// The wrong and the right phrases that the confidence of the box would flag, at the
    /// threshold with the best F1 on these phrases.
    fn best_by_box(&self) -> (usize, usize, f32) {
        let mut boxes = self.boxes.clone();
        boxes.sort_by(|a, b| a.1.total_cmp(&b.1));
        let wrong = boxes.iter().filter(|(wrong, _)| *wrong).count();
        let (mut warned_of, mut best, mut best_f1) = (0, (0, 0, 0.0), 0.0);
        for (at, (is_wrong, confidence)) in boxes.iter().enumerate() {
            warned_of += usize::from(*is_wrong);
            let f1 = 2.0 * warned_of as f64 / (at + 1 + wrong) as f64;
            if f1 > best_f1 {
                (best, best_f1) = ((warned_of, at + 1 - warned_of, *confidence), f1);
            }
        }
        best
    }
}

fn heads() -> String {
    THRESHOLDS
        .map(|threshold| format!("{threshold}"))
        .join(" | ")
}

fn cells(values: [f64; THRESHOLDS.len()]) -> String {
    values.map(|value| format!("{value:.3}")).join(" | ")
}

/// The fraction that is flagged.
fn share(supports: &[f32], threshold: f32) -> f64 {
    warned(supports, threshold) as f64 / supports.len().max(1) as f64
}

fn warned(supports: &[f32], threshold: f32) -> usize {
    supports
        .iter()
        .filter(|&&support| support < threshold)
        .count()
}

/// Precision and recall of the warnings.
fn figures(name: &str, wrong: &[f32], right: &[f32]) {
    let counts = format!("{}, {}", wrong.len() + right.len(), wrong.len());
    let precision = THRESHOLDS.map(|threshold| {
        let warnings = warned(wrong, threshold) + warned(right, threshold);
        warned(wrong, threshold) as f64 / warnings.max(1) as f64
    });
    let recall = THRESHOLDS.map(|threshold| share(wrong, threshold));
    println!("| {name} | {counts} | precision | {} |", cells(precision));
    println!("| {name} | {counts} | recall | {} |", cells(recall));
    println!(
        "| {name} | {counts} | flagged, wrongly | at {MIN_SUPPORT}: {}, {} |",
        warned(wrong, MIN_SUPPORT),
        warned(right, MIN_SUPPORT)
    );
}

/// The objects of a caption with this mistake planted; `None` if it is not possible.
fn names(
    scene: &Scene,
    wrong: &'static str,
    style: usize,
    choice: &mut Choice,
) -> Option<Vec<Named>> {
    let named = |object: &Object| Named {
        size: object.size.clone(),
        color: object.color.clone(),
        shape: object.shape.clone(),
        wrong: None,
    };
    let mut all: Vec<Named> = scene.objects.iter().map(named).collect();
    let at = choice.below(all.len());
    let original = all[at].clone();
    let taken = |color: &str, shape: &str| {
        let mut objects = scene.objects.iter();
        objects.any(|object| object.color == color && object.shape == shape)
    };
    let mut free = |new_color: bool, new_shape: bool| loop {
        let color = if new_color {
            COLORS[choice.below(COLORS.len())]
        } else {
            &original.color
        };
        let shape = if new_shape {
            SHAPES[choice.below(SHAPES.len())]
        } else {
            &original.shape
        };
        if !taken(color, shape) {
            break Named {
                color: color.to_owned(),
                shape: shape.to_owned(),
                wrong: Some(wrong),
                ..original.clone()
            };
        }
    };
    match wrong {
        "thing" => all[at] = free(true, true),
        "color" => all[at] = free(true, false),
        "shape" => all[at] = free(false, true),
        "added" => {
            let added = free(true, true);
            let at = choice.below(all.len() + 1);
            all.insert(at, added);
        }
        "size" if style > 0 => {
            let other = if original.size == "small" {
                "large"
            } else {
                "small"
            };
            all[at].size = other.to_owned();
            all[at].wrong = Some(wrong);
        }
        "size" => return None,
        _ => {}
    }
    Some(all)
}

/// The caption, in the style of one of the three lengths or in other words, and its phrases.
fn written(named: &[Named], style: usize, choice: &mut Choice) -> (String, Vec<String>) {
    let article = |word: &str| {
        if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        }
    };
    let texts: Vec<String> = named
        .iter()
        .map(
            |Named {
                 size, color, shape, ..
             }| match style {
                0 => format!("{} {color} {shape}", article(color)),
                1 | 2 => format!("{size} {color} {shape}"),
                _ => format!("a {size} {color} {shape}"),
            },
        )
        .collect();
    let list = |texts: &[String]| match texts {
        [before @ .., last] if !before.is_empty() => {
            format!("{} and {last}", before.join(", "))
        }
        _ => texts.concat(),
    };
    let caption = match style {
        0 => list(&texts),
        1 => format!("The image shows shapes on a background: {}.", list(&texts)),
        2 => {
            let places: Vec<String> = texts
                .iter()
                .map(|text| format!("{text} upper left"))
                .collect();
            format!("From left to right: {}. There is no text.", list(&places))
        }
        _ => {
            let mut shuffled = texts.clone();
            for at in (1..shuffled.len()).rev() {
                shuffled.swap(at, choice.below(at + 1));
            }
            format!(
                "In this picture one can see {}.",
                shuffled.join(" next to ")
            )
        }
    };
    (caption, texts)
}

/// Whether a phrase is true of the scene.
fn is_true(phrase: &CheckedPhrase, scene: &Scene) -> bool {
    const NOT_CHECKED: [&str; 8] = ["a", "an", "the", "some", "two", "three", "four", "five"];
    let words = phrase.phrase.split_whitespace().map(str::to_lowercase);
    let words: Vec<String> = words
        .filter(|word| !NOT_CHECKED.contains(&word.as_str()))
        .collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["text"] => !scene.texts.is_empty(),
        ["shape" | "shapes"] => !scene.objects.is_empty(),
        _ => scene.objects.iter().any(|object| {
            let said = [&object.size, &object.color, &object.shape];
            words.iter().all(|word| said.contains(&word))
        }),
    }
}

/// Seeded random choices.
struct Choice(u64);

impl Choice {
    /// A number below `n`.
    fn below(&mut self, n: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}
