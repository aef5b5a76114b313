//! Networks of one checkpoint that share what no adapter changes.

use std::sync::Arc;

use super::{Florence2, Inner, Loaded};
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::network::Network;

impl Florence2 {
    /// Loads a network of the checkpoint that this one was loaded from, with other adapters, or for
    /// images of another size, on the same device and in the same precision.
    ///
    /// Linear layers that no adapter changes, nearly all of a network, are shared: they are neither
    /// read nor kept a second time. So a program can switch between adapters, or answer with
    /// several, for little more than the memory of the layers that they change. Each answers as if it
    /// had been loaded alone.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a checkpoint that is not a clone of this network's; whatever
    /// [`Florence2::load`] refuses.
    ///
    /// # Example: one base, two networks
    ///
    /// ```
    /// use florence_core::{Checkpoint, Florence2};
    ///
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// let base = Florence2::load(checkpoint.clone())?;
    /// let adapted = base.load_sharing(checkpoint.with_adapter("tests/goldens/adapters/layers")?)?;
    /// assert!(!base.is_same(&adapted));
    ///
    /// let other = Checkpoint::from_dir("tests/goldens/plain")?;
    /// let error = base.load_sharing(other).unwrap_err().to_string();
    /// assert!(error.starts_with("argument `checkpoint` is of other files"));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn load_sharing(&self, checkpoint: Checkpoint) -> Result<Self> {
        let Checkpoint {
            config,
            tokenizer,
            weights,
            warnings,
        } = checkpoint;
        let base = &self.inner;
        if weights.files() != base.files {
            return Err(Error::argument(
                "checkpoint",
                "of other files",
                "a clone of the checkpoint that this network was loaded from, with or without adapters",
            ));
        }
        let network = match &base.network {
            Loaded::Kernels(network) => Loaded::Kernels(Network::load(
                network.backend,
                &weights,
                &config,
                Some(network.layers()),
            )?),
            Loaded::Candle(network) => Loaded::Candle(Network::load(
                network.backend.clone(),
                &weights,
                &config,
                Some(network.layers()),
            )?),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                network,
                files: weights.files(),
                layout: weights.layout(),
                parameters: weights.parameter_count(),
                device: base.device,
                precision: base.precision,
                busy_wait: base.busy_wait,
                warnings,
                config,
                tokenizer,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{InputSize, LoadOptions, Precision};

    /// The place in memory of every linear layer that may be shared.
    fn places(model: &Florence2) -> BTreeMap<String, usize> {
        let Loaded::Kernels(network) = &model.inner.network else {
            panic!("not on the kernels");
        };
        let layers = network.layers().named();
        let places =
            layers.map(|(name, layer)| (name, std::ptr::from_ref(layer.weight()) as usize));
        places.collect()
    }

    #[test]
    fn layers_that_no_adapter_changes_are_in_memory_once() {
        for precision in [Precision::F32, Precision::Q8_0] {
            let options = LoadOptions::new().precision(precision);
            let checkpoint = Checkpoint::from_dir("tests/goldens/plain").unwrap();
            let base = Florence2::load_with(checkpoint.clone(), &options).unwrap();
            let adapter = "tests/goldens/adapters/layers";
            let adapted = checkpoint.with_adapter(adapter).unwrap();
            let adapted = base.load_sharing(adapted).unwrap();
            assert_eq!(adapted.precision(), precision);
            let (all, shared) = (places(&base), places(&adapted));
            let own: Vec<&String> = all
                .keys()
                .filter(|name| !shared.contains_key(*name))
                .collect();
            // `fc2`, and `q_proj` with what is beside it, of the second layers.
            assert_eq!(own.len(), 5, "{own:#?}");
            assert!(
                own.iter().all(|name| name.contains(".layers.1.")),
                "{own:#?}"
            );
            assert!(shared.iter().all(|(name, place)| all[name] == *place));

            // A network that shares is a base too, and the layers that it lacks are read.
            let again = adapted.load_sharing(checkpoint.clone()).unwrap();
            let again = places(&again);
            assert_eq!(again.len(), all.len());
            assert!(shared.iter().all(|(name, place)| again[name] == *place));
            assert!(own.iter().all(|name| again[*name] != all[*name]));

            let small = checkpoint.with_image_size(InputSize::square(64)).unwrap();
            let small = base.load_sharing(small).unwrap();
            assert_eq!(small.config().image.resize, Some(InputSize::square(64)));
            assert_eq!(places(&small), all);
        }
    }
}
