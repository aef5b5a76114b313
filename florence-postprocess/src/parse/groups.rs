//! Labels with the locations after them.

use super::events::{Event, Location};
use super::run::Run;

/// A label and the runs of locations behind it; before the first label there may be some without.
pub(super) struct Group {
    pub(super) label: Option<Run>,
    pub(super) runs: Vec<Vec<Location>>,
}

impl Group {
    /// The text of the label, empty without one.
    pub(super) fn text(&self) -> String {
        self.label
            .as_ref()
            .map_or_else(String::new, |label| label.text.clone())
    }

    pub(super) fn label_confidence(&self) -> Option<f32> {
        self.label.as_ref().and_then(|label| label.confidence)
    }
}

/// A label applies to all locations up to the next label.
pub(super) fn groups(events: Vec<Event<'_>>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for event in events {
        match event {
            Event::Text(label) => groups.push(Group {
                label: Some(label),
                runs: Vec::new(),
            }),
            Event::Locations(run) => match groups.last_mut() {
                Some(group) => group.runs.push(run),
                None => groups.push(Group {
                    label: None,
                    runs: vec![run],
                }),
            },
            Event::Marker { .. } => {}
        }
    }
    groups
}
