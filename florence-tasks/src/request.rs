//! Requests and tasks as questions.

use florence_postprocess::{Answer, Input, Request, Task};

use crate::ask::{Ask, Question};
use crate::error::Result;
use crate::prompt::Prompt;

/// The untyped question of command lines and services.
impl Ask for Request {
    type Output = Answer;

    fn question(&self) -> Result<Question> {
        let (task, input) = (self.task(), self.input()?);
        Ok(question(task, |prompt| match input {
            Input::Region(region) => prompt.region(region),
            Input::Text(text) if self.recognizes_special_tokens() => prompt.markup(text),
            Input::Text(text) if task == Task::OpenVocabularyDetection => {
                separated(prompt, text.split("<and>"))
            }
            Input::Text(text) => prompt.text(text),
            _ => prompt,
        }))
    }

    fn read(&self, answer: Answer) -> Answer {
        answer
    }
}

/// A task without input; with input it is a [`Request`].
impl Ask for Task {
    type Output = Answer;

    fn question(&self) -> Result<Question> {
        Request::new(*self).question()
    }

    fn read(&self, answer: Answer) -> Answer {
        answer
    }
}

/// The prompt of a task with its input in place.
pub(crate) fn question(task: Task, input: impl FnOnce(Prompt) -> Prompt) -> Question {
    let template = task.prompt_template();
    let prompt = match template.split_once("{input}") {
        Some((before, after)) => input(Prompt::new().text(before)).text(after),
        None => Prompt::new().text(template),
    };
    Question {
        marker: task.as_str().to_owned(),
        prompt,
        form: task.form(),
    }
}

/// Names separated by the token `<and>`.
pub(crate) fn separated<'a>(prompt: Prompt, names: impl IntoIterator<Item = &'a str>) -> Prompt {
    names
        .into_iter()
        .enumerate()
        .fold(prompt, |prompt, (index, name)| {
            if index == 0 {
                prompt.text(name)
            } else {
                prompt.special("<and>").text(name)
            }
        })
}
