//! Loads the model that the settings name.

use florence_core::hub::{self, HubOptions, Part};
use florence_tasks::{Device, Error, Florence, InputSize, Precision};

use crate::options::FlorenceOptions;

/// What a model is loaded with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelKey {
    model: String,
    device: String,
    precision: Option<Precision>,
    adapters: Vec<String>,
    processor: Option<String>,
    image_size: Option<InputSize>,
}

impl ModelKey {
    pub(crate) fn of(options: &FlorenceOptions) -> Self {
        Self {
            model: options.model.clone(),
            device: options.device.clone(),
            precision: options.precision,
            adapters: options.adapters.clone(),
            processor: options.processor.clone(),
            image_size: options.image_size,
        }
    }

    /// Loads the model, from the hub after a download where it is not in the cache.
    pub(crate) fn load(&self) -> Result<Florence, Error> {
        let hub = HubOptions::from_env();
        let mut builder = Florence::builder().device(self.device.parse::<Device>()?);
        if let Some(precision) = self.precision {
            builder = builder.precision(precision);
        }
        if let Some(size) = self.image_size {
            builder = builder.image_size(size);
        }
        for adapter in &self.adapters {
            builder = builder.adapter(hub::locate(adapter, Part::Adapter, &hub)?);
        }
        let mut part = Part::Checkpoint;
        if let Some(processor) = &self.processor {
            builder = builder.processor(hub::locate(processor, Part::Processor, &hub)?);
            part = Part::Network;
        }
        match self.model.as_str() {
            "nano" => builder.nano(),
            model => builder.from_dir(hub::locate(model, part, &hub)?),
        }
    }
}
