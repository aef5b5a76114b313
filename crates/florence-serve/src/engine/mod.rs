//! The engine: one thread that answers queued requests in batches. The model uses all cores by
//! itself, so two batches at once would only compete for them. It knows nothing of HTTP.
//!
//! A batch has one question each of several requests: a decoder step reads all weights once,
//! whatever the batch size. Scheduling is round-robin, so that a request with many questions does not
//! block the others; free places in a batch are shared out.

mod answer;
mod error;
mod images;
mod job;
mod options;
mod queue;
#[cfg(test)]
mod tests;
mod timer;
mod turn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use florence_tasks::{
    AnyTask, CascadeRequest, EncodedImage, Error, Florence, GenerationConfig, PreparedImage,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::images::{CachedImage, ImageCache};
use self::queue::Queue;
use self::turn::Planned;
use crate::limits::Limits;
use crate::metrics::Metrics;

pub(crate) use answer::{Answer, label, milliseconds};
pub(crate) use error::EngineError;
pub(crate) use images::{is_id, random_id};
pub(crate) use job::{Event, Job, Photo};
pub(crate) use options::Options;
pub(crate) use timer::RequestTimer;

/// A reserved place in the queue.
#[derive(Debug)]
pub(crate) struct Slot(OwnedSemaphorePermit);

/// The events of a queued request.
#[derive(Debug)]
pub(crate) struct Answers(pub(crate) UnboundedReceiver<Event>);

#[derive(Debug)]
pub(crate) struct Engine {
    queue: Arc<Queue>,
    slots: Arc<Semaphore>,
    open: AtomicBool,
    worker: Option<JoinHandle<()>>,
}

impl Engine {
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(
        florence: Florence,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let slots = Arc::new(Semaphore::new(limits.queue));
        let queue = Arc::new(Queue::default());
        let worker = Worker {
            images: ImageCache::new(limits.images),
            queue: queue.clone(),
            florence,
            limits,
            metrics,
        };
        let worker = std::thread::Builder::new()
            .name("florence-engine".to_owned())
            .spawn(move || worker.work())?;
        Ok(Self {
            queue,
            slots,
            open: AtomicBool::new(true),
            worker: Some(worker),
        })
    }

    /// Whether to read a request's body: not if it could not be queued.
    ///
    /// # Errors
    ///
    /// When all slots are taken, or the server is being shut down.
    pub(crate) fn admit(&self) -> Result<(), EngineError> {
        if !self.is_open() {
            Err(EngineError::ShuttingDown)
        } else if self.slots.available_permits() == 0 {
            Err(EngineError::Overloaded)
        } else {
            Ok(())
        }
    }

    /// Reserves a place in the queue for a request whose body has arrived, also during shutdown.
    ///
    /// # Errors
    ///
    /// When the queue is full.
    pub(crate) fn reserve(&self) -> Result<Slot, EngineError> {
        let slot = self.slots.clone().try_acquire_owned();
        slot.map(Slot).map_err(|_| EngineError::Overloaded)
    }

    /// Queues a request. Dropping the answers cancels questions that have not begun, and so does the
    /// timer's deadline.
    ///
    /// # Errors
    ///
    /// When the server is being shut down.
    pub(crate) fn submit(
        &self,
        slot: Slot,
        photo: Photo,
        questions: Vec<AnyTask>,
        options: Options,
        one_by_one: bool,
        timer: RequestTimer,
    ) -> Result<Answers, EngineError> {
        let (events, answers) = unbounded_channel();
        let job = Job::new(slot.0, photo, questions, options, one_by_one, timer, events);
        if self.queue.push(job) {
            Ok(Answers(answers))
        } else {
            Err(EngineError::ShuttingDown)
        }
    }

    /// Requests queued or in flight.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether requests are accepted.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Stops accepting requests. Accepted ones are still answered.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }
}

impl Drop for Engine {
    /// Answers queued requests, then stops the thread.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(worker) = self.worker.take() {
            // It catches panics of the model; one of its own was already reported.
            let _ = worker.join();
        }
    }
}

/// A question: its job, its position in the job, itself, and the photo.
type PendingQuestion<'a, Q> = (&'a Job, usize, Q, &'a EncodedImage);

struct Worker {
    florence: Florence,
    limits: Limits,
    images: ImageCache,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
}

impl Worker {
    fn work(mut self) {
        while let Some(turn) = self.queue.turn(self.limits.batch) {
            let start = Instant::now();
            let jobs = catch_unwind(AssertUnwindSafe(|| self.take_turn(turn)));
            self.metrics.busy(start.elapsed());
            // After a panic the jobs and their channels are dropped, so that clients get an error.
            for job in jobs.unwrap_or_default() {
                self.queue.put_back(job);
            }
            self.queue.turn_is_over();
        }
    }

