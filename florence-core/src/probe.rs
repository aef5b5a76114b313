//! A look at the activations on their way: how every stage is held to the
//! reference.

use std::fmt;

use candle_core::{Result, Tensor};

use crate::backend::Backend;

/// Told the name and the value of every activation that a forward pass makes:
/// `(batch, tokens, dim)`, `f32` on the host.
pub type Probe<'a> = dyn FnMut(fmt::Arguments<'_>, &Tensor) + 'a;

/// Someone who may look: without a probe, nothing is copied or formatted.
pub(crate) struct Observer<'a>(Option<&'a mut Probe<'a>>);

impl<'a> Observer<'a> {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn new(probe: &'a mut Probe<'_>) -> Self {
        Self(Some(probe))
    }

    /// Whether someone looks.
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
