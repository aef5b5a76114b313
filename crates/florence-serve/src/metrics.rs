//! Metrics in OpenMetrics text, for Prometheus.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Question {
    task: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct End {
    result: &'static str,
}

type Seconds = Family<End, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Route, Counter>,
    seconds: Seconds,
    questions: Family<Question, Counter>,
    images: Counter,
    batches: Histogram,
    busy: Counter<f64, std::sync::atomic::AtomicU64>,
    waiting: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("florence");
        let requests = Family::default();
        registry.register(
            "requests",
            "Requests, by route and by the status of their answer",
            Family::clone(&requests),
        );
        let seconds = Seconds::new_with_constructor(|| {
            Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])
        });
        registry.register(
            "request_seconds",
            "Seconds from the head of a queued request to its last answer, by how it ended: \
             answered, failed, or abandoned by its client or for lack of time",
            seconds.clone(),
        );
        let questions = Family::default();
        registry.register(
            "questions",
            "Questions, by task and by whether they were answered or failed",
            Family::clone(&questions),
        );
        let images = Counter::default();
        registry.register("images", "Encoded photos", images.clone());
        let batches = Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0]);
        registry.register(
            "batch_questions",
            "Questions answered together",
            batches.clone(),
        );
        let busy = Counter::default();
        registry.register(
            "model_busy_seconds",
            "Time the model was at work",
            busy.clone(),
        );
        let waiting = Gauge::default();
        registry.register(
            "requests_waiting",
            "Requests waiting or being answered",
            waiting.clone(),
        );
        Self {
            registry,
            requests,
            seconds,
            questions,
            images,
            batches,
            busy,
            waiting,
        }
    }

    pub(crate) fn request(&self, route: &str, status: u16) {
        let route = route.to_owned();
        self.requests.get_or_create(&Route { route, status }).inc();
    }

    pub(crate) fn request_ended(&self, result: &'static str, time: Duration) {
        let seconds = self.seconds.get_or_create(&End { result });
        seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn question(&self, task: &'static str, answered: bool) {
        let result = if answered { "answered" } else { "failed" };
        self.questions
            .get_or_create(&Question { task, result })
            .inc();
    }

    pub(crate) fn image(&self) {
        self.images.inc();
    }

    pub(crate) fn batch(&self, questions: usize) {
        self.batches.observe(questions as f64);
    }

    pub(crate) fn busy(&self, time: Duration) {
        self.busy.inc_by(time.as_secs_f64());
    }

    /// The metrics as text; `waiting` is the current queue length.
    pub(crate) fn text(&self, waiting: usize) -> String {
        self.waiting.set(waiting as i64);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
