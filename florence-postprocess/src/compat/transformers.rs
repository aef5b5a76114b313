//! The post-processor of the `transformers` library (`Florence2PostProcessor`, version 5.23),
//! with the configuration that the published native checkpoints carry.
//!
//! Coordinates are truncated to integers; answers of text tasks and OCR labels are stripped.

use super::Value;
use super::coordinates::{Integers, answer, coordinates, dict};
use super::phrase::{self, POLYGON_STOPS, Tail, location_at};
use super::task::{Reading, reading};
use super::{polygon, python, quad};
use crate::geometry::Size;
use crate::phrases::is_skipped_phrase;

/// `Florence2Processor.post_process_generation(text, task, image_size)` of `transformers`.
///
/// `text` is the decoded answer with its special tokens, `task` a task token such as `"<OD>"`
/// (an unknown one gives plain text), `size` the size of the original image in pixels. The
/// result is the dict `{task: …}` with coordinates as truncated integers in pixels of the
/// original image. Total: any text gives a result.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Size, compat::transformers};
///
/// let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
/// let dict = transformers::post_process(answer, "<OD>", Size::new(640, 480));
/// assert_eq!(dict.to_string(), r#"{"<OD>":{"bboxes":[[34,180,580,339]],"labels":["car"]}}"#);
/// ```
pub fn post_process(text: &str, task: &str, size: Size) -> Value {
    let reading = reading(task);
    if reading == Reading::PureText {
        let text = text.replace("<s>", "").replace("</s>", "");
        return answer(task, Value::from(python::strip(&text)));
    }
    let has_polygon = text.contains("<poly>");
    let text = text
        .replace("<s>", "")
        .replace("</s>", "")
        .replace("<pad>", "");
    let value = match reading {
        Reading::Ocr => {
            let (mut quads, mut labels) = (Vec::new(), Vec::new());
            for quad in quad::quads(&text) {
                quads.push(coordinates::<Integers>(quad.bins, size));
                labels.push(Value::from(python::strip(quad.content)));
            }
            dict([("quad_boxes", quads.into()), ("labels", labels.into())])
        }
        Reading::DescriptionWithBoxesOrPolygons => {
            let none = || Value::List(Vec::new());
            let (regions, labels) = if has_polygon {
                polygons(&text, size, true)
            } else {
                boxes(&text, size, reading)
            };
            let [boxes, polygons] = if has_polygon {
                [(none(), none()), (regions, labels)]
            } else {
                [(regions, labels), (none(), none())]
            };
            dict([
                ("bboxes", boxes.0),
                ("bboxes_labels", boxes.1),
                ("polygons", polygons.0),
                ("polygons_labels", polygons.1),
            ])
        }
        Reading::Polygons => {
            let (polygons, labels) = polygons(&text, size, false);
            dict([("polygons", polygons), ("labels", labels)])
        }
        _ => {
            let (boxes, labels) = boxes(&text, size, reading);
            dict([("bboxes", boxes), ("labels", labels)])
        }
    };
    answer(task, value)
}

fn boxes(text: &str, size: Size, reading: Reading) -> (Value, Value) {
    let (mut boxes, mut labels) = (Vec::new(), Vec::new());
    for phrase in phrase::phrases(text, Tail::Locations, reading != Reading::Boxes) {
        let Some(found) = phrase::boxes(phrase) else {
            continue;
        };
        if reading == Reading::PhraseGrounding && is_skipped_phrase(found.label) {
            continue;
        }
        let label = python::ascii_only(found.label);
        for group in found.boxes {
            boxes.push(coordinates::<Integers>(
                group.map(|location| location.bin),
                size,
            ));
            labels.push(Value::from(label.clone()));
        }
    }
    (boxes.into(), labels.into())
}

fn polygons(text: &str, size: Size, labeled: bool) -> (Value, Value) {
    let (mut polygons, mut labels) = (Vec::new(), Vec::new());
    for phrase in phrase::phrases(text, Tail::Polygons, labeled) {
        // The first location is removed before the label is read; a phrase without another location
        // or `<poly>` after it then has no label and is lost.
        let rest = location_at(phrase, 0).map_or(phrase, |location| &phrase[location.end..]);
        let Some(label) = phrase::label(rest, POLYGON_STOPS) else {
            continue;
        };
        for instance in polygon::instances(phrase) {
            polygons.push(
                instance
                    .into_iter()
                    .map(|bins| coordinates::<Integers>(bins, size))
                    .collect(),
            );
            labels.push(Value::from(label));
        }
    }
    (Value::List(polygons), labels.into())
}
