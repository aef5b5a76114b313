//! Reads the layers of a network from a checkpoint, or takes them from another network of it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::backend::Backend;
use crate::checkpoint::Parameter;
use crate::error::Result;

/// The linear layers of a network that no adapter changes, by the tensors that they are made of.
/// Clones of a layer share its memory.
#[derive(Debug)]
pub(crate) struct LinearLayers<B: Backend>(BTreeMap<Tensors, B::Linear>);

#[cfg(test)]
impl<B: Backend> LinearLayers<B> {
    /// A line for each layer, with the names of its tensors, and the layer.
    pub(crate) fn named(&self) -> impl Iterator<Item = (String, &B::Linear)> {
        let layers = self.0.iter();
        layers.map(|((weights, biases), layer)| ([&**weights, biases].concat().join(" "), layer))
    }
}

/// The names of weights and biases.
type Tensors = (Vec<String>, Vec<String>);

/// Makes layers of tensors. Linear layers, which are nearly all of a network, are taken from
/// `shared` where that has them.
#[derive(Debug)]
pub(crate) struct Loader<'a, B: Backend> {
    backend: &'a B,
    shared: Option<&'a LinearLayers<B>>,
    layers: RefCell<LinearLayers<B>>,
}

impl<'a, B: Backend> Loader<'a, B> {
    pub(super) fn new(backend: &'a B, shared: Option<&'a LinearLayers<B>>) -> Self {
        Self {
            backend,
            shared,
            layers: RefCell::new(LinearLayers(BTreeMap::new())),
        }
    }

    /// The layers that another network may share.
    pub(super) fn into_layers(self) -> LinearLayers<B> {
        self.layers.into_inner()
    }

    /// [`Backend::linear`]
    pub(super) fn linear(&self, weights: &[Parameter], biases: &[Parameter]) -> Result<B::Linear> {
        self.layer(weights, biases, || self.backend.linear(weights, biases))
    }

    /// [`Backend::conv`]
    pub(super) fn conv(&self, weight: &Parameter, bias: &Parameter) -> Result<B::Linear> {
        let (weights, biases) = (std::slice::from_ref(weight), std::slice::from_ref(bias));
        self.layer(weights, biases, || self.backend.conv(weight, bias))
    }

    fn layer(
        &self,
        weights: &[Parameter],
        biases: &[Parameter],
        read: impl FnOnce() -> Result<B::Linear>,
    ) -> Result<B::Linear> {
        if weights.iter().chain(biases).any(Parameter::is_changed) {
            return read();
        }
        let names = |parameters: &[Parameter]| {
            let names = parameters
                .iter()
                .map(|parameter| parameter.name().to_owned());
            names.collect::<Vec<_>>()
        };
        let key = (names(weights), names(biases));
        let layer = match self.shared.and_then(|shared| shared.0.get(&key)) {
            Some(layer) => layer.clone(),
            None => read()?,
        };
        self.layers.borrow_mut().0.insert(key, layer.clone());
        Ok(layer)
    }

    /// [`Backend::layer_norm`]
    pub(super) fn layer_norm(
        &self,
        weight: &Parameter,
        bias: &Parameter,
        eps: f32,
    ) -> Result<B::LayerNorm> {
        self.backend.layer_norm(weight, bias, eps)
    }

    /// [`Backend::depthwise`]
    pub(super) fn depthwise(&self, weight: &Parameter, bias: &Parameter) -> Result<B::Depthwise> {
        self.backend.depthwise(weight, bias)
    }

    /// [`Backend::table`]
    pub(super) fn table(&self, values: &Parameter) -> Result<B::Tensor> {
        self.backend.table(values)
    }
}
