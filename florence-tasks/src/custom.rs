//! Tasks and prompts of fine-tunes.

use florence_postprocess::{Answer, AnswerForm, BBox};

use crate::ask::{Ask, Question};
use crate::error::Result;
use crate::prompt::Prompt;

/// A question beyond the published tasks: the task token of a fine-tune, or any prompt, with the
/// form of its answer.
///
/// # Example: a task token
///
/// ```
/// use florence_tasks::{Custom, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let tags = florence.run(Custom::marker("<GENERATE_TAGS>"), &img)?;
/// assert!(tags.value.text().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Example: a task token with text
///
/// ```
/// use florence_tasks::{Ask, Custom, Size};
///
/// let custom = Custom::marker("<DocVQA>").text("What is the total?");
/// let prompt = custom.question()?.prompt;
/// assert_eq!(prompt.to_text(Size::new(640, 480))?, "<DocVQA>What is the total?");
/// # Ok::<(), florence_tasks::Error>(())
/// ```
///
/// # Example: a custom prompt, answered by boxes
///
/// ```
/// use florence_tasks::{AnswerForm, Custom, Florence, Prompt};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let prompt = Prompt::new().text("Locate the objects with category name in the image.");
/// let found = florence.run(Custom::prompt(prompt).answer(AnswerForm::Boxes), &img)?;
/// assert_eq!(found.value.detections().len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Custom {
    pub(crate) question: Question,
}

impl Custom {
    /// A task token that goes to the model as it is: one token if the checkpoint's vocabulary has
    /// it, else text. The answer is plain text unless [set otherwise](Custom::answer).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Ask, Custom, Size};
    ///
    /// let question = Custom::marker("<GENERATE_TAGS>").question()?;
    /// assert_eq!(question.prompt.to_text(Size::new(640, 480))?, "<GENERATE_TAGS>");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn marker(marker: impl Into<String>) -> Self {
        let marker = marker.into();
        let prompt = Prompt::new().markup(marker.as_str());
        Self {
            question: Question {
                marker,
                prompt,
                form: AnswerForm::Text,
            },
        }
    }

    /// A prompt that goes to the model as it is. The answer is plain text unless [set
    /// otherwise](Custom::answer), and its task token is `<CUSTOM>`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Ask, Custom, Prompt};
    ///
    /// let question = Custom::prompt(Prompt::new().text("How many cars are there?")).question()?;
    /// assert_eq!(question.marker, "<CUSTOM>");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prompt(prompt: Prompt) -> Self {
        let marker = "<CUSTOM>".to_owned();
        Self {
            question: Question {
                marker,
                prompt,
                form: AnswerForm::Text,
            },
        }
    }

    /// Appends text; special tokens in it are characters.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Ask, Custom, Size};
    ///
    /// let question = Custom::marker("<DocVQA>").text("What is the total?").question()?;
    /// assert_eq!(question.prompt.to_text(Size::new(640, 480))?, "<DocVQA>What is the total?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.question.prompt = self.question.prompt.text(text);
        self
    }

    /// Appends a region in pixels of the original image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Ask, BBox, Custom, Size};
    ///
    /// let custom = Custom::marker("<REGION_TO_MOOD>").region(BBox::new(0.0, 0.0, 320.0, 240.0));
    /// assert_eq!(
    ///     custom.question()?.prompt.to_text(Size::new(640, 480))?,
    ///     "<REGION_TO_MOOD><loc_0><loc_0><loc_500><loc_500>",
    /// );
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn region(mut self, region: BBox) -> Self {
        self.question.prompt = self.question.prompt.region(region);
        self
    }

    /// Sets the form in which the answer is parsed.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerForm, Ask, Custom};
    ///
    /// let question = Custom::marker("<PANELS>").answer(AnswerForm::Boxes).question()?;
    /// assert_eq!(question.form, AnswerForm::Boxes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn answer(mut self, form: AnswerForm) -> Self {
        self.question.form = form;
        self
    }
}

impl Ask for Custom {
    type Output = Answer;

    fn question(&self) -> Result<Question> {
        Ok(self.question.clone())
    }

    fn read(&self, answer: Answer) -> Answer {
        answer
    }
}
