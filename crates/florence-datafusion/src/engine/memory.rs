//! What the engine remembers for a while: encoded images and answers, both of bounded size.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use florence_tasks::{AnyOutput, EncodedImage};
use lru::LruCache;

use super::question::{ImageKey, QuestionKey};

/// Answers are a few kilobytes each; the longest, of a search that is not limited, some twenty.
const ANSWERS: NonZeroUsize = NonZeroUsize::new(2048).unwrap();

/// Two questions about an image encode it once, and a question that is asked twice, as by two
/// functions in one query, is answered once.
#[derive(Debug)]
pub(super) struct Memory(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    images: LruCache<ImageKey, EncodedImage>,
    /// Of the images, in bytes.
    used: usize,
    limit: usize,
    answers: LruCache<QuestionKey, Arc<AnyOutput>>,
}

impl Memory {
    /// Images of `limit` bytes in all.
    pub(super) fn new(limit: usize) -> Self {
        Self(Mutex::new(Inner {
            images: LruCache::unbounded(),
            used: 0,
            limit,
            answers: LruCache::new(ANSWERS),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answer(&self, question: &QuestionKey) -> Option<Arc<AnyOutput>> {
        self.lock().answers.get(question).cloned()
    }

    pub(super) fn keep_answer(&self, question: QuestionKey, answer: Arc<AnyOutput>) {
        self.lock().answers.put(question, answer);
    }

    pub(super) fn image(&self, key: &ImageKey) -> Option<EncodedImage> {
        self.lock().images.get(key).cloned()
    }

    pub(super) fn keep_image(&self, key: ImageKey, image: EncodedImage) {
        let mut inner = self.lock();
        inner.used += size(&image);
        if let Some(replaced) = inner.images.put(key, image) {
            inner.used -= size(&replaced);
        }
        while inner.used > inner.limit {
            match inner.images.pop_lru() {
                Some((_, oldest)) => inner.used -= size(&oldest),
                None => break,
            }
        }
    }
}

/// Bytes of the output of the vision tower.
fn size(image: &EncodedImage) -> usize {
    let features = image.features();
    features.tokens() * features.dim() * size_of::<f32>()
}

#[cfg(test)]
mod tests {
    use florence_tasks::Florence;

    use super::*;

    #[test]
    fn images_are_forgotten_when_they_take_more_than_the_limit() {
        let florence = Florence::nano().unwrap();
        let image = florence_tasks::image::DynamicImage::new_rgb8(8, 8);
        let image = florence.encode(&image).unwrap();
        let memory = Memory::new(2 * size(&image));
        let keys: Vec<_> = (0..3u8).map(|n| ImageKey::of(&[n], false)).collect();
        for key in &keys {
            memory.keep_image(*key, image.clone());
            memory.keep_image(*key, image.clone());
        }
        let known: Vec<_> = keys.iter().map(|key| memory.image(key).is_some()).collect();
        assert_eq!(known, [false, true, true]);
        let nothing = Memory::new(0);
        nothing.keep_image(keys[0], image);
        assert!(nothing.image(&keys[0]).is_none());
    }
}
