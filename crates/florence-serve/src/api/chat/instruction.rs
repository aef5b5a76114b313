//! What a text asks for: a task that it begins with, or else the model's default.

use florence_tasks::InputKind;

use crate::error::ApiError;
use crate::question::{Question, named};

/// The question of a text.
///
/// - A task token (`<OD>`) or the marker of a fine-tune (`<DocVQA>`), or a task's or cascade's name
///   followed by a colon or by nothing, is that task, and the rest is its input. A name followed by
///   other words is a task only if that takes an input, so that "caption this photo" is a sentence.
/// - Any other text asks for `default`; it is its input if the default takes one.
///
/// A marker that is a typing error away from a task token is left for [`Question::check`] to refuse.
///
/// # Errors
///
/// When a task that takes a region gets another text.
pub(super) fn question(text: &str, default: &str) -> Result<Question, ApiError> {
    let text = text.trim();
    let (task, input) = marker(text).or_else(|| name(text)).unwrap_or_else(|| {
        let takes_input = named(default).is_ok_and(|task| !task.takes(InputKind::None));
        (default, if takes_input { text } else { "" })
    });
    Question::from_text(task, input)
}

/// A text that begins with a word between `<` and `>`, such as `<OD>`.
fn marker(text: &str) -> Option<(&str, &str)> {
    let end = text.strip_prefix('<')?.find('>')? + 2;
    let (marker, rest) = text.split_at(end);
    let word = &marker[1..end - 1];
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let is_marker = !word.is_empty() && word.chars().all(is_word);
    is_marker.then(|| (marker, rest.trim()))
}

/// A text that begins with a task's or a cascade's name.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| c == ':' || c.is_whitespace());
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let task = named(name).ok()?;
    let (colon, rest) = match rest.strip_prefix(':') {
        Some(rest) => (true, rest.trim()),
        None => (false, rest.trim()),
    };
    (colon || rest.is_empty() || !task.takes(InputKind::None)).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use florence_postprocess::Input;

    use super::*;
    use crate::limits::Limits;

    fn asked(text: &str, default: &str) -> Result<String, String> {
        let task = question(text, default).and_then(|asked| asked.check(&Limits::default()));
        let task = task.map_err(|error| error.message)?;
        let request = task.as_task();
        let input = match request.and_then(|request| request.input().ok()) {
            Some(Input::Text(text)) => format!(" {text}"),
            Some(Input::Region(region)) => format!(" {region:?}"),
            _ => String::new(),
        };
        Ok(format!("{}{input}", task.name()))
    }

    #[test]
    fn a_leading_token_or_name_is_the_task() {
        for (text, expected) in [
            ("<OD>", "od"),
            (" <od>\n", "od"),
            ("od", "od"),
            ("OCR", "ocr"),
            ("detect_and_segment", "detect_and_segment"),
            (
                "<CAPTION_TO_PHRASE_GROUNDING> a dog",
                "phrase_grounding a dog",
            ),
            (
                "<CAPTION_TO_PHRASE_GROUNDING>a dog",
                "phrase_grounding a dog",
            ),
            (
                "phrase_grounding: a dog: big",
                "phrase_grounding a dog: big",
            ),
            ("phrase_grounding a dog", "phrase_grounding a dog"),
            (
                "open-vocabulary-detection:\na<and>b",
                "open_vocabulary_detection a<and>b",
            ),
            (
                "region_to_ocr 1, 2,3 ,4",
                "region_to_ocr BBox { x1: 1.0, y1: 2.0, x2: 3.0, y2: 4.0 }",
            ),
        ] {
            assert_eq!(asked(text, "caption").as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn any_other_text_asks_for_the_default() {
        for text in [
            "",
            "caption this photo",
            "Describe this image.",
            "What does it say: <what>?",
            "< 3",
            "<>",
            "<a b>",
            "<",
            "日本:",
            "ocr the page",
        ] {
            assert_eq!(
                asked(text, "detailed_caption").as_deref(),
                Ok("detailed_caption"),
                "{text}"
            );
        }
        let grounded = asked("a dog on a sofa", "phrase_grounding");
        assert_eq!(grounded.as_deref(), Ok("phrase_grounding a dog on a sofa"));
        assert_eq!(asked("od", "phrase_grounding").as_deref(), Ok("od"));
    }

    #[test]
    fn wrong_inputs_are_refused() {
        for (text, what) in [
            (
                "<CAPTON> x",
                "unknown task \"<CAPTON>\": did you mean <CAPTION>?",
            ),
            ("<od> a dog", "takes no text"),
            ("caption: a dog", "takes no text"),
            ("phrase_grounding", "needs text"),
            ("region_to_ocr", "needs a region"),
            ("region_to_ocr 1,2,3", "expected x1,y1,x2,y2"),
            ("region_to_ocr 1,2,3,four", "expected x1,y1,x2,y2"),
        ] {
            let message = asked(text, "caption").unwrap_err();
            assert!(message.contains(what), "{text}: {message}");
        }
    }
}
