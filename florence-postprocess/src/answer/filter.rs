//! Filters: which objects of an answer stay.

use super::{Annotation, Answer, GroundedPhrase};

impl Answer {
    /// Keeps the objects for which `keep` is true, called once for each in the order of
    /// [`Annotation::from_answer`]. A phrase stays with its remaining boxes, and goes with the last
    /// one. Texts have no objects and stay.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707>door<loc_1><loc_2><loc_3><loc_4></s>";
    /// let mut answer = parse_text(AnswerForm::Boxes, answer, Size::new(640, 480)).answer;
    /// answer.retain(|found| found.label == "car");
    /// assert_eq!(answer.detections().len(), 1);
    /// // Without log-probabilities the score is not known.
    /// answer.retain(|found| found.score.is_none_or(|score| score >= 0.5));
    /// assert_eq!(answer.detections().len(), 1);
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&Annotation) -> bool) {
        match self {
            Self::Text(_) | Self::Markup(_) => {}
            Self::Boxes(found) => found.retain(|found| keep(&found.into())),
            Self::Proposals(regions) => regions.retain(|region| keep(&region.into())),
            Self::Phrases(phrases) => {
                phrases.retain_mut(|phrase| {
                    let had_none = phrase.regions.is_empty();
                    phrase.retain(&mut keep);
                    had_none || !phrase.regions.is_empty()
                });
            }
            Self::Quads(lines) => lines.retain(|line| keep(&line.into())),
            Self::Polygons(instances) => instances.retain(|found| keep(&found.into())),
            Self::BoxesOrPolygons(found) => {
                found.detections.retain(|found| keep(&found.into()));
                found.instances.retain(|found| keep(&found.into()));
            }
        }
    }

    /// Non-maximum suppression: removes an object where a better one of its label that stays
    /// overlaps it by more than `threshold` (IoU, 0 to 1). The others keep their order; see
    /// [`Annotation::nms`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let answer = "</s><s>cat<loc_0><loc_0><loc_99><loc_99>dog<loc_0><loc_0><loc_99><loc_99>\
    ///     cat<loc_1><loc_0><loc_99><loc_99></s>";
    /// let mut answer = parse_text(AnswerForm::Boxes, answer, Size::new(640, 480)).answer;
    /// answer.nms(0.5);
    /// let labels: Vec<&str> = answer.detections().iter().map(|found| found.label.as_str()).collect();
    /// assert_eq!(labels, ["cat", "dog"]);
    /// ```
    pub fn nms(&mut self, threshold: f32) {
        let found = Annotation::from_answer(self);
        let mut stays = vec![false; found.len()];
        for index in Annotation::nms(&found, threshold) {
            stays[index] = true;
        }
        let mut stays = stays.into_iter();
        self.retain(|_| stays.next().unwrap_or(true));
    }
}

impl GroundedPhrase {
    /// Keeps the boxes for which `keep` is true.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, GroundedPhrase, Region};
    ///
    /// let regions = [0.2, 0.9].map(|score| Region::new(BBox::default()).with_confidence(score));
    /// let mut cats = GroundedPhrase::new("two cats", regions.to_vec());
    /// cats.retain(|found| found.label == "two cats" && found.score > Some(0.5));
    /// assert_eq!(cats.regions.len(), 1);
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&Annotation) -> bool) {
        let Self {
            phrase, regions, ..
        } = self;
        regions.retain(|region| {
            let mut found = Annotation::from(region);
            found.label.clone_from(phrase);
            keep(&found)
        });
    }
}
