//! The engine: one model of the process, one thread that answers questions in batches. The model uses
//! all cores by itself, so two batches at once would only compete for them. It knows no DataFusion.
//!
//! Calls of all partitions and queries meet in one bounded queue. A call holds a slot from before
//! its image is decoded until it has its answer, so memory does not depend on the number of calls.

mod memory;
mod question;
mod registry;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use florence_core::Error;
use florence_core::image::{ImageFile, ImageOptions};
use florence_tasks::{AnyOutput, EncodedImage, ErrorKind, Florence, PreparedImage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use self::memory::Memory;
use self::question::QuestionKey;
use self::worker::Worker;
use crate::options::FlorenceOptions;

pub(crate) use question::{ImageKey, Input, Request, Search};
pub(crate) use registry::engine;

/// A model with its thread.
pub(crate) struct Engine {
    florence: Florence,
    queue: mpsc::Sender<Question>,
    memory: Arc<Memory>,
    /// Images that are decoded, prepared or being asked about.
    slots: Arc<Semaphore>,
    /// Images that are being decoded, which takes most of the memory.
    decoders: Arc<Semaphore>,
}

/// A queued question.
#[derive(Debug)]
struct Question {
    key: QuestionKey,
    request: Request,
    photo: Photo,
    reply: oneshot::Sender<Answered>,
    _slot: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Photo {
    Prepared(PreparedImage),
    Encoded(EncodedImage),
}

type Answered = Result<Arc<AnyOutput>, AskError>;

/// Why a question has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AskError {
    /// The image is at fault; the message has its name.
    #[error("{0}")]
    Image(String),
    /// The question does not fit the image.
    #[error("{0}")]
    Refused(String),
    /// The model or the machine is at fault.
    #[error("{0}")]
    Failed(String),
}

impl From<florence_tasks::Error> for AskError {
    fn from(error: florence_tasks::Error) -> Self {
        match error.kind() {
            ErrorKind::Image | ErrorKind::Argument => Self::Refused(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// How images are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoding {
    upright: bool,
    max_megapixels: u64,
}

impl Decoding {
    pub(crate) fn of(options: &FlorenceOptions) -> Self {
        Self {
            upright: options.exif_orientation,
            max_megapixels: options.max_megapixels,
        }
    }
}

impl Engine {
    fn start(florence: Florence, options: &FlorenceOptions) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoders = (cores / 2).max(2);
        let slots = 2 * options.batch + decoders;
        let memory = Arc::new(Memory::new(options.cache_megabytes << 20));
        let (queue, questions) = mpsc::channel(slots);
        let worker = Worker {
            florence: florence.clone(),
            memory: memory.clone(),
            batch: options.batch,
            questions,
        };
        std::thread::Builder::new()
            .name("florence-engine".to_owned())
            .spawn(move || worker.work())?;
        Ok(Self {
            florence,
            queue,
            memory,
            slots: Arc::new(Semaphore::new(slots)),
            decoders: Arc::new(Semaphore::new(decoders)),
        })
    }

    /// The answer to a question about the image in these bytes, which has this name in messages.
    pub(crate) async fn ask(
        &self,
        name: Option<&str>,
        bytes: impl AsRef<[u8]> + Send + 'static,
        request: Request,
        search: Search,
        decoding: Decoding,
    ) -> Answered {
        let closed = |_| AskError::Failed("the engine has ended".to_owned());
        let slot = self.slots.clone().acquire_owned().await.map_err(closed)?;
        let decoder = self
            .decoders
            .clone()
            .acquire_owned()
            .await
            .map_err(closed)?;
        let (florence, memory) = (self.florence.clone(), self.memory.clone());
        let name = name.map(PathBuf::from);
        let read = tokio::task::spawn_blocking(move || {
            let bytes = bytes.as_ref();
            let key = ImageKey::of(bytes, decoding.upright);
            let key = QuestionKey::new(key, &request, search);
            let known = match memory.answer(&key) {
                Some(answer) => Known::Answer(answer),
                None => Known::Photo(match memory.image(&key.image) {
                    Some(image) => Photo::Encoded(image),
                    None => Photo::Prepared(prepare(&florence, name, bytes, decoding)?),
                }),
            };
            drop(decoder);
            Ok::<_, AskError>((known, key, request))
        });
        let read = read.await;
        let (known, key, request) = read.map_err(|error| AskError::Failed(error.to_string()))??;
        let photo = match known {
            Known::Answer(answer) => return Ok(answer),
            Known::Photo(photo) => photo,
        };
        let (reply, answer) = oneshot::channel();
        let question = Question {
            key,
            request,
            photo,
            reply,
            _slot: slot,
        };
        let ended = || AskError::Failed("the engine has ended".to_owned());
        self.queue.send(question).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

enum Known {
    Answer(Arc<AnyOutput>),
    Photo(Photo),
}

fn prepare(
    florence: &Florence,
    name: Option<PathBuf>,
    bytes: &[u8],
    decoding: Decoding,
) -> Result<PreparedImage, AskError> {
    let options = ImageOptions::new()
        .apply_exif_orientation(decoding.upright)
        .max_pixels(decoding.max_megapixels * 1_000_000);
    let file = ImageFile::decode(bytes, &options).map_err(|mut error| {
        if let Error::Image { path, .. } | Error::ImageTooLarge { path, .. } = &mut error {
            *path = name;
        }
        let limit = decoding.max_megapixels;
        AskError::Image(match error {
            Error::ImageTooLarge { .. } => {
                format!("{error} (the limit set by florence.max_megapixels = {limit})")
            }
            _ => error.to_string(),
        })
    })?;
    Ok(florence.prepare_file(&file)?)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("slots", &self.slots.available_permits())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
