//! Tasks about the whole image with text answers.

use florence_postprocess::{Task, Text, TextRegion};

use super::ask;

/// One sentence about the image.
///
/// # Example
///
/// ```
/// use florence_tasks::{Caption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let answer = florence.run(Caption, &img)?;
/// assert_eq!(answer.value.text, "a red square, a brown star and a blue triangle with text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Caption;

ask!(Caption => Text, |_this| Task::Caption, Text);

/// A few sentences about the image.
///
/// # Example
///
/// ```
/// use florence_tasks::{DetailedCaption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let answer = florence.run(DetailedCaption, &img)?;
/// assert!(answer.value.text.contains("large brown star"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DetailedCaption;

ask!(DetailedCaption => Text, |_this| Task::DetailedCaption, Text);

/// A paragraph about the image.
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, MoreDetailedCaption};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let answer = florence.run(MoreDetailedCaption, &img)?;
/// assert!(answer.value.text.contains("large brown star"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MoreDetailedCaption;

ask!(MoreDetailedCaption => Text, |_this| Task::MoreDetailedCaption, Text);

/// The text in the image.
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, Ocr};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let answer = florence.run(Ocr, &img)?;
/// assert_eq!(answer.value.text, "frost");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ocr;

ask!(Ocr => Text, |_this| Task::Ocr, Text);

/// The text in the image, line by line, each with the four corners of its quad.
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, OcrWithRegion};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let lines = florence.run(OcrWithRegion, &img)?.into_value();
/// assert_eq!(lines[0].text, "frost");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OcrWithRegion;

ask!(OcrWithRegion => Vec<TextRegion>, |_this| Task::OcrWithRegion, Quads);
