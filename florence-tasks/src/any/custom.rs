//! A marker or prompt of a fine-tune, with its text or region.

use florence_postprocess::{Answer, AnswerForm, BBox};

use crate::ask::{Ask, Question};
use crate::custom::Custom;
use crate::error::Result;

/// A custom question that text and region are appended to when it is asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CustomRequest {
    base: Custom,
    text: Option<String>,
    region: Option<BBox>,
    special_tokens: bool,
}

impl CustomRequest {
    pub(super) fn new(base: Custom) -> Self {
        Self {
            base,
            text: None,
            region: None,
            special_tokens: false,
        }
    }

    pub(super) fn with_input(self, text: Option<&str>, region: Option<BBox>) -> Self {
        Self {
            text: text.map(str::to_owned),
            region,
            ..self
        }
    }

    pub(super) fn recognize_special_tokens(self, yes: bool) -> Self {
        Self {
            special_tokens: yes,
            ..self
        }
    }

    pub(super) fn answer(self, form: AnswerForm) -> Self {
        Self {
            base: self.base.answer(form),
            ..self
        }
    }

    pub(super) fn marker(&self) -> &str {
        &self.base.question.marker
    }

    pub(super) fn form(&self) -> AnswerForm {
        self.base.question.form
    }
}

impl Ask for CustomRequest {
    type Output = Answer;

    fn question(&self) -> Result<Question> {
        let mut question = self.base.question.clone();
        if let Some(text) = &self.text {
            question.prompt = if self.special_tokens {
                question.prompt.markup(text)
            } else {
                question.prompt.text(text)
            };
        }
        if let Some(region) = self.region {
            question.prompt = question.prompt.region(region);
        }
        Ok(question)
    }

    fn read(&self, answer: Answer) -> Answer {
        answer
    }
}

/// Whether a name is a marker: a word in angle brackets, such as `<GENERATE_TAGS>`.
pub(super) fn is_marker(name: &str) -> bool {
    let word = name
        .strip_prefix('<')
        .and_then(|name| name.strip_suffix('>'));
    word.is_some_and(|word| {
        !word.is_empty()
            && !word.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '/'))
    })
}
