//! Generation options of a request.

use florence_tasks::GenerationConfig;
use serde::Deserialize;

use crate::limits::Limits;

/// Generation options of a request; requests with equal options can be answered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    #[serde(default)]
    num_beams: Option<usize>,
    #[serde(default)]
    max_new_tokens: Option<usize>,
}

impl Options {
    /// The server's options, for an answer of at most so many tokens: what a limit does not allow is
    /// not asked for.
    pub(crate) fn at_most(tokens: Option<u64>, limits: &Limits) -> Self {
        let tokens = tokens.map(|tokens| usize::try_from(tokens).unwrap_or(usize::MAX));
        Self {
            num_beams: None,
            max_new_tokens: tokens.map(|tokens| tokens.min(limits.max_new_tokens)),
        }
    }

    /// # Errors
    ///
    /// What is out of range, and the range.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), String> {
        for (name, value, max) in [
            ("num_beams", self.num_beams, limits.max_beams),
            ("max_new_tokens", self.max_new_tokens, limits.max_new_tokens),
        ] {
            if let Some(value) = value
                && !(1..=max).contains(&value)
            {
                return Err(format!("{name} is {value}, expected 1 to {max}"));
            }
        }
        Ok(())
    }

    pub(super) fn apply(&self, defaults: &GenerationConfig, limits: &Limits) -> GenerationConfig {
        let beams = defaults.get_num_beams().min(limits.max_beams);
        let tokens = defaults.get_max_new_tokens().min(limits.max_new_tokens);
        defaults
            .clone()
            .num_beams(self.num_beams.unwrap_or(beams))
            .max_new_tokens(self.max_new_tokens.unwrap_or(tokens))
    }
}
