//! The error of a name that nothing has.

use std::fmt;

use florence_postprocess::Task;

use crate::cascade::CascadeName;

/// A name that is neither that of a task or a cascade nor a marker, or a marker that is a typing
/// error away from a task token.
///
/// # Example
///
/// ```
/// use florence_tasks::AnyTask;
///
/// let error = "detect".parse::<AnyTask>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown task \"detect\": expected one of caption, "));
///
/// let error = "<CAPTON>".parse::<AnyTask>().unwrap_err();
/// assert_eq!(error.suggestion, Some("<CAPTION>"));
/// assert_eq!(error.to_string(), "unknown task \"<CAPTON>\": did you mean <CAPTION>?");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownAnyTask {
    /// The name.
    pub name: String,
    /// The task or cascade that was probably meant.
    pub suggestion: Option<&'static str>,
}

impl UnknownAnyTask {
    pub(super) fn new(name: &str) -> Self {
        let tokens = Task::ALL.iter().map(|task| task.as_str());
        let names = super::AnyTask::names();
        let close = names.chain(tokens).filter_map(|known| {
            let distance = strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
            // Short names are close to many words.
            let allowed = match known.trim_matches(['<', '>']).len() {
                0..=3 => 0,
                4..=9 => 1,
                _ => 2,
            };
            (distance <= allowed).then_some((distance, known))
        });
        Self {
            name: name.to_owned(),
            suggestion: close
                .min_by_key(|(distance, _)| *distance)
                .map(|(_, known)| known),
        }
    }
}

impl fmt::Display for UnknownAnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(suggestion) = self.suggestion {
            return write!(
                f,
                "unknown task {:?}: did you mean {suggestion}?",
                self.name
            );
        }
        write!(
            f,
            "unknown task {:?}: expected one of {}; or a cascade, one of {}; or the marker of a fine-tune, such as \
             <GENERATE_TAGS>",
            self.name,
            list(Task::ALL.iter().map(|task| task.name())),
            list(CascadeName::ALL.iter().map(|cascade| cascade.name())),
        )
    }
}

impl std::error::Error for UnknownAnyTask {}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
