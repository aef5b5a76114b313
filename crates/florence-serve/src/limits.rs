//! Limits of the server.

use std::time::Duration;

/// Declares the limits: a private field, a setter and a getter for each, with its default.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident, $get:ident: $type:ty = $default:expr;)+) => {
        /// Limits on requests, each with its own error message.
        ///
        /// # Example
        ///
        /// ```
        /// use florence_serve::Limits;
        ///
        /// let limits = Limits::new().max_bytes(5 << 20).queue(16);
        /// assert_eq!((limits.get_queue(), limits.get_batch()), (16, 8));
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(pub(crate) $name: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self {
                    $($name: $default,)+
                }
            }
        }

        impl Limits {
            /// The defaults.
            ///
            /// # Example
            ///
            /// ```
            /// use florence_serve::Limits;
            ///
            /// assert_eq!(Limits::new(), Limits::default());
            /// ```
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[doc = $doc])+
                #[doc = concat!(
                    "\n\n# Example\n\n```\n# use std::time::Duration;\nuse florence_serve::Limits;\n\n",
                    "let limits = Limits::new().", stringify!($name), "(", stringify!($default), ");\n",
                    "assert_eq!(limits.", stringify!($get), "(), ", stringify!($default), ");\n```"
                )]
                #[must_use]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.$name = $name;
                    self
                }

                #[doc = concat!("See [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                pub fn $get(&self) -> $type {
                    self.$name
                }
            )+
        }
    };
}

limits! {
    /// Maximum bytes of a request, including the photo.
    max_bytes, get_max_bytes: usize = 20 << 20;
    /// Memory budget in bytes for all request bodies that are uploading or wait for decoding; at
    /// least `max_bytes`.
    upload_bytes, get_upload_bytes: usize = 512 << 20;
    /// Maximum pixels of a photo, by its header. Decoding takes at most 16 bytes per pixel plus
    /// 64 MiB, and two photos are decoded at a time. The default is that of `ImageOptions`.
    max_pixels, get_max_pixels: u64 = florence_core::image::ImageOptions::new().get_max_pixels();
    /// Maximum questions per request.
    max_questions, get_max_questions: usize = 32;
    /// Maximum characters of a question's text.
    max_text, get_max_text: usize = 2_000;
    /// Maximum `num_beams` of a request.
    max_beams, get_max_beams: usize = 8;
    /// Maximum `max_new_tokens` of a request.
    max_new_tokens, get_max_new_tokens: usize = 1_024;
    /// Maximum requests queued or in flight.
    queue, get_queue: usize = 64;
    /// Maximum open connections.
    connections, get_connections: usize = 256;
    /// Upload timeout: from the head of a request to its last byte.
    upload_time, get_upload_time: Duration = Duration::from_secs(30);
    /// Idle timeout while a body is received or an answer is sent.
    stall_time, get_stall_time: Duration = Duration::from_secs(10);
    /// Request timeout: from the last byte of a request to its last answer.
    request_time, get_request_time: Duration = Duration::from_secs(120);
    /// Encoded photos kept in the cache for further questions.
    images, get_images: usize = 64;
    /// Maximum batch size, in questions.
    batch, get_batch: usize = 8;
}
