//! Drawing of cascade answers.

use florence_draw::{Mark, Marks};

use super::{CascadeAnswer, CheckedCaption, CheckedPhrase, Described, GroundedCaption, Segmented};

impl Marks for CascadeAnswer {
    fn marks(&self) -> Vec<Mark> {
        match self {
            Self::GroundedCaption(grounded) => grounded.marks(),
            Self::CheckedCaption(checked) => checked.marks(),
            Self::Described(things) => things.marks(),
            Self::Segmented(things) => things.marks(),
        }
    }
}

impl Marks for GroundedCaption {
    fn marks(&self) -> Vec<Mark> {
        self.phrases.marks()
    }
}

impl Marks for CheckedCaption {
    fn marks(&self) -> Vec<Mark> {
        self.phrases.marks()
    }
}

impl Marks for CheckedPhrase {
    /// The confidence is the support; unsupported phrases get a question mark.
    fn marks(&self) -> Vec<Mark> {
        let marks = self.annotations().map(Mark::from);
        marks.map(|mark| mark.with_label(self.label())).collect()
    }
}

impl Marks for Described {
    fn marks(&self) -> Vec<Mark> {
        let mark = Mark::new(self.detection.bbox).with_label(&self.description.text);
        vec![mark.with_confidence(self.detection.confidence)]
    }
}

impl Marks for Segmented {
    /// The box if there is no outline.
    fn marks(&self) -> Vec<Mark> {
        self.annotations().into_iter().map(Mark::from).collect()
    }
}
