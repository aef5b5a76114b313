//! A warm-up run, so that the first answer is not delayed.

use candle_core::{DType, Device, Tensor};

use super::Florence2;
use crate::config::{ImagePreparation, InputSize};
use crate::error::{Error, Result};

impl Florence2 {
    /// Runs everything once on an empty image: a GPU compiles each kernel and takes memory when these
    /// are first used.
    ///
    /// # Errors
    ///
    /// [`Error::Tensor`], such as too little memory. Other errors come with the first answer.
    pub(super) fn warm_up(&self) -> Result<()> {
        match self.run_empty() {
            Err(Error::Tensor(error)) => Err(Error::Tensor(error)),
            _ => Ok(()),
        }
    }

    fn run_empty(&self) -> Result<()> {
        let InputSize { width, height } =
            self.config().image.input_size(ImagePreparation::PUBLISHED);
        let pixels = Tensor::zeros((1, 3, height, width), DType::F32, &Device::Cpu)?;
        let features = self.encode_pixels(&pixels)?;
        let text = &self.config().text;
        let prompt = vec![text.bos_token_id, text.eos_token_id];
        let options = self.generation_config().max_new_tokens(3);
        self.generate(&features, &[prompt], &options)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;

    #[test]
    fn an_empty_image_is_answered() {
        let checkpoint = Checkpoint::from_dir("tests/goldens/plain").unwrap();
        let florence = Florence2::load(checkpoint).unwrap();
        florence.run_empty().unwrap();
        florence.warm_up().unwrap();
    }
}
