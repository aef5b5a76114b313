//! `florence run`: one task on images.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use florence_core::GenerationConfig;
use florence_core::image::{ImageOptions, load_image};
use florence_tasks::{Answer, Ask, BBox, Diagnostic, Florence, Output, Request, Task};
use image::DynamicImage;
use serde::Serialize;
use serde_json::{Value, json};

use super::export::{self, Exports};
use super::{annotate, load};
use crate::args::RunArgs;
use crate::failure::Failure;

pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let task: Task = args.task.parse()?;
    let region = args.region.as_deref().map(region).transpose()?;
    let request = Request::new(task)
        .with(args.text.as_deref(), region)
        .recognise_special_tokens(args.special_tokens);
    annotate::check(args, task)?;
    export::check(args, task)?;
    request.question()?; // what is wrong with it should be said before a model is loaded

    let start = Instant::now();
    let florence = load(&args.model)?;
    let session = Session {
        load: start.elapsed(),
        options: GenerationConfig {
            num_beams: args.num_beams,
            max_new_tokens: args.max_new_tokens,
            ..florence.generation().clone()
        },
        florence,
        request,
        args,
    };
    let mut exports = Exports::create(args, task)?;
    let answered = session.answer_all(&mut exports);
    // What there is of them is whole, also where nobody reads on.
    let finished = exports.finish();
    let failed = answered?;
    finished?;
    failed.map_or(Ok(()), |failure| Err(Failure::Reported(Box::new(failure))))
}

/// What all images of a call share.
struct Session<'a> {
    load: Duration,
    florence: Florence,
    options: GenerationConfig,
    request: Request,
    args: &'a RunArgs,
}

/// An answer, and the text of it for the output.
struct Answered {
    image: DynamicImage,
    output: Output<Answer>,
    text: String,
}

impl Session<'_> {
    /// Answers about all images; gives back the first thing that went wrong with one of them.
    fn answer_all(&self, exports: &mut Exports) -> Result<Option<Failure>, Failure> {
        let mut out = std::io::stdout().lock();
        let mut failed = None;
        for path in &self.args.images {
            // The other images still get their answers, and this one's is not lost with its files.
            let failures = match self.answer(path) {
                Ok(answered) => {
                    writeln!(out, "{}", answered.text)?;
                    self.write_files(path, &answered, exports)
                }
                Err(failure) => {
                    if self.args.json {
                        let line = json!({ "image": path, "error": failure.to_string() });
                        writeln!(out, "{line}")?;
                    }
                    vec![failure]
                }
            };
            for failure in failures {
                eprintln!("florence: {failure}");
                failed.get_or_insert(failure);
            }
        }
        Ok(failed)
    }

    fn answer(&self, path: &Path) -> Result<Answered, Failure> {
        let mut options = ImageOptions::default();
        options.apply_exif_orientation = self.args.exif_orientation;
        let image =
            load_image(path, &options).map_err(|error| Failure::Input(error.to_string()))?;
        let output = self
            .florence
            .run_with(&self.request, &image, &self.options)
            .map_err(|error| Failure::from(error).about(path))?;
        let text = if self.args.json {
            let line = Line::new(path, self.load, &output, self.args);
            serde_json::to_string(&line).map_err(|error| Failure::Other(error.to_string()))?
        } else {
            readable(path, &output, self.args.images.len() > 1)
        };
        Ok(Answered {
            image,
            output,
            text,
        })
    }

    /// The picture and the exports of an answer, and what went wrong with them.
    fn write_files(&self, path: &Path, answered: &Answered, exports: &mut Exports) -> Vec<Failure> {
        let Answered { image, output, .. } = answered;
        let picture = self.args.annotate.as_deref();
        let drawn = picture.map_or(Ok(()), |file| annotate::write(file, image, output));
        let exported = exports.add(path, output);
        [drawn, exported]
            .into_iter()
            .filter_map(Result::err)
            .collect()
    }
}

