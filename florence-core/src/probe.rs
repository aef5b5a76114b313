//! A look at the activations on their way: how every stage is held to the
//! reference.

use std::fmt;

use candle_core::Tensor;

/// Told the name and the value of every activation that a forward pass makes.
///
/// Names are formatted only if the closure does so: one that ignores them costs
/// nothing.
pub type Probe<'a> = dyn FnMut(fmt::Arguments<'_>, &Tensor) + 'a;

/// The probe that does not look.
pub(crate) fn blind(_: fmt::Arguments<'_>, _: &Tensor) {}
