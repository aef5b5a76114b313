//! LRU cache of encoded photos, with ids that cannot be guessed.

use std::num::NonZeroUsize;

use florence_tasks::EncodedImage;
use lru::LruCache;

use super::error::EngineError;

/// Random bytes of an id, two hex digits each.
const RANDOM: usize = 16;

/// Whether this has the form of an id.
pub(crate) fn is_id(id: &str) -> bool {
    id.len() == 2 * RANDOM
}

/// An id that cannot be guessed.
pub(crate) fn random_id() -> Result<String, EngineError> {
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random).map_err(EngineError::Random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// An encoded photo.
#[derive(Debug, Clone)]
pub(crate) struct CachedImage {
    pub(crate) image: EncodedImage,
    /// Whether its EXIF orientation was applied; all answers about it use this frame.
    pub(crate) upright: bool,
}

#[derive(Debug)]
pub(crate) struct ImageCache(LruCache<String, CachedImage>);

impl ImageCache {
    /// A cache of `count` photos, at least one.
    pub(crate) fn new(count: usize) -> Self {
        Self(LruCache::new(
            NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN),
        ))
    }

    pub(crate) fn get(&mut self, id: &str) -> Option<CachedImage> {
        self.0.get(id).cloned()
    }

    /// Adds a photo, evicting the least recently used one.
    pub(crate) fn put(&mut self, image: CachedImage) -> Result<String, EngineError> {
        let id = random_id()?;
        self.0.put(id.clone(), image);
        Ok(id)
    }
}
