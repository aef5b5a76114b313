//! The table of a model on the held-out scenes, computed as it is used: three
//! beams, typed answers.
//!
//! ```sh
//! cargo run --release -p florence-examples --example evaluate
//! ```

mod metrics;
mod scenes;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use florence_tasks::{Answer, BBox, Florence, Request, Size, Task};

use metrics::{Labelled, Meter, caption_facts, edits, mask_iou, matched};
use scenes::{Question, Scene, Set};

const THRESHOLDS: [f32; 2] = [0.5, 0.75];

#[derive(Debug, Parser)]
struct Args {
    /// The model: `nano` or the folder of a checkpoint of the same world.
    #[arg(long, default_value = "nano")]
    model: String,
    /// The folder of the evaluation set.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano/eval"))]
    set: PathBuf,
    /// Look at every n-th scene only.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Print wrong answers.
    #[arg(long)]
    errors: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let florence = if args.model == "nano" {
        Florence::nano()?
    } else {
        Florence::from_dir(&args.model)?
    };
    let set = Set::read(&args.set)?;
    let mut meter = Meter::default();
    let start = Instant::now();
    for scene in set.scenes.iter().step_by(args.every.max(1)) {
        let image = image::open(args.set.join(&scene.file))?;
        let size = Size::new(image.width(), image.height());
        let photo = florence.encode(&image)?;
        for question in &scene.questions {
            let task: Task = question.task.parse()?;
            let request = Request::new(task).with(question.text.as_deref(), question.region());
            let answer = photo.run(request)?.value;
            let right = measure(&mut meter, task, scene, size, question, &answer);
            if args.errors && !right {
                println!(
                    "{} {} {:?} {}\n    {answer:?}",
                    scene.file, question.task, question.text, question.answer
                );
            }
        }
    }
    println!("| measure | value | of |\n| --- | --- | --- |");
    for (name, value, weight) in meter.rows() {
        println!("| {name} | {value:.3} | {weight} |");
    }
    eprintln!("{:.0?}", start.elapsed());
    Ok(())
}

/// Adds an answer to the meter, and says whether it is right.
fn measure(
    meter: &mut Meter,
    task: Task,
    scene: &Scene,
    size: Size,
    question: &Question,
    answer: &Answer,
) -> bool {
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
        Task::Caption | Task::RegionToCategory | Task::RegionToDescription => exact(
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
