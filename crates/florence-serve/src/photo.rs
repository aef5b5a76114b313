//! Uploaded files to prepared images: on a few threads of their own, so that large photos neither
//! hold up other requests nor fill the memory.

use std::sync::Arc;

use florence_core::image::{ImageFile, ImageOptions};
use florence_tasks::{Florence, PreparedImage};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Photos that are unpacked at a time.
const AT_ONCE: usize = 2;

#[derive(Debug, Clone)]
pub(crate) struct Photos {
    florence: Florence,
    turns: Arc<Semaphore>,
    max_pixels: u64,
}

impl Photos {
    pub(crate) fn new(florence: Florence, max_pixels: u64) -> Self {
        Self {
            florence,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            max_pixels,
        }
    }

    /// Unpacks a file and brings it to the size that the model takes; `upright` is whether it is
    /// turned as its EXIF orientation says, as browsers show it.
    pub(crate) async fn prepare(
        &self,
        bytes: Vec<u8>,
        upright: bool,
    ) -> Result<PreparedImage, ApiError> {
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|_| ApiError::internal())?;
        let florence = self.florence.clone();
        let options = ImageOptions::new()
            .max_pixels(self.max_pixels)
            .apply_exif_orientation(upright);
        let prepared = tokio::task::spawn_blocking(move || {
            let file = ImageFile::decode(&bytes, &options).map_err(florence_tasks::Error::from);
            drop(bytes);
            let prepared = file.and_then(|file| florence.prepare_file(&file));
            drop(turn);
            prepared
        });
        match prepared.await {
            Ok(prepared) => Ok(prepared?),
            // The task panicked.
            Err(_) => Err(ApiError::internal()),
        }
    }
}
