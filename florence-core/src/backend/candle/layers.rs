//! Layers with weights, as candle tensors.

use candle_core::{D, DType, Result, Tensor};
use candle_nn::ops;

use crate::backend::Dims;

/// Linear layers on one input, their outputs concatenated.
///
/// The fused weight is assembled from the checkpoint's tensors once, or in every pass where
/// gradients have to reach them.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(super) stored: Stored,
    /// `(outputs, inputs)` and the bias `(outputs)`.
    ready: Option<(Tensor, Option<Tensor>)>,
    inputs: usize,
    outputs: usize,
}

/// The tensors of a checkpoint that a linear layer is made of.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Each `(outputs, inputs)`, or the one `(out, in, kernel, kernel)`.
    pub(super) weights: Vec<Tensor>,
    /// Each flattens to `(outputs)`.
    pub(super) biases: Vec<Tensor>,
}

impl Stored {
    /// Assembles the weight `(outputs, inputs)` and the bias; a convolution's inputs are in (row,
    /// column, channel) order.
    fn assemble(&self) -> Result<(Tensor, Option<Tensor>)> {
        let weight = match self.weights.as_slice() {
            [conv] if conv.rank() == 4 => conv.permute((0, 2, 3, 1))?.flatten_from(1)?,
            [weight] => weight.clone(),
            several => Tensor::cat(several, 0)?,
        };
        let biases = self.biases.iter().map(Tensor::flatten_all);
        let biases = biases.collect::<Result<Vec<_>>>()?;
        let bias = match biases.as_slice() {
            [] => None,
            [bias] => Some(bias.clone()),
            several => Some(Tensor::cat(several, 0)?),
        };
        Ok((weight, bias))
    }
}

impl Linear {
    /// `differentiable` keeps the stored tensors, as the variables of the gradients.
    pub(super) fn new(stored: Stored, differentiable: bool) -> Result<Self> {
        let (weight, bias) = stored.assemble()?;
        let (outputs, inputs) = weight.dims2()?;
        let stored = match differentiable {
            true => stored,
            false => Stored {
                weights: Vec::new(),
                biases: Vec::new(),
            },
        };
        Ok(Self {
            ready: (!differentiable).then_some((weight.contiguous()?, bias)),
            stored,
            inputs,
            outputs,
        })
    }

    fn parts(&self) -> Result<(Tensor, Option<Tensor>)> {
        match &self.ready {
            Some(ready) => Ok(ready.clone()),
            None => self.stored.assemble(),
        }
    }

    /// `(outputs, inputs)`
    pub(super) fn weight(&self) -> Result<Tensor> {
        Ok(self.parts()?.0)
    }

    /// `x: (…, inputs)` to `(…, outputs)`, as one product.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = self.parts()?;
        let mut dims = x.dims().to_vec();
        let y = x.reshape(((), self.inputs))?.matmul(&weight.t()?)?;
        let y = match bias {
            Some(bias) => y.broadcast_add(&bias)?,
            None => y,
        };
        if let Some(last) = dims.last_mut() {
            *last = self.outputs;
        }
        y.reshape(dims)
    }
}

impl Dims for Linear {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }
}

/// Normalization over the last dimension.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    pub(super) weight: Tensor,
    pub(super) bias: Tensor,
    pub(super) eps: f32,
    /// Whether candle's fused kernel runs: one launch, no gradient, and mean and variance from one
    /// pass over `Σx` and `Σx²`.
    pub(super) fused: bool,
}

impl LayerNorm {
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if self.fused {
            ops::layer_norm(&x.contiguous()?, &self.weight, &self.bias, self.eps)
        } else {
            ops::layer_norm_slow(x, &self.weight, &self.bias, self.eps)
        }
    }
}

impl Dims for LayerNorm {
    fn inputs(&self) -> usize {
        self.weight.elem_count()
    }

    fn outputs(&self) -> usize {
        self.weight.elem_count()
    }
}

/// The logsumexp of each row of `x: (rows, columns)`, in `f32`.
pub(super) fn log_sum_exp(x: &Tensor) -> Result<Tensor> {
    x.to_dtype(DType::F32)?.log_sum_exp(D::Minus1)
}
