//! What a line of input holds.

use std::borrow::Cow;

use florence_postprocess::{Diagnostic, DiagnosticKind, Piece, Size, split_text};
use serde::Serialize;
use serde_json::{Map, Value};

use super::surrogates::replaced;

const EXPECTED: &str = r#"expected {"task": "<OD>", "text": "…", "size": [width, height]}"#;

type Fields = Map<String, Value>;

/// A line that can be read.
#[derive(Debug)]
pub(super) enum Line {
    Answer(RawAnswer),
    /// Of `florence run --json`.
    Cascade {
        name: String,
        steps: Vec<RawAnswer>,
    },
}

/// What the model wrote.
#[derive(Debug)]
pub(super) struct RawAnswer {
    pub(super) task: String,
    pub(super) text: String,
    /// Of the image.
    pub(super) size: Size,
    /// What could not be kept of the text.
    pub(super) odd: Vec<Diagnostic>,
}

/// Why a line has no answer; the image that it is about, where `florence run --json` had none.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    #[serde(flatten)]
    image: Fields,
    pub(super) error: String,
}

impl From<String> for Refused {
    fn from(error: String) -> Self {
        let image = Fields::new();
        Self { image, error }
    }
}

impl Line {
    /// Reads a line. What is not UTF-8 and halves of surrogate pairs become U+FFFD, of keys that
    /// come twice the last one counts, and other keys do not matter.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Refused::from("UTF-16, expected UTF-8".to_owned()));
        }
        let text = String::from_utf8_lossy(bytes);
        let json = replaced(&text);
        let mut odd = Vec::new();
        if matches!(text, Cow::Owned(_)) {
            odd.push(DiagnosticKind::InvalidUtf8);
        }
        if matches!(json, Cow::Owned(_)) {
            odd.push(DiagnosticKind::LoneSurrogate);
        }
        let mut fields: Fields = serde_json::from_str(&json).map_err(not_json)?;
        if let (Some(Value::String(error)), None) = (fields.get("error"), fields.get("text")) {
            let error = error.clone();
            fields.retain(|key, _| key == "image" || key == "image_bytes");
            return Err(Refused {
                image: fields,
                error,
            });
        }
        let Some(steps) = fields.remove("steps") else {
            return Ok(Self::Answer(RawAnswer::read(&mut fields, &odd)?));
        };
        let name = string(&mut fields, "task")?;
        let steps = serde_json::from_value::<Vec<Fields>>(steps).map_err(|_| {
            "`steps` is no array of objects, expected the answers of a cascade".to_owned()
        })?;
        let steps = steps.into_iter().enumerate().map(|(index, mut step)| {
            let in_step = |error| format!("step {index}: {error}");
            RawAnswer::read(&mut step, &odd).map_err(in_step)
        });
        let steps = steps.collect::<Result<_, _>>()?;
        Ok(Self::Cascade { name, steps })
    }
}

impl RawAnswer {
    fn read(fields: &mut Fields, odd: &[DiagnosticKind]) -> Result<Self, String> {
        let task = string(fields, "task")?;
        let key = if fields.contains_key("raw_text") {
            "raw_text"
        } else {
            "text"
        };
        let text = string(fields, key)?;
        let odd = odd.iter().filter_map(|kind| {
            let pieces = split_text(&text);
            let mut pieces = pieces.iter().map(Piece::to_string);
            let token = pieces.position(|piece| piece.contains('\u{fffd}'))?;
            let kind = kind.clone();
            Some(Diagnostic::new(token, kind))
        });
        Ok(Self {
            task,
            size: size(fields)?,
            odd: odd.collect(),
            text,
        })
    }
}

fn not_json(error: serde_json::Error) -> String {
    let message = error.to_string();
    // The line of the input is known, and is not the one that is meant there.
    let reason = message.split(" at line ").next().unwrap_or_default();
    format!("{reason} at byte {}; {EXPECTED}", error.column())
}

fn string(fields: &mut Fields, key: &str) -> Result<String, String> {
    match fields.remove(key) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("`{key}` is no string; {EXPECTED}")),
        None => Err(format!("`{key}` is missing; {EXPECTED}")),
    }
}

/// `"size": [width, height]` or `"size": {"width": …, "height": …}`, or both keys without `size`.
fn size(fields: &Fields) -> Result<Size, String> {
    let sides = match fields.get("size") {
        Some(Value::Array(sides)) if sides.len() == 2 => [sides.first(), sides.get(1)],
        Some(Value::Object(sides)) => [sides.get("width"), sides.get("height")],
        Some(_) => [None, None],
        None if fields.contains_key("width") || fields.contains_key("height") => {
            [fields.get("width"), fields.get("height")]
        }
        None => return Err(format!("`size` is missing; {EXPECTED}")),
    };
    match sides.map(|side| side.and_then(pixels)) {
        [Some(width), Some(height)] => Ok(Size::new(width, height)),
        _ => Err(format!(
            "the size is not two whole numbers of pixels; {EXPECTED}"
        )),
    }
}

/// A whole number; `640.0` is one.
fn pixels(number: &Value) -> Option<u32> {
    let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
    (0.0..=f64::from(u32::MAX))
        .contains(&number)
        .then_some(number as u32)
}
