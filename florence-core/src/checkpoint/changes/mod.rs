//! What adapters change of each tensor of a checkpoint.

mod delta;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use delta::{Delta, Form, Product};

use super::place::Place;
use super::source::Source;

/// A tensor in the file of an adapter.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) source: Arc<Source>,
    pub(super) place: Place,
}

/// One change of a tensor.
#[derive(Debug)]
pub(super) enum Change {
    /// Other values in its place.
    Replace(Tensor, Kind),
    /// Something to add to its values.
    Add(Delta),
}

/// What a tensor that replaces another one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The adapter's own copy of a module (`modules_to_save`), which unties it.
    Copy,
    /// Another value of the base's parameter: a trained bias, a table that was saved with the adapter.
    Base,
}

/// The changes by the native names of tensors, in the order of the adapters.
///
/// The values of a tensor are those of its last replacement, or the base's, and everything that is
/// added to them: as PEFT computes with several active adapters.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(BTreeMap<String, Vec<Arc<Change>>>);

impl Changes {
    pub(super) fn of(&self, name: &str) -> &[Arc<Change>] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether two tensors are changed in the same way.
    pub(super) fn are_equal(&self, one: &str, other: &str) -> bool {
        let (one, other) = (self.of(one), self.of(other));
        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    pub(super) fn push(&mut self, name: &str, change: Arc<Change>) {
        self.0.entry(name.to_owned()).or_default().push(change);
    }
}
