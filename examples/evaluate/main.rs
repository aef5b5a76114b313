//! The table of a model on the held-out scenes, computed as it is used: three
//! beams, typed answers.
//!
//! ```sh
//! cargo run --release -p florence-examples --example evaluate
//! cargo run --release -p florence-examples --example evaluate -- --compare   # f32 beside q8_0
//! cargo run --release -p florence-examples --example evaluate -- --captions  # warnings of wrong captions
//! ```

mod agreement;
mod captions;
mod metrics;
mod scenes;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use florence_tasks::{
    Answer, BBox, EncodedImage, Florence, Output, Precision, Request, Size, Task,
};

use agreement::Agreement;
use captions::Warnings;
use metrics::{Labelled, Meter, caption_facts, edits, mask_iou, matched};
use scenes::{Question, Scene, Set};

const THRESHOLDS: [f32; 2] = [0.5, 0.75];

#[derive(Debug, Parser)]
struct Args {
    /// The model: `nano` or the folder of a checkpoint of the same world.
    #[arg(long, default_value = "nano")]
    model: String,
    /// How its weights are kept and multiplied: f32 or q8_0.
    #[arg(long, default_value_t)]
    precision: Precision,
    /// The tables of f32 beside q8_0, and of how far they say the same.
    #[arg(long, conflicts_with = "precision")]
    compare: bool,
    /// The warnings about captions with wrong things in them.
    #[arg(long, conflicts_with = "compare")]
    captions: bool,
    /// The folder of the evaluation set.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/florence-nano/eval"))]
    set: PathBuf,
    /// Look at every n-th scene only.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Print wrong answers.
    #[arg(long)]
    errors: bool,
}

/// A question about a scene.
struct Case<'a> {
    scene: &'a Scene,
    question: &'a Question,
    request: Request,
    size: Size,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let set = Set::read(&args.set)?;
    let start = Instant::now();
    if args.captions {
        check_captions(&args, &set)?;
    } else if args.compare {
        compare(&args, &set)?;
    } else {
        evaluate(&args, &set)?;
    }
    eprintln!("{:.0?}", start.elapsed());
    Ok(())
}

fn load(args: &Args, precision: Precision) -> florence_tasks::Result<Florence> {
    let builder = Florence::builder().precision(precision);
    if args.model == "nano" {
        builder.nano()
    } else {
        builder.from_dir(&args.model)
    }
}

fn evaluate(args: &Args, set: &Set) -> Result<(), Box<dyn Error>> {
    let mut meter = Meter::default();
    let models = [load(args, args.precision)?];
    ask_all(args, set, &models, |case, _, [output]| {
        let right = measure(&mut meter, case, &output.value);
        if args.errors && !right {
            let Question {
                task, text, answer, ..
            } = case.question;
            let file = &case.scene.file;
            println!("{file} {task} {text:?} {answer}\n    {:?}", output.value);
        }
        Ok(())
    })?;
    println!("| measure | value | of |\n| --- | --- | --- |");
    for (name, value, weight) in meter.rows() {
        println!("| {name} | {value:.3} | {weight} |");
    }
    Ok(())
}

fn check_captions(args: &Args, set: &Set) -> Result<(), Box<dyn Error>> {
    let florence = load(args, args.precision)?;
    let mut warnings = Warnings::default();
    for scene in set.scenes.iter().step_by(args.every.max(1)) {
        let image = image::open(args.set.join(&scene.file))?;
        warnings.add(&florence, scene, &image, args.errors)?;
    }
    warnings.print();
    Ok(())
}

fn compare(args: &Args, set: &Set) -> Result<(), Box<dyn Error>> {
    let mut meters = [Meter::default(), Meter::default()];
    let mut agreement = Agreement::default();
    let models = [load(args, Precision::F32)?, load(args, Precision::Q8_0)?];
    ask_all(args, set, &models, |case, photos, outputs| {
        for (meter, output) in meters.iter_mut().zip(outputs) {
            measure(meter, case, &output.value);
        }
        agreement.add(
            &case.request,
            models.each_ref(),
            photos.each_ref(),
            outputs.each_ref(),
        )
    })?;
    println!("| measure | f32 | q8_0 |\n| --- | --- | --- |");
    let [f32, q8_0] = &meters;
    for ((name, one, _), (_, other, _)) in f32.rows().zip(q8_0.rows()) {
        println!("| {name} | {one:.3} | {other:.3} |");
    }
    println!();
    agreement.print();
    Ok(())
}

/// Asks all models all questions.
fn ask_all<const N: usize>(
    args: &Args,
    set: &Set,
    models: &[Florence; N],
    mut look: impl FnMut(
        &Case<'_>,
        &[EncodedImage; N],
        &[Output<Answer>; N],
    ) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    for scene in set.scenes.iter().step_by(args.every.max(1)) {
        let image = image::open(args.set.join(&scene.file))?;
        let photos = each(models, |florence| florence.encode(&image))?;
        for question in &scene.questions {
            let task: Task = question.task.parse()?;
            let case = Case {
                scene,
                question,
                request: Request::new(task).with_input(question.text.as_deref(), question.region()),
                size: Size::new(image.width(), image.height()),
            };
            let outputs = each(&photos, |photo| photo.run(&case.request))?;
            look(&case, &photos, &outputs)?;
        }
    }
    Ok(())
}

