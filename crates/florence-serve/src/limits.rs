//! How much of everything the server takes.

use std::time::Duration;

use florence_core::image::ImageOptions;

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
    /// Bytes of requests that are uploading, or wait for their photo to be unpacked, in all; at
    /// least `max_bytes`.
    pub upload_bytes: usize,
    /// Pixels of a photo, by its header: a small file may unpack to a large one. A photo takes 16
    /// bytes a pixel and 64 MiB at most while it is unpacked, and two are at a time. The default is
    /// that of [`ImageOptions`].
    pub max_pixels: u64,
    /// Questions of a request.
    pub max_questions: usize,
    /// Characters of a question's text.
    pub max_text: usize,
    /// Beams that a request may ask for.
    pub max_beams: usize,
    /// Tokens of an answer that a request may ask for.
    pub max_new_tokens: usize,
    /// Requests that have arrived and wait or are being answered at a time.
    pub queue: usize,
    /// Connections that are open at a time.
    pub connections: usize,
    /// From the head of a request to its last byte.
    pub upload_time: Duration,
    /// Without a byte of a body that is awaited, or taken of an answer that is sent.
    pub stall_time: Duration,
    /// From the last byte of a request to its last answer.
    pub request_time: Duration,
    /// Photos that are remembered for further questions.
    pub images: usize,
    /// Questions that are answered together.
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
