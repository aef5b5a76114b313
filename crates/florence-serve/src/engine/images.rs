//! Photos that were seen, by names that cannot be guessed.

use std::num::NonZeroUsize;

use florence_tasks::EncodedImage;
use lru::LruCache;

use super::error::EngineError;

/// Random bytes of a name, which has two characters for each.
const RANDOM: usize = 16;

/// Whether this can be the name of a photo.
pub(crate) fn is_name(id: &str) -> bool {
    id.len() == 2 * RANDOM
}

/// A photo that was seen.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) image: EncodedImage,
    /// Whether it was turned as its EXIF orientation says: all answers about it are in one frame.
    pub(crate) upright: bool,
}

#[derive(Debug)]
pub(crate) struct Images(LruCache<String, Known>);

impl Images {
    /// Room for `count` photos, or one.
    pub(crate) fn new(count: usize) -> Self {
        Self(LruCache::new(
            NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN),
        ))
    }

    pub(crate) fn get(&mut self, id: &str) -> Option<Known> {
        self.0.get(id).cloned()
    }

    /// Remembers a photo in place of the one that was asked about longest ago.
    pub(crate) fn put(&mut self, image: Known) -> Result<String, EngineError> {
        let mut random = [0; RANDOM];
        getrandom::fill(&mut random).map_err(EngineError::Random)?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.put(id.clone(), image);
        Ok(id)
    }
}