    /// Answers the next questions of some requests; returns those with questions left.
    fn take_turn(&mut self, turn: Vec<Job>) -> Vec<Job> {
        let (turn, gone): (Vec<_>, _) = turn.into_iter().partition(|job| !job.is_abandoned());
        gone.into_iter().for_each(|job: Job| job.end(Ok(())));
        let mut jobs = Vec::with_capacity(turn.len());
        let start = Instant::now();
        let mut new = self.encode_new(&turn).into_iter();
        let time = start.elapsed();
        for mut job in turn {
            match self.find_photo(&mut job, &mut new, time) {
                Ok(()) => jobs.push(job),
                Err(error) => job.end(Err(error)),
            }
        }
        let asked = turn::plan(&mut jobs, self.limits.batch);
        self.answer(&jobs, asked);
        let (done, rest): (Vec<_>, _) = jobs.into_iter().partition(Job::is_done);
        done.into_iter().for_each(|job| job.end(Ok(())));
        rest
    }

    /// Encodes the new photos of some jobs as a batch, in their order.
    fn encode_new(&self, jobs: &[Job]) -> Vec<florence_tasks::Result<EncodedImage>> {
        let new = jobs.iter().filter_map(|job| match &job.photo {
            Photo::New { prepared, .. } => Some(prepared),
            _ => None,
        });
        self.florence
            .encode_batch(&new.collect::<Vec<&PreparedImage>>())
    }

    /// Finds a job's encoded photo; `new` are those just encoded, in the jobs' order, in `time` for
    /// all.
    fn find_photo(
        &mut self,
        job: &mut Job,
        new: &mut impl Iterator<Item = florence_tasks::Result<EncodedImage>>,
        time: Duration,
    ) -> Result<(), EngineError> {
        let (encoded, id, time) = match &job.photo {
            Photo::Encoded(_) => return Ok(()),
            Photo::Cached { id, upright } => {
                let cached = self.images.get(id);
                let cached = cached.ok_or_else(|| EngineError::UnknownImage(id.clone()))?;
                if upright.is_some_and(|upright| upright != cached.upright) {
                    return Err(EngineError::OtherOrientation {
                        upright: cached.upright,
                    });
                }
                (cached.image, id.clone(), None)
            }
            Photo::New { prepared, upright } => {
                let image = new.next();
                let image = image.unwrap_or_else(|| self.florence.encode(prepared))?;
                self.metrics.image();
                let upright = *upright;
                let cached = CachedImage { image, upright };
                let id = self.images.put(cached.clone())?;
                (cached.image, id, Some(time))
            }
        };
        job.send(Event::Image {
            id,
            size: encoded.size(),
            notes: encoded.notes().to_vec(),
            time,
        });
        job.photo = Photo::Encoded(encoded);
        Ok(())
    }

    /// Answers planned questions of jobs that have the same options.
    fn answer(&self, jobs: &[Job], asked: Vec<Planned>) {
        let Some(first) = jobs.first() else { return };
        let options = first
            .options
            .apply(self.florence.generation(), &self.limits);
        let (mut tasks, mut cascades) = (Vec::new(), Vec::new());
        for (at, index, question) in asked {
            let job = &jobs[at];
            let Photo::Encoded(photo) = &job.photo else {
                continue;
            };
            match question.as_cascade() {
                Some(cascade) => cascades.push((job, index, cascade.clone(), photo)),
                None => tasks.push((job, index, question, photo)),
            }
        }
        self.answer_batch(tasks, &options);
        self.answer_cascades(cascades, &options);
    }

    fn answer_batch(
        &self,
        mut asked: Vec<PendingQuestion<'_, AnyTask>>,
        options: &GenerationConfig,
    ) {
        asked.retain(|(job, ..)| !job.is_abandoned());
        if asked.is_empty() {
            return;
        }
        self.metrics.batch(asked.len());
        // Only cascades ask several questions.
        let questions = asked
            .iter()
            .filter_map(|(_, _, task, photo)| Some((task.as_ask()?, *photo)));
        let outputs = self.florence.run_batch_with(questions, options);
        for ((job, index, task, _), output) in asked.into_iter().zip(outputs) {
            let answer = output.map(|output| Answer::of_task(index, task.name(), output));
            self.report(job, index, label(&task), answer);
        }
    }

    fn answer_cascades(
        &self,
        asked: Vec<PendingQuestion<'_, CascadeRequest>>,
        options: &GenerationConfig,
    ) {
        for (job, index, cascade, photo) in asked {
            if job.is_abandoned() {
                continue;
            }
            let name = cascade.name();
            let answer = photo.cascade_while(cascade, options, &|| !job.is_abandoned());
            if matches!(answer, Err(Error::Cancelled)) {
                continue;
            }
            let answer = answer.map(|answer| Answer::of_cascade(index, name, &answer));
            self.report(job, index, name.name(), answer);
        }
    }

    fn report(
        &self,
        job: &Job,
        index: usize,
        task: &'static str,
        answer: florence_tasks::Result<Answer>,
    ) {
        self.metrics.question(task, answer.is_ok());
        job.send(Event::of(index, answer));
    }
}
