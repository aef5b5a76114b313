//! Filters: which objects of a cascade's answer stay.

use std::mem;

use florence_postprocess::{Annotation, Answer};

use super::{CascadeAnswer, CheckedPhrase, Segmented};

impl CascadeAnswer {
    /// Keeps the objects for which `keep` is true, like [`Answer::retain`]: phrases with their
    /// boxes, objects with their descriptions or outlines. The phrases of a checked caption are
    /// statements about it and stay, with their warnings; only their boxes go. The score of those is
    /// the support of the phrase.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CascadeName, Florence};
    ///
    /// let img = image::open("tests/data/scene.png")?;
    /// let request = CascadeName::DetectAndSegment.request();
    /// let mut answer = Florence::nano()?.cascade(request, &img)?.value;
    /// answer.retain(|found| found.label == "star");
    /// assert_eq!(answer.annotations().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&Annotation) -> bool) {
        match self {
            Self::GroundedCaption(grounded) => {
                let mut answer = Answer::Phrases(mem::take(&mut grounded.phrases));
                answer.retain(keep);
                if let Answer::Phrases(phrases) = answer {
                    grounded.phrases = phrases;
                }
            }
            Self::CheckedCaption(checked) => {
                for phrase in &mut checked.phrases {
                    phrase.retain(&mut keep);
                }
            }
            Self::Described(things) => things.retain(|thing| keep(&(&thing.detection).into())),
            Self::Segmented(things) => things.retain_mut(|thing| thing.retain(&mut keep)),
        }
    }

    /// Non-maximum suppression per label, like [`Answer::nms`]; objects with outlines overlap as these
    /// do.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CascadeName, Florence};
    ///
    /// let img = image::open("tests/data/scene.png")?;
    /// let request = CascadeName::DetectAndSegment.request();
    /// let mut answer = Florence::nano()?.cascade(request, &img)?.value;
    /// // A square, a star and a triangle.
    /// answer.nms(0.5);
    /// assert_eq!(answer.annotations().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nms(&mut self, threshold: f32) {
        let mut found = Vec::new();
        self.retain(|object| {
            found.push(object.clone());
            true
        });
        let mut stays = vec![false; found.len()];
        for index in Annotation::nms(&found, threshold) {
            stays[index] = true;
        }
        let mut stays = stays.into_iter();
        self.retain(|_| stays.next().unwrap_or(true));
    }
}

impl CheckedPhrase {
    fn retain(&mut self, mut keep: impl FnMut(&Annotation) -> bool) {
        let stays: Vec<bool> = self.annotations().map(|found| keep(&found)).collect();
        let mut stays = stays.into_iter();
        self.regions.retain(|_| stays.next().unwrap_or(true));
    }
}

impl Segmented {
    /// Whether anything stays.
    fn retain(&mut self, keep: impl FnMut(&Annotation) -> bool) -> bool {
        let stays: Vec<bool> = self.annotations().iter().map(keep).collect();
        if self.instances.is_empty() {
            return stays.contains(&true);
        }
        let mut stays = stays.into_iter();
        self.instances.retain(|_| stays.next().unwrap_or(true));
        !self.instances.is_empty()
    }
}
