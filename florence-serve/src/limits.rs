//! How much of everything the server takes.

use std::time::Duration;

/// Bounds on what clients may ask for; every one has a message of its own.
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
    /// Bytes of a request, the photo included.
    pub max_bytes: usize,
    /// Pixels of a photo, by its header: a small file may unpack to a large one.
    pub max_pixels: u64,
    /// Questions of a request.
    pub max_questions: usize,
    /// Characters of a question's text.
    pub max_text: usize,
    /// Beams that a request may ask for.
    pub max_beams: usize,
    /// Tokens of an answer that a request may ask for.
    pub max_new_tokens: usize,
    /// Requests that are accepted at a time: uploading, waiting, or being answered.
    pub queue: usize,
    /// Connections that are open at a time.
    pub connections: usize,
    /// From the head of a request to its last byte.
    pub upload_time: Duration,
    /// From the last byte of a request to its last answer.
    pub request_time: Duration,
    /// Photos that are remembered for further questions.
    pub images: usize,
    /// Questions of different requests that are answered together.
    pub batch: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 20 << 20,
            max_pixels: 50_000_000,
            max_questions: 32,
            max_text: 2_000,
            max_beams: 8,
            max_new_tokens: 1_024,
            queue: 64,
            connections: 256,
            upload_time: Duration::from_secs(30),
            request_time: Duration::from_secs(120),
            images: 64,
            batch: 8,
        }
    }
}
