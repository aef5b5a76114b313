//! Questions, and what their answers become.

use florence_postprocess::{Answer, AnswerForm};

use crate::error::Result;
use crate::prompt::Prompt;

/// Something that can be asked about an image.
///
/// [`Task`](crate::Task) and [`Request`](crate::Request) are answered by an [`Answer`], the types
/// of the fifteen tasks ([`Od`](crate::Od), [`Caption`](crate::Caption) …) by what their answer is
/// made of. Implement it for questions of your own.
///
/// # Example: a question with an answer of your own
///
/// ```
/// use florence_tasks::{Answer, Ask, Florence, Question, Result, Task};
///
/// /// How many things the model finds.
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
/// println!("{} things", florence.run(Count, &img)?.value);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Ask {
    /// What the answer becomes.
    type Output;

    /// What the model is asked, and the form of its answer.
    ///
    /// # Errors
    ///
    /// When something that the question needs is missing or superfluous.
    fn question(&self) -> Result<Question>;

    /// Turns the answer, which has the form that [`question`](Ask::question) asked for, into what
    /// the user gets.
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

/// What the model is asked, and how its answer is to be read.
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
    /// The marker of the task, such as `<OD>`: the key of the published processors' dicts.
    pub marker: String,
    /// What the model is asked.
    pub prompt: Prompt,
    /// How its answer is to be read.
    pub form: AnswerForm,
}
