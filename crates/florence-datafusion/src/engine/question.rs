//! What is asked, and what makes two questions the same.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use florence_tasks::{AnyTask, BBox, GenerationConfig, InputKind, UnknownAnyTask};

/// A task with its input, from the arguments of a call.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) task: AnyTask,
    pub(crate) text: Option<String>,
    pub(crate) region: Option<BBox>,
}

/// The third argument.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    None,
    Text(&'a str),
    /// Four numbers, in pixels of the image.
    Region([f32; 4]),
}

/// Why the arguments are no question.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Wrong {
    #[error(transparent)]
    Task(#[from] UnknownAnyTask),
    #[error(
        "{task} takes a region, and got {text:?}: expected 'x1,y1,x2,y2', four numbers in pixels of the image"
    )]
    Region { task: String, text: String },
    #[error(transparent)]
    Input(#[from] florence_tasks::Error),
}

impl Request {
    /// A text for a task that takes a region is the region.
    pub(crate) fn new(task: &str, input: Input<'_>) -> Result<Self, Wrong> {
        let task: AnyTask = task.parse()?;
        let (text, region) = match input {
            Input::None => (None, None),
            Input::Text(text) if task.input() == InputKind::Region => {
                let region = region(text).ok_or_else(|| Wrong::Region {
                    task: task.to_string(),
                    text: text.to_owned(),
                })?;
                (None, Some(region))
            }
            Input::Text(text) => (Some(text.to_owned()), None),
            Input::Region([x1, y1, x2, y2]) => (None, Some(BBox { x1, y1, x2, y2 })),
        };
        let task = task.with_input(text.as_deref(), region);
        task.check()?;
        Ok(Self { task, text, region })
    }
}

fn region(text: &str) -> Option<BBox> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    match numbers.collect::<Option<Vec<f32>>>()?[..] {
        [x1, y1, x2, y2] => Some(BBox { x1, y1, x2, y2 }),
        _ => None,
    }
}

/// How an answer is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Search {
    pub(crate) num_beams: Option<usize>,
    pub(crate) max_new_tokens: Option<usize>,
}

impl Search {
    pub(super) fn options(&self, defaults: &GenerationConfig) -> GenerationConfig {
        let beams = self.num_beams.unwrap_or(defaults.get_num_beams());
        let tokens = self.max_new_tokens.unwrap_or(defaults.get_max_new_tokens());
        defaults.clone().num_beams(beams).max_new_tokens(tokens)
    }
}

/// An image by its content: 128 bits of a hash that is keyed by this process, so that nobody can
/// make two files that are taken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ImageKey {
    hashes: [u64; 2],
    bytes: usize,
    upright: bool,
}

impl ImageKey {
    pub(crate) fn of(bytes: &[u8], upright: bool) -> Self {
        static KEYS: LazyLock<[RandomState; 2]> =
            LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        Self {
            hashes: [KEYS[0].hash_one(bytes), KEYS[1].hash_one(bytes)],
            bytes: bytes.len(),
            upright,
        }
    }
}

/// A question that has one answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct QuestionKey {
    pub(crate) image: ImageKey,
    task: String,
    text: Option<String>,
    region: Option<[u32; 4]>,
    pub(crate) search: Search,
}

impl QuestionKey {
    pub(crate) fn new(image: ImageKey, request: &Request, search: Search) -> Self {
        let bits = |BBox { x1, y1, x2, y2 }: BBox| [x1, y1, x2, y2].map(f32::to_bits);
        Self {
            image,
            task: request.task.to_string(),
            text: request.text.clone(),
            region: request.region.map(bits),
            search,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_region_where_the_task_takes_one() {
        let request = Request::new("region_to_ocr", Input::Text("1, 2,3.5,4")).unwrap();
        assert_eq!(request.region, Some(BBox::new(1.0, 2.0, 3.5, 4.0)));
        assert_eq!(request.text, None);
        let request = Request::new("<DocVQA>", Input::Text("1,2,3,4")).unwrap();
        assert_eq!(request.text.as_deref(), Some("1,2,3,4"));

        let error = Request::new("region_to_ocr", Input::Text("left"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("<REGION_TO_OCR> takes a region, and got \"left\": expected"),
            "{error}"
        );
        assert!(matches!(
            Request::new("od", Input::Text("x")),
            Err(Wrong::Input(_))
        ));
        assert!(matches!(
            Request::new("odd", Input::None),
            Err(Wrong::Task(_))
        ));
    }

    #[test]
    fn images_are_told_apart_by_content_and_orientation() {
        let key = |bytes: &[u8], upright| ImageKey::of(bytes, upright);
        assert_eq!(key(b"a", false), key(b"a", false));
        assert_ne!(key(b"a", false), key(b"b", false));
        assert_ne!(key(b"a", false), key(b"a", true));
    }
}
