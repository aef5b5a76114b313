//! Limits of the server.

use std::time::Duration;

use florence_core::image::ImageOptions;

/// Limits on requests, each with its own error message.
///
/// # Example
///
/// ```
/// use florence_serve::Limits;
///
/// let limits = Limits { max_bytes: 5 << 20, ..Limits::default() };
/// assert_eq!(limits.batch, 8);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum bytes of a request, including the photo.
    pub max_bytes: usize,
    /// Memory budget in bytes for all request bodies that are uploading or wait for decoding; at
    /// least `max_bytes`.
    pub upload_bytes: usize,
    /// Maximum pixels of a photo, by its header. Decoding takes at most 16 bytes per pixel plus
    /// 64 MiB, and two photos are decoded at a time. The default is that of [`ImageOptions`].
    pub max_pixels: u64,
    /// Maximum questions per request.
    pub max_questions: usize,
    /// Maximum characters of a question's text.
    pub max_text: usize,
    /// Maximum `num_beams` of a request.
    pub max_beams: usize,
    /// Maximum `max_new_tokens` of a request.
    pub max_new_tokens: usize,
    /// Maximum requests queued or in flight.
    pub queue: usize,
    /// Maximum open connections.
    pub connections: usize,
    /// Upload timeout: from the head of a request to its last byte.
    pub upload_time: Duration,
    /// Idle timeout while a body is received or an answer is sent.
    pub stall_time: Duration,
    /// Request timeout: from the last byte of a request to its last answer.
    pub request_time: Duration,
    /// Encoded photos kept in the cache for further questions.
    pub images: usize,
    /// Maximum batch size, in questions.
    pub batch: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 20 << 20,
            upload_bytes: 512 << 20,
            max_pixels: ImageOptions::new().get_max_pixels(),
            max_questions: 32,
            max_text: 2_000,
            max_beams: 8,
            max_new_tokens: 1_024,
            queue: 64,
            connections: 256,
            upload_time: Duration::from_secs(30),
            stall_time: Duration::from_secs(10),
            request_time: Duration::from_secs(120),
            images: 64,
            batch: 8,
        }
    }
}
