//! Questions and the types of their answers.

use florence_postprocess::{Answer, AnswerForm};

use crate::error::Result;
use crate::prompt::Prompt;

/// A question about an image.
///
/// [`Task`](crate::Task) and [`Request`](crate::Request) are answered by an [`Answer`], the types
/// of the fifteen tasks ([`Od`](crate::Od), [`Caption`](crate::Caption) …) by a type of their own.
/// Implement it for other questions.
///
/// # Example: a question with its own answer type
///
/// ```
/// use florence_tasks::{Answer, Ask, Florence, Question, Result, Task};
///
/// /// The number of objects that the model finds.
/// struct Count;
///
/// impl Ask for Count {
///     type Output = usize;
///
///     fn question(&self) -> Result<Question> {
///         Task::Od.question()
///     }
///
///     fn read(&self, answer: Answer) -> usize {
///         answer.detections().len()
///     }
/// }
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// assert_eq!(florence.run(Count, &img)?.value, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Ask {
    /// The type of the answer.
    type Output;

    /// The prompt, and the form of its answer.
    ///
    /// # Errors
    ///
    /// When an input of the question is missing or superfluous.
    fn question(&self) -> Result<Question>;

    /// Converts the answer, which has the form that [`question`](Ask::question) asked for.
    fn read(&self, answer: Answer) -> Self::Output;
}

impl<A: Ask + ?Sized> Ask for &A {
    type Output = A::Output;

    fn question(&self) -> Result<Question> {
        (**self).question()
    }

    fn read(&self, answer: Answer) -> Self::Output {
        (**self).read(answer)
    }
}

/// A prompt, and how its answer is parsed.
///
/// # Example
///
/// ```
/// use florence_tasks::{Ask, Od, Size};
///
/// let question = Od.question()?;
/// assert_eq!(question.marker, "<OD>");
/// assert_eq!(
///     question.prompt.to_text(Size::new(640, 480))?,
///     "Locate the objects with category name in the image.",
/// );
/// # Ok::<(), florence_tasks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The task token, such as `<OD>`: the key of the published processors' dicts.
    pub marker: String,
    /// The prompt.
    pub prompt: Prompt,
    /// How the answer is parsed.
    pub form: AnswerForm,
}
