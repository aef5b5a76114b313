//! Human-readable answers.

use florence_core::image::ImageNote;
use florence_tasks::{
    Answer, AnyOutput, BBox, CascadeAnswer, CheckedCaption, Described, Detection, Diagnostic,
    GroundedPhrase, Instance, Point, Region, Segmented,
};

use super::asked::Asked;
use crate::image_name::ImageName;
use crate::printable::{lines, one_line};

/// The line above an answer, if there are several images or several questions about each.
pub(super) fn heading(
    image: ImageName<'_>,
    asked: &Asked,
    (images, questions): (bool, bool),
) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(images.then(|| image.to_string()));
    if questions {
        parts.push(asked.task.to_string());
        parts.extend(
            asked
                .text
                .as_deref()
                .map(|text| one_line(text).into_owned()),
        );
        let region = asked
            .region
            .map(|BBox { x1, y1, x2, y2 }| format!("{x1},{y1},{x2},{y2}"));
        parts.extend(region);
    }
    (!parts.is_empty()).then(|| format!("{}:", parts.join(" ")))
}

/// The answer as text.
pub(super) fn readable(heading: Option<String>, output: &AnyOutput) -> String {
    let mut out: Vec<String> = heading.into_iter().collect();
    let text = output.text();
    let rows = match output {
        AnyOutput::Task(output) => of_task(&output.value),
        AnyOutput::Cascade(_, output) => of_cascade(&output.value),
        _ => Vec::new(),
    };
    out.extend(text.map(|text| lines(text).into_owned()));
    out.extend(rows.iter().map(|row| one_line(row).into_owned()));
    if text.is_none() && rows.is_empty() {
        out.push("(nothing)".to_owned());
    }
    let notes = image_notes(output).chain(output.diagnostics().map(Diagnostic::to_string));
    out.extend(notes.map(|note| format!("note: {}", one_line(&note))));
    out.join("\n")
}

fn image_notes(output: &AnyOutput) -> impl Iterator<Item = String> {
    output.image_notes().iter().map(|note| match note {
        ImageNote::StoredTurned { .. } => format!("{note}; --exif-orientation applies it"),
        _ => note.to_string(),
    })
}

fn of_task(answer: &Answer) -> Vec<String> {
    let detections = answer.detections().iter();
    let detections = detections.map(detected);
    let proposals = answer.regions().iter().map(|region| boxed("", region));
    let phrases = answer.phrases().iter().flat_map(phrase);
    let texts = answer.text_regions().iter();
    let texts = texts.map(|t| row(&t.text, t.confidence, points(&t.quad.points)));
    let instances = answer.instances().iter();
    let instances = instances.flat_map(|i| outlines(&i.label, i.confidence, i));
    detections
        .chain(proposals)
        .chain(phrases)
        .chain(texts)
        .chain(instances)
        .collect()
}

fn of_cascade(answer: &CascadeAnswer) -> Vec<String> {
    match answer {
        CascadeAnswer::GroundedCaption(grounded) => {
            grounded.phrases.iter().flat_map(phrase).collect()
        }
        CascadeAnswer::CheckedCaption(checked) => of_check(checked),
        CascadeAnswer::Described(things) => things.iter().map(described).collect(),
        CascadeAnswer::Segmented(things) => things.iter().flat_map(of_segmented).collect(),
        _ => Vec::new(),
    }
}

fn described(thing: &Described) -> String {
    let found = &thing.detection;
    let place = format!("{}  {}", bbox(&found.bbox), thing.description.text);
    row(&found.label, found.confidence, place)
}

/// The outlines of an object, or its box where it has none.
fn of_segmented(thing: &Segmented) -> Vec<String> {
    let Segmented {
        detection,
        instances,
        ..
    } = thing;
    if instances.is_empty() {
        return vec![detected(detection)];
    }
    let instances = instances.iter();
    instances
        .flat_map(|instance| outlines(&detection.label, detection.confidence, instance))
        .collect()
}

