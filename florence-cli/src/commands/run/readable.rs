//! Answers as text for people.

use std::path::Path;

use florence_tasks::{
    Answer, BBox, CascadeAnswer, CheckedCaption, Detection, Diagnostic, GroundedPhrase, Instance,
    Point, Region, Segmented,
};

use super::asked::Answered;

/// The answer for a person; under the name of its image where there are several.
pub(super) fn readable(path: &Path, answered: &Answered, named: bool) -> String {
    let mut lines = match answered {
        Answered::Task(output) => of_task(output),
        Answered::Cascade(cascade) => of_cascade(&cascade.answer),
    };
    if lines.is_empty() {
        lines.push("(nothing)".to_owned());
    }
    if named {
        lines.insert(0, format!("{}:", path.display()));
    }
    let note = |odd: &Diagnostic| format!("note: {odd}");
    match answered {
        Answered::Task(output) => lines.extend(output.diagnostics.iter().map(note)),
        Answered::Cascade(cascade) => {
            let odd = cascade
                .answer
                .steps
                .iter()
                .flat_map(|step| &step.diagnostics);
            lines.extend(odd.map(note));
        }
    }
    lines.join("\n")
}

fn of_task(answer: &Answer) -> Vec<String> {
    let text = answer.text().map(str::to_owned);
    let detections = answer.detections().iter();
    let detections = detections.map(detected);
    let proposals = answer.regions().iter().map(|region| boxed("", region));
    let phrases = answer.phrases().iter().flat_map(phrase);
    let texts = answer.text_regions().iter();
    let texts = texts.map(|t| row(&t.text, t.confidence, points(&t.quad.points)));
    let instances = answer.instances().iter();
    let instances = instances.flat_map(|instance| outlines(&instance.label, instance));
    text.into_iter()
        .chain(detections)
        .chain(proposals)
        .chain(phrases)
        .chain(texts)
        .chain(instances)
        .collect()
}

fn of_cascade(answer: &CascadeAnswer) -> Vec<String> {
    match answer {
        CascadeAnswer::GroundedCaption(grounded) => {
            let caption = grounded.caption.text.clone();
            let phrases = grounded.phrases.iter().flat_map(phrase);
            std::iter::once(caption).chain(phrases).collect()
        }
        CascadeAnswer::CheckedCaption(checked) => of_check(checked),
        CascadeAnswer::Described(things) => {
            let things = things.iter();
            things
                .map(|thing| {
                    let found = &thing.detection;
                    let place = bbox(&found.bbox);
                    let place = format!("{place}  {}", thing.description.text);
                    row(&found.label, found.confidence, place)
                })
                .collect()
        }
        CascadeAnswer::Segmented(things) => things.iter().flat_map(of_segmented).collect(),
    }
}

/// The outlines of an object, or its box where it has none.
fn of_segmented(thing: &Segmented) -> Vec<String> {
    let Segmented {
        detection,
        instances,
    } = thing;
    if instances.is_empty() {
        return vec![detected(detection)];
    }
    let instances = instances.iter();
    instances
        .flat_map(|instance| outlines(&detection.label, instance))
        .collect()
}

/// The number of a phrase is its support, and its first box is where it should be.
fn of_check(checked: &CheckedCaption) -> Vec<String> {
    let mut lines = vec![checked.caption.text.clone()];
    lines.extend(checked.phrases.iter().map(|phrase| {
        let first = phrase.regions.first();
        let place = first.map(|region| bbox(&region.bbox)).unwrap_or_default();
        row(&phrase.label(), Some(phrase.support), place)
    }));
    lines.extend(
        checked
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    lines
}

fn detected(found: &Detection) -> String {
    row(&found.label, found.confidence, bbox(&found.bbox))
}

fn phrase(found: &GroundedPhrase) -> impl Iterator<Item = String> {
    let regions = found.regions.iter();
    regions.map(|region| boxed(&found.phrase, region))
}

fn outlines<'a>(label: &'a str, instance: &'a Instance) -> impl Iterator<Item = String> + use<'a> {
    let outlines = instance.outlines.iter();
    outlines.map(move |o| row(label, o.confidence, points(&o.polygon.points)))
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
