//! Errors of the engine.

/// Why a request is refused or has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// All slots of the queue are taken.
    #[error("too many requests are waiting")]
    Overloaded,
    #[error("the engine is being shut down")]
    ShuttingDown,
    #[error("the deadline has passed")]
    DeadlineExceeded,
    /// The model has panicked.
    #[error("the model failed")]
    Failed,
    /// No image of this id is cached.
    #[error("the image {0:?} is not known")]
    UnknownImage(String),
    /// A cached image was encoded with the other setting of `exif_orientation`.
    #[error("the image was encoded with exif_orientation = {upright}")]
    OtherOrientation {
        /// The setting that it was encoded with.
        upright: bool,
    },
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    #[error(transparent)]
    Model(#[from] florence_tasks::Error),
}
