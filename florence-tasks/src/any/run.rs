//! Runs what was chosen by name.

use florence_core::GenerationConfig;

use super::{AnyOutput, AnyTask, Kind};
use crate::encoded::EncodedImage;
use crate::error::Result;
use crate::florence::Florence;
use crate::source::ImageSource;

impl EncodedImage {
    /// Runs a task or cascade chosen by name.
    ///
    /// # Errors
    ///
    /// As [`EncodedImage::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let task: AnyTask = "detect_and_describe".parse()?;
    /// assert!(!photo.run_any(&task)?.annotations().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_any(&self, task: &AnyTask) -> Result<AnyOutput> {
        self.run_any_with(task, self.generation())
    }

    /// As [`run_any`](EncodedImage::run_any), with these options.
    ///
    /// # Errors
    ///
    /// As [`EncodedImage::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = florence.generation().clone().num_beams(1);
    /// assert!(photo.run_any_with(&Task::Od.into(), &greedy).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_any_with(&self, task: &AnyTask, options: &GenerationConfig) -> Result<AnyOutput> {
        task.check()?;
        match &task.kind {
            Kind::Task(request) => Ok(AnyOutput::Task(self.run_with(request, options)?)),
            Kind::Custom(request) => Ok(AnyOutput::Task(self.run_with(request, options)?)),
            Kind::Cascade(request) => {
                let output = self.cascade_with(request, options)?;
                Ok(AnyOutput::Cascade(request.name(), output))
            }
        }
    }
}

impl Florence {
    /// Runs a task or cascade chosen by name on an image.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`].
    ///
    /// # Example
    ///
    /// See [`AnyTask`].
    pub fn run_any<I: ImageSource + ?Sized>(&self, task: &AnyTask, image: &I) -> Result<AnyOutput> {
        // Refused before the vision tower runs, where that is possible.
        task.check()?;
        self.encode(image)?.run_any(task)
    }

    /// Runs tasks and cascades chosen by name, each on its encoded image, with these options; a
    /// result for each, in order. All but cascades are answered in one batch.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let tasks: [AnyTask; 2] = ["od".parse()?, "check_caption".parse()?];
    /// let questions = tasks.iter().map(|task| (task, &photo));
    /// let outputs = florence.run_any_batch(questions, florence.generation());
    /// assert!(outputs[0].is_ok());
    /// assert!(outputs[1].is_err()); // it needs a text
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_any_batch<'q>(
        &self,
        questions: impl IntoIterator<Item = (&'q AnyTask, &'q EncodedImage)>,
        options: &GenerationConfig,
    ) -> Vec<Result<AnyOutput>> {
        let questions: Vec<_> = questions.into_iter().collect();
        let valid = |task: &AnyTask| task.check().is_ok();
        let asks = questions.iter().filter(|(task, _)| valid(task));
        let asks = asks.filter_map(|(task, image)| Some((task.as_ask()?, *image)));
        let mut together = self.run_batch_with(asks, options).into_iter();
        let outputs = questions.iter().map(|(task, image)| {
            let answered = match task.as_ask() {
                Some(_) if valid(task) => together.next(),
                _ => None,
            };
            match answered {
                Some(output) => output.map(AnyOutput::Task),
                None => image.run_any_with(task, options),
            }
        });
        outputs.collect()
    }
}