/// The number of a phrase is its support; the box is its first grounded region.
fn of_check(checked: &CheckedCaption) -> Vec<String> {
    let phrases = checked.phrases.iter().map(|phrase| {
        let first = phrase.regions.first();
        let place = first.map(|region| bbox(&region.bbox)).unwrap_or_default();
        row(&phrase.label(), Some(phrase.support), place)
    });
    let warnings = checked.warnings.iter();
    let warnings = warnings.map(|warning| format!("warning: {warning}"));
    phrases.chain(warnings).collect()
}

fn detected(found: &Detection) -> String {
    row(&found.label, found.confidence, bbox(&found.bbox))
}

fn phrase(found: &GroundedPhrase) -> impl Iterator<Item = String> {
    let regions = found.regions.iter();
    regions.map(|region| boxed(&found.phrase, region))
}

/// A row for each outline, all with the confidence of the thing.
fn outlines(
    label: &str,
    confidence: Option<f32>,
    instance: &Instance,
) -> impl Iterator<Item = String> {
    let polygons = instance.polygons();
    polygons.map(move |polygon| row(label, confidence, points(&polygon.points)))
}

fn boxed(label: &str, region: &Region) -> String {
    row(label, region.confidence, bbox(&region.bbox))
}

fn row(label: &str, confidence: Option<f32>, place: String) -> String {
    let confidence = confidence.map(|c| format!("{c:.2}")).unwrap_or_default();
    format!("{label:<24} {confidence:>4}  {place}")
}

fn bbox(bbox: &BBox) -> String {
    let BBox { x1, y1, x2, y2 } = bbox;
    format!("{x1:.1},{y1:.1},{x2:.1},{y2:.1}")
}

fn points(points: &[Point]) -> String {
    points
        .iter()
        .map(|p| format!("{:.1},{:.1}", p.x, p.y))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use florence_core::image::{ImageFile, ImageOptions};
    use florence_tasks::Florence;

    use super::super::asked::asked;
    use super::super::line::line;
    use super::*;
    use crate::args::{Cli, Command};

    /// The answer about a damaged file, as text and as JSON.
    fn answer(task: &str) -> (String, serde_json::Value) {
        let scene =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../florence-nano/eval/images/001.png");
        let mut file = ImageFile::open(scene, &ImageOptions::default()).unwrap();
        file.notes.push(ImageNote::Damaged {
            what: "a restart\nmarker is lost".to_owned(),
            from_row: Some(120),
        });
        let args = ["florence", "run", "--task", task, "a.jpg"];
        let Command::Run(args) = Cli::parse_from(args).command else {
            unreachable!()
        };
        let florence = Florence::nano().unwrap();
        let asked = asked(&args.question).unwrap().remove(0);
        let answered = florence.run_any(&asked.task, &file).unwrap();
        let name = ImageName(Path::new("a.jpg"));
        let measured = (std::time::Duration::ZERO, florence_tasks::Device::Cpu);
        let json = line(name, measured, &asked, &answered, &args).unwrap();
        (
            readable(heading(name, &asked, (true, false)), &answered),
            serde_json::from_str(&json).unwrap(),
        )
    }

    #[test]
    fn damage_is_noted_with_the_answer() {
        for task in ["caption", "caption_and_ground"] {
            let (text, json) = answer(task);
            assert!(text.starts_with("a.jpg:\n"), "{text}");
            let note = r"note: image_damaged: a restart\nmarker is lost, from row 120 on";
            assert_eq!(
                text.lines().filter(|line| *line == note).count(),
                1,
                "{text}"
            );
            let what = "a restart\nmarker is lost";
            let notes =
                serde_json::json!([{ "kind": "image_damaged", "what": what, "from_row": 120 }]);
            assert_eq!(json["image_notes"], notes);
        }
    }
}
