//! Probes: callbacks on activations, by which every stage is compared with the reference.

use std::fmt;

use candle_core::{Result, Tensor};

use crate::backend::Backend;

/// A callback that gets the name and the value of every activation of a forward pass:
/// `(batch, tokens, dim)`, `f32` on the host.
pub type Probe<'a> = dyn FnMut(fmt::Arguments<'_>, &Tensor) + 'a;

/// An optional probe: without one, nothing is copied or formatted.
pub(crate) struct Observer<'a>(Option<&'a mut Probe<'a>>);

impl<'a> Observer<'a> {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn new(probe: &'a mut Probe<'_>) -> Self {
        Self(Some(probe))
    }

    /// Whether there is a probe.
    pub(crate) fn is_active(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn observe<B: Backend>(
        &mut self,
        backend: &B,
        name: fmt::Arguments<'_>,
        x: &B::Tensor,
    ) -> Result<()> {
        if let Some(probe) = &mut self.0 {
            probe(name, &backend.copy(x)?);
        }
        Ok(())
    }
}
