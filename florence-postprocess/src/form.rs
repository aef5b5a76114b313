//! Answer forms: how the tokens of an answer are parsed.

use std::fmt;
use std::str::FromStr;

/// How the tokens of an answer are parsed: the grammar of the answer.
///
/// Every [`Task`](crate::Task) has one: [`Task::form`](crate::Task::form), or [`AnswerForm::from_task`] for the name of a task.
///
/// # Example
///
/// ```
/// use florence_postprocess::AnswerForm;
///
/// assert_eq!("boxes_or_polygons".parse(), Ok(AnswerForm::BoxesOrPolygons));
/// assert_eq!(AnswerForm::Quads.to_string(), "quads");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AnswerForm {
    /// Plain text. Locations and markers do not belong there and are diagnosed.
    Text,
    /// Text with location and marker tokens spelled out, for fine-tunes with a grammar of their
    /// own. The only diagnostics are about bytes that are not UTF-8.
    Markup,
    /// Labels, each followed by one or more boxes of four locations:
    /// `car<loc_1><loc_2><loc_3><loc_4>`.
    Boxes,
    /// Boxes alone.
    Proposals,
    /// Like [`Boxes`](AnswerForm::Boxes), grouped by phrase.
    Phrases,
    /// Lines of text, each followed by eight locations: four corners.
    Quads,
    /// Instances between `<poly>` and `</poly>`, or bare: locations x, y, x, y, …; several
    /// polygons of one instance are separated by `<sep>`.
    Polygons,
    /// Labels with boxes of four locations, or with instances between `<poly>` and `</poly>`.
    BoxesOrPolygons,
}

impl AnswerForm {
    /// Every form.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::AnswerForm;
    ///
    /// for form in AnswerForm::ALL {
    ///     assert_eq!(form.as_str().parse(), Ok(*form));
    /// }
    /// ```
    pub const ALL: &'static [AnswerForm] = &[
        AnswerForm::Text,
        AnswerForm::Markup,
        AnswerForm::Boxes,
        AnswerForm::Proposals,
        AnswerForm::Phrases,
        AnswerForm::Quads,
        AnswerForm::Polygons,
        AnswerForm::BoxesOrPolygons,
    ];

    /// The name in snake case, as it is printed, parsed and serialized.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::AnswerForm;
    ///
    /// assert_eq!(AnswerForm::BoxesOrPolygons.as_str(), "boxes_or_polygons");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            AnswerForm::Text => "text",
            AnswerForm::Markup => "markup",
            AnswerForm::Boxes => "boxes",
            AnswerForm::Proposals => "proposals",
            AnswerForm::Phrases => "phrases",
            AnswerForm::Quads => "quads",
            AnswerForm::Polygons => "polygons",
            AnswerForm::BoxesOrPolygons => "boxes_or_polygons",
        }
    }
}

impl fmt::Display for AnswerForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of no [`AnswerForm`].
///
/// # Example
///
/// ```
/// use florence_postprocess::AnswerForm;
///
/// let error = "circles".parse::<AnswerForm>().unwrap_err();
/// assert_eq!(error.name, "circles");
/// assert_eq!(
///     error.to_string(),
///     "unknown answer form \"circles\": expected text, markup, boxes, proposals, phrases, quads, \
///      polygons or boxes_or_polygons",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownForm {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = AnswerForm::ALL.iter().map(|form| form.as_str()).collect();
        let (last, others) = names.split_last().unwrap_or((&"", &[]));
        let others = others.join(", ");
        write!(
            f,
            "unknown answer form {:?}: expected {others} or {last}",
            self.name
        )
    }
}

impl std::error::Error for UnknownForm {}

impl FromStr for AnswerForm {
    type Err = UnknownForm;

    fn from_str(name: &str) -> Result<Self, UnknownForm> {
        let mut all = AnswerForm::ALL.iter().copied();
        all.find(|form| form.as_str() == name)
            .ok_or_else(|| UnknownForm {
                name: name.to_owned(),
            })
    }
}
