//! The engine without HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use florence_tasks::{AnyTask, CascadeName, Florence, Task};

use super::{Engine, EngineError, Event, Options, Photo, RequestTimer};
use crate::limits::Limits;
use crate::metrics::Metrics;

/// The events of questions with this timeout, read to the end.
fn events(questions: Vec<AnyTask>, time: Duration) -> (Vec<Event>, String) {
    let metrics = Arc::new(Metrics::new());
    let florence = Florence::nano().unwrap();
    let scene = image::load_from_memory(include_bytes!("../../samples/shapes.png")).unwrap();
    let photo = Photo::New {
        prepared: florence.prepare(&scene).unwrap(),
        upright: false,
    };
    let engine = Engine::start(florence, Limits::default(), metrics.clone()).unwrap();
    let slot = engine.reserve().unwrap();
    let now = Instant::now();
    let timer = RequestTimer::new(now, now + time, metrics.clone());
    let answers = engine.submit(slot, photo, questions, Options::default(), true, timer);
    let mut answers = answers.unwrap().0;
    let events = std::iter::from_fn(|| answers.blocking_recv()).collect();
    drop(engine);
    (events, metrics.text(0))
}

#[test]
fn a_passed_deadline_ends_a_request_with_a_waiting_client() {
    let colors = ["red", "green", "blue", "cyan", "black", "pink"];
    let phrases = colors.map(|c| format!("a {c} heart, a {c} star, a {c} arrow, a {c} circle"));
    let cascade = CascadeName::CheckCaption
        .request()
        .with_input(Some(&phrases.join(", ")), None);
    let task = AnyTask::from(Task::Od);
    let long = vec![AnyTask::from(cascade), task.clone()];
    for (questions, time) in [
        (vec![task], Duration::ZERO),
        (long.clone(), Duration::ZERO),
        (long, Duration::from_millis(200)),
    ] {
        let (mut events, metrics) = events(questions, time);
        let last = events.pop();
        let Some(Event::Failed { index: None, error }) = last else {
            panic!("{last:?}");
        };
        assert!(matches!(error, EngineError::DeadlineExceeded));
        let begun = events
            .iter()
            .all(|event| matches!(event, Event::Image { .. }));
        assert!(begun, "{events:?}");
        assert!(!metrics.contains("florence_questions_total{"), "{metrics}");
        assert!(
            metrics.contains(r#"florence_request_seconds_count{result="abandoned"} 1"#),
            "{metrics}"
        );
    }
}

#[test]
fn requests_within_their_deadline_are_answered() {
    let task = AnyTask::from(Task::Od);
    let (events, _) = events(vec![task], Duration::from_secs(600));
    assert!(
        matches!(
            events[..],
            [Event::Image { .. }, Event::Answer(_), Event::Done]
        ),
        "{events:?}"
    );
}
