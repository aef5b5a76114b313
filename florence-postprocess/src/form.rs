//! The forms that answers come in.

use std::fmt;
use std::str::FromStr;

/// How the tokens of an answer are to be read.
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
    /// Text with location and marker tokens spelt out, for fine-tunes with a language of their
    /// own. Nothing is odd here but bytes that are not UTF-8.
    Markup,
    /// Labels, each with one or more boxes of four locations behind it:
    /// `car<loc_1><loc_2><loc_3><loc_4>`.
    Boxes,
    /// Boxes alone.
    Proposals,
    /// Like [`Boxes`](AnswerForm::Boxes), kept together by phrase.
    Phrases,
    /// Lines of text, each with eight locations behind it: four corners.
    Quads,
    /// Things between `<poly>` and `</poly>`, or bare: locations x, y, x, y, …, several polygons
    /// of one thing separated by `<sep>`.
    Polygons,
    /// Labels with boxes of four locations, or with things between `<poly>` and `</poly>`.
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
    ///     assert_eq!(form.as_str().parse(), Ok(form));
    /// }
    /// ```
    pub const ALL: [AnswerForm; 8] = [
        AnswerForm::Text,
        AnswerForm::Markup,
        AnswerForm::Boxes,
        AnswerForm::Proposals,
        AnswerForm::Phrases,
        AnswerForm::Quads,
        AnswerForm::Polygons,
        AnswerForm::BoxesOrPolygons,
    ];

    /// The name in snake case, as it is serialised.
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

/// A name that is not one of an [`AnswerForm`].
///
/// # Example
///
/// ```
/// use florence_postprocess::AnswerForm;
///
/// let error = "circles".parse::<AnswerForm>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "unknown answer form \"circles\": expected text, markup, boxes, proposals, phrases, quads, \
///      polygons or boxes_or_polygons",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown answer form {0:?}: expected text, markup, boxes, proposals, phrases, quads, \
     polygons or boxes_or_polygons"
)]
pub struct UnknownForm(pub String);

impl FromStr for AnswerForm {
    type Err = UnknownForm;

    fn from_str(name: &str) -> Result<Self, UnknownForm> {
        AnswerForm::ALL
            .into_iter()
            .find(|form| form.as_str() == name)
            .ok_or_else(|| UnknownForm(name.to_owned()))
    }
}
