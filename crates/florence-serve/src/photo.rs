//! Decodes and prepares uploaded photos, on a few threads of their own, so that large photos neither
//! block other requests nor exhaust memory.

use std::sync::Arc;

use florence_core::image::{ImageFile, ImageOptions};
use florence_tasks::{Florence, PreparedImage};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Photos decoded at a time.
const AT_ONCE: usize = 2;

#[derive(Debug, Clone)]
pub(crate) struct Photos {
    florence: Florence,
    permits: Arc<Semaphore>,
    max_pixels: u64,
}

impl Photos {
    pub(crate) fn new(florence: Florence, max_pixels: u64) -> Self {
        Self {
            florence,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            max_pixels,
        }
    }

    /// Decodes a file and resizes it to the model's input; `upright` applies the EXIF orientation, as
    /// browsers do.
    pub(crate) async fn prepare(
        &self,
        bytes: Vec<u8>,
        upright: bool,
    ) -> Result<PreparedImage, ApiError> {
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| ApiError::internal())?;
        let florence = self.florence.clone();
        let options = ImageOptions::new()
            .max_pixels(self.max_pixels)
            .apply_exif_orientation(upright);
        let prepared = tokio::task::spawn_blocking(move || {
            let file = ImageFile::decode(&bytes, &options).map_err(florence_tasks::Error::from);
            drop(bytes);
            let prepared = file.and_then(|file| florence.prepare_file(&file));
            drop(permit);
            prepared
        });
        match prepared.await {
            Ok(prepared) => Ok(prepared?),
            // The task panicked.
            Err(_) => Err(ApiError::internal()),
        }
    }
}
