//! Counts and times, in the text format of Prometheus.

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
struct Task {
    task: String,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Route, Counter>,
    seconds: Histogram,
    questions: Family<Task, Counter>,
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
            "Requests by route and status",
            Family::clone(&requests),
        );
        let seconds = Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]);
        registry.register(
            "request_seconds",
            "Time of requests to /v1/run, from head to last byte of the answer's head",
            seconds.clone(),
        );
        let questions = Family::default();
        registry.register("questions", "Answered questions", Family::clone(&questions));
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

    pub(crate) fn answered(&self, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn question(&self, task: &str) {
        let task = task.to_owned();
        self.questions.get_or_create(&Task { task }).inc();
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

    /// All of it as text; `waiting` is how it is now.
    pub(crate) fn text(&self, waiting: usize) -> String {
        self.waiting.set(waiting as i64);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
