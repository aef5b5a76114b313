//! Tasks that locate objects in the image.

use florence_postprocess::{
    Answer, Detection, Found, GroundedPhrase, Instance, Region, RequestError, Task,
};

use super::ask;
use crate::ask::{Ask, Question};
use crate::error::Result;
use crate::request::{question, separated};

/// Object detection: boxes with category names.
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, Od};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let objects = florence.run(Od, &img)?.into_value();
/// let labels: Vec<&str> = objects.iter().map(|object| object.label.as_str()).collect();
/// assert_eq!(labels, ["square", "star", "triangle"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Od;

ask!(Od => Vec<Detection>, |_this| Task::Od, Boxes);

/// Boxes with descriptions.
///
/// # Example
///
/// ```
/// use florence_tasks::{DenseRegionCaption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let objects = florence.run(DenseRegionCaption, &img)?.into_value();
/// assert!(objects.iter().any(|object| object.label == "large brown star"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DenseRegionCaption;

ask!(DenseRegionCaption => Vec<Detection>, |_this| Task::DenseRegionCaption, Boxes);

/// Boxes around salient objects, without names.
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, RegionProposal};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let regions = florence.run(RegionProposal, &img)?.into_value();
/// assert!(regions.len() >= 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RegionProposal;

ask!(RegionProposal => Vec<Region>, |_this| Task::RegionProposal, Proposals);

/// The boxes of a caption's phrases.
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, PhraseGrounding};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let caption = "a brown star and a blue triangle";
/// let phrases = florence.run(PhraseGrounding(caption), &img)?.into_value();
/// assert_eq!(phrases[0].phrase, "a brown star");
/// assert_eq!(phrases[1].phrase, "a blue triangle");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhraseGrounding<'a>(
    /// The caption. Special tokens in it are characters.
    pub &'a str,
);

ask!(PhraseGrounding<'_> => Vec<GroundedPhrase>, |this| Task::PhraseGrounding.with_text(this.0), Phrases);

/// The outline of the object that an expression refers to.
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, ReferringSegmentation};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let instances = florence.run(ReferringSegmentation("the brown star"), &img)?.into_value();
/// assert_eq!(instances[0].polygons().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReferringSegmentation<'a>(
    /// The expression. Special tokens in it are characters.
    pub &'a str,
);

ask!(ReferringSegmentation<'_> => Vec<Instance>, |this| Task::ReferringSegmentation.with_text(this.0), Polygons);

/// Open-vocabulary detection: objects of one name, or of several.
///
/// # Example: one name
///
/// ```
/// use florence_tasks::{Florence, OpenVocabularyDetection};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let found = florence.run(OpenVocabularyDetection("brown star"), &img)?.into_value();
/// assert_eq!(found.detections[0].label, "brown star");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Example: several
///
/// ```
/// use florence_tasks::{Florence, OpenVocabularyDetection};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let found = florence.run(OpenVocabularyDetection(["brown star", "red square"]), &img)?;
/// assert_eq!(found.value.detections.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpenVocabularyDetection<P>(
    /// The names: a `&str`, or an array, slice or vector of strings. Special tokens in them are
    /// characters; the token `<and>` separates them.
    pub P,
);

impl<P: Phrases> Ask for OpenVocabularyDetection<P> {
    type Output = Found;

    fn question(&self) -> Result<Question> {
        let task = Task::OpenVocabularyDetection;
        let names: Vec<&str> = self.0.phrases().into_iter().map(str::trim).collect();
        if names.is_empty() || names.contains(&"") {
            return Err(RequestError::MissingText { task }.into());
        }
        Ok(question(task, |prompt| separated(prompt, names)))
    }

    fn read(&self, answer: Answer) -> Found {
        if let Answer::BoxesOrPolygons(found) = answer {
            found
        } else {
            Found::default()
        }
    }
}

/// One phrase or several: a string, or an array, slice or vector of strings.
///
/// # Example
///
/// ```
/// use florence_tasks::Phrases;
///
/// assert_eq!("a car".phrases(), ["a car"]);
/// assert_eq!(["a car", "a house"].phrases(), ["a car", "a house"]);
/// assert_eq!(vec!["a car".to_owned()].phrases(), ["a car"]);
/// ```
pub trait Phrases {
    /// The phrases in order.
    fn phrases(&self) -> Vec<&str>;
}

impl Phrases for str {
    fn phrases(&self) -> Vec<&str> {
        vec![self]
    }
}

impl Phrases for String {
    fn phrases(&self) -> Vec<&str> {
        vec![self]
    }
}

impl<S: AsRef<str>> Phrases for [S] {
    fn phrases(&self) -> Vec<&str> {
        self.iter().map(AsRef::as_ref).collect()
    }
}

impl<S: AsRef<str>, const N: usize> Phrases for [S; N] {
    fn phrases(&self) -> Vec<&str> {
        self.as_slice().phrases()
    }
}

impl<S: AsRef<str>> Phrases for Vec<S> {
    fn phrases(&self) -> Vec<&str> {
        self.as_slice().phrases()
    }
}

impl<P: Phrases + ?Sized> Phrases for &P {
    fn phrases(&self) -> Vec<&str> {
        (**self).phrases()
    }
}