/// A line of `--json`: its fields are fixed.
#[derive(Debug, Serialize)]
struct Line<'a> {
    image: &'a Path,
    width: u32,
    height: u32,
    task: &'a str,
    text: &'a str,
    token_ids: &'a [u32],
    logprobs: &'a [f32],
    answer: &'a Answer,
    reference: Value,
    timings_ms: Milliseconds,
    diagnostics: &'a [Diagnostic],
}

#[derive(Debug, Serialize)]
struct Milliseconds {
    load: f64,
    preprocess: f64,
    vision: f64,
    encoder: f64,
    decode: f64,
}

impl<'a> Line<'a> {
    fn new(image: &'a Path, load: Duration, output: &'a Output<Answer>, args: &RunArgs) -> Self {
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let timings = &output.timings;
        Self {
            image,
            width: output.size.width,
            height: output.size.height,
            task: &output.task,
            text: &output.raw_text,
            token_ids: &output.token_ids,
            logprobs: &output.logprobs,
            answer: &output.value,
            reference: output.to_reference_json(args.compat.into()),
            timings_ms: Milliseconds {
                load: ms(load),
                preprocess: ms(timings.preprocess),
                vision: ms(timings.vision),
                encoder: ms(timings.encoder),
                decode: ms(timings.decode),
            },
            diagnostics: &output.diagnostics,
        }
    }
}

/// The answer for a person.
fn readable(path: &Path, output: &Output<Answer>, named: bool) -> String {
    let mut lines = Vec::new();
    if named {
        lines.push(format!("{}:", path.display()));
    }
    let answer = &output.value;
    if let Some(text) = answer.text() {
        lines.push(text.to_owned());
    }
    let row = |label: &str, confidence: Option<f32>, place: String| {
        let confidence = confidence.map(|c| format!("{c:.2}")).unwrap_or_default();
        format!("{label:<24} {confidence:>4}  {place}")
    };
    lines.extend(
        answer
            .detections()
            .iter()
            .map(|d| row(&d.label, d.confidence, bbox(&d.bbox))),
    );
    lines.extend(
        answer
            .regions()
            .iter()
            .map(|r| row("", r.confidence, bbox(&r.bbox))),
    );
    for phrase in answer.phrases() {
        lines.extend(
            phrase
                .regions
                .iter()
                .map(|r| row(&phrase.phrase, r.confidence, bbox(&r.bbox))),
        );
    }
    lines.extend(
        answer
            .text_regions()
            .iter()
            .map(|t| row(&t.text, t.confidence, points(&t.quad.points))),
    );
    for instance in answer.instances() {
        let outlines = instance.outlines.iter();
        lines.extend(
            outlines.map(|o| row(&instance.label, o.confidence, points(&o.polygon.points))),
        );
    }
    if lines.len() == usize::from(named) {
        lines.push("(nothing)".to_owned());
    }
    lines.extend(output.diagnostics.iter().map(|odd| format!("note: {odd}")));
    lines.join("\n")
}

fn bbox(bbox: &BBox) -> String {
    let BBox { x1, y1, x2, y2 } = bbox;
    format!("{x1:.1},{y1:.1},{x2:.1},{y2:.1}")
}

fn points(points: &[florence_tasks::Point]) -> String {
    points
        .iter()
        .map(|p| format!("{:.1},{:.1}", p.x, p.y))
        .collect::<Vec<_>>()
        .join(" ")
}

fn region(text: &str) -> Result<BBox, Failure> {
    let numbers = text
        .split(',')
        .map(|number| number.trim().parse::<f32>())
        .collect::<Result<Vec<_>, _>>();
    match numbers.as_deref() {
        Ok(&[x1, y1, x2, y2]) => Ok(BBox { x1, y1, x2, y2 }),
        _ => Err(Failure::Usage(format!(
            "--region {text:?}: expected x1,y1,x2,y2, four numbers in pixels of the image"
        ))),
    }
}
