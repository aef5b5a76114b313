//! File names of weights.

/// Weights in one file.
pub(crate) const SINGLE: &str = "model.safetensors";
/// The index of weights in several files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// The same two in PyTorch's own format.
pub(crate) const PICKLE: &str = "pytorch_model.bin";
pub(crate) const PICKLE_INDEX: &str = "pytorch_model.bin.index.json";