/// What `work` gives for each, or its first error.
fn each<T, U, const N: usize>(
    all: &[T; N],
    work: impl Fn(&T) -> florence_tasks::Result<U>,
) -> Result<[U; N], Box<dyn Error>> {
    let done = all.iter().map(work).collect::<Result<Vec<_>, _>>()?;
    done.try_into().map_err(|_| "one result for each".into())
}

/// Adds an answer to the meter, and says whether it is right.
fn measure(meter: &mut Meter, case: &Case<'_>, answer: &Answer) -> bool {
    let &Case {
        scene,
        question,
        size,
        ..
    } = case;
    let task = case.request.task();
    let name = task.name();
    match task {
        Task::Od | Task::DenseRegionCaption | Task::RegionProposal => {
            let found = boxes(answer);
            let truth = question.labelled();
            THRESHOLDS.iter().fold(true, |right, &threshold| {
                let pairs = precision_recall(meter, name, &found, &truth, threshold);
                right && pairs == found.len() && pairs == truth.len()
            })
        }
        Task::PhraseGrounding | Task::OpenVocabularyDetection => {
            let (found, truth) = (boxes(answer), question.labelled());
            let pairs = matched(&found, &truth, 0.5);
            let most = found.len().max(truth.len());
            meter.add(
                format!("{name} accuracy at IoU 0.5"),
                pairs as f64,
                most as f64,
            );
            pairs == most
        }
        Task::ReferringSegmentation | Task::RegionToSegmentation => {
            let polygons = answer
                .instances()
                .iter()
                .flat_map(|i| i.polygons().cloned())
                .collect::<Vec<_>>();
            let truth = question.object.and_then(|object| scene.objects.get(object));
            let iou = truth.map_or(0.0, |truth| mask_iou(&polygons, &truth.polygon(), size));
            meter.add(format!("{name} mean IoU"), iou, 1.0);
            iou > 0.75
        }
        Task::OcrWithRegion => {
            let words = answer.text_regions();
            let found = words
                .iter()
                .map(|w| (String::new(), w.quad.to_bbox()))
                .collect::<Vec<_>>();
            for threshold in THRESHOLDS {
                precision_recall(meter, name, &found, &question.quad_boxes(), threshold);
            }
            let said = words
                .iter()
                .map(|w| w.text.as_str())
                .collect::<Vec<_>>()
                .join(" ");
            characters(meter, name, &said, &question.labels.join(" "))
        }
        Task::Ocr | Task::RegionToOcr => characters(
            meter,
            name,
            answer.text().unwrap_or_default(),
            &question.answer,
        ),
        Task::DetailedCaption | Task::MoreDetailedCaption => {
            let said = answer.text().unwrap_or_default();
            attributes(meter, name, said, &question.answer);
            exact(meter, name, said, &question.answer)
        }
        // Captions, categories and descriptions.
        _ => exact(
            meter,
            name,
            answer.text().unwrap_or_default(),
            &question.answer,
        ),
    }
}

fn exact(meter: &mut Meter, name: &str, said: &str, truth: &str) -> bool {
    meter.hit(format!("{name} exact"), said == truth);
    said == truth
}

fn characters(meter: &mut Meter, name: &str, said: &str, truth: &str) -> bool {
    meter.add(
        format!("{name} character error rate"),
        edits(said, truth) as f64,
        truth.chars().count() as f64,
    );
    said == truth
}

fn precision_recall(
    meter: &mut Meter,
    name: &str,
    found: &[Labelled],
    truth: &[Labelled],
    threshold: f32,
) -> usize {
    let pairs = matched(found, truth, threshold);
    meter.add(
        format!("{name} precision at IoU {threshold}"),
        pairs as f64,
        found.len() as f64,
    );
    meter.add(
        format!("{name} recall at IoU {threshold}"),
        pairs as f64,
        truth.len() as f64,
    );
    pairs
}

fn attributes(meter: &mut Meter, name: &str, said: &str, truth: &str) {
    let (said_counts, said_objects) = caption_facts(said);
    let (counts, objects) = caption_facts(truth);
    for (at, count) in counts.iter().enumerate() {
        meter.hit(
            format!("{name} counts and background"),
            said_counts.get(at) == Some(count),
        );
    }
    for (at, words) in objects.iter().enumerate() {
        let said = said_objects.get(at).map_or(&[][..], Vec::as_slice);
        for (place, word) in words.iter().enumerate() {
            meter.hit(format!("{name} attributes"), said.get(place) == Some(word));
        }
    }
}

/// Every box of an answer with its label, whatever its form.
fn boxes(answer: &Answer) -> Vec<(String, BBox)> {
    let detections = answer
        .detections()
        .iter()
        .map(|d| (d.label.clone(), d.bbox));
    let regions = answer.regions().iter().map(|r| (String::new(), r.bbox));
    let phrases = answer
        .phrases()
        .iter()
        .flat_map(|p| p.regions.iter().map(|r| (p.phrase.clone(), r.bbox)));
    detections.chain(regions).chain(phrases).collect()
}
