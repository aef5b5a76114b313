//! Encoded images without a tensor in the signature.

use candle_core::Tensor;

use crate::error::{Error, Result};

/// An encoded image: the vision tower's output after the projector.
///
/// The crates above pass it on without knowing candle; [`tensor`](ImageFeatures::tensor) has the
/// values.
///
/// # Example
///
/// ```
/// use florence_core::ImageFeatures;
/// use florence_core::candle::{DType, Device, Tensor};
///
/// let tensor = Tensor::zeros((1, 577, 768), DType::F32, &Device::Cpu)?;
/// let features = ImageFeatures::new(tensor)?;
/// assert_eq!((features.tokens(), features.dim()), (577, 768));
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ImageFeatures {
    /// `(1, tokens, dim)`
    tensor: Tensor,
    tokens: usize,
    dim: usize,
}

impl ImageFeatures {
    /// The features of one image, `(1, tokens, dim)`.
    ///
    /// # Errors
    ///
    /// A tensor of another shape.
    ///
    /// # Example
    ///
    /// See [`ImageFeatures`].
    pub fn new(tensor: Tensor) -> Result<Self> {
        match *tensor.dims() {
            [1, tokens, dim] => Ok(Self {
                tensor,
                tokens,
                dim,
            }),
            _ => Err(Error::argument(
                "image_features",
                format!("of shape {:?}", tensor.dims()),
                "(1, visual_tokens, d_model)",
            )),
        }
    }

    /// The features of each image of a batch `(batch, tokens, dim)`, in separate memory: keeping
    /// one keeps none of the others.
    ///
    /// # Errors
    ///
    /// A tensor of another rank; a failure of the tensor library.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::ImageFeatures;
    /// use florence_core::candle::{DType, Device, Tensor};
    ///
    /// let batch = Tensor::zeros((2, 10, 32), DType::F32, &Device::Cpu)?;
    /// assert_eq!(ImageFeatures::split(&batch)?.len(), 2);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn split(batch: &Tensor) -> Result<Vec<Self>> {
        let (images, _, _) = batch.dims3()?;
        // `copy` would keep the whole batch for each image.
        let images =
            (0..images).map(|image| Self::new(batch.narrow(0, image, 1)?.force_contiguous()?));
        images.collect()
    }

    /// One batch `(batch, tokens, dim)` of several images, for
    /// [`Florence2::generate`](crate::Florence2::generate).
    ///
    /// # Errors
    ///
    /// Images of different shapes, or none.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::ImageFeatures;
    /// use florence_core::candle::{DType, Device, Tensor};
    ///
    /// let image = ImageFeatures::new(Tensor::zeros((1, 10, 32), DType::F32, &Device::Cpu)?)?;
    /// assert_eq!(ImageFeatures::batch([&image, &image])?.dims(), [2, 10, 32]);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn batch<'a>(images: impl IntoIterator<Item = &'a Self>) -> Result<Tensor> {
        let images = images.into_iter().map(|image| &image.tensor);
        Ok(Tensor::cat(&images.collect::<Vec<_>>(), 0)?)
    }

    /// The tensor, `(1, tokens, dim)`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::ImageFeatures;
    /// use florence_core::candle::{DType, Device, Tensor};
    ///
    /// let image = ImageFeatures::new(Tensor::zeros((1, 10, 32), DType::F32, &Device::Cpu)?)?;
    /// assert_eq!(image.tensor().dims(), [1, 10, 32]);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// Number of visual tokens.
    ///
    /// # Example
    ///
    /// See [`ImageFeatures`].
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Width of a token, the model's `d_model`.
    ///
    /// # Example
    ///
    /// See [`ImageFeatures`].
    pub fn dim(&self) -> usize {
        self.dim
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Storage};

    use super::*;

    #[test]
    fn an_image_keeps_nothing_of_the_others() {
        let batch = Tensor::arange(0f32, 24., &Device::Cpu).unwrap();
        let batch = batch.reshape((3, 4, 2)).unwrap();
        let images = ImageFeatures::split(&batch).unwrap();
        let (storage, _) = images[1].tensor.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else {
            unreachable!("it is on the CPU")
        };
        let expected: Vec<f32> = (8..16u8).map(f32::from).collect();
        assert_eq!(storage.as_slice::<f32>().unwrap(), expected);
    }
}
