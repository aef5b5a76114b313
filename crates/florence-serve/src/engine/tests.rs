//! The engine without a server in front of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use florence_tasks::{CascadeName, Florence, Request, Task};

use super::{Clock, Engine, Event, Photo};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::question::{Options, Question};

/// The events of questions with so much time, all of which somebody waits for.
fn events(questions: Vec<Question>, time: Duration) -> (Vec<Event>, String) {
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
    let clock = Clock::since(now, now + time, metrics.clone());
    let answers = engine.submit(slot, photo, questions, Options::default(), true, clock);
    let mut answers = answers.unwrap().0;
    let events = std::iter::from_fn(|| answers.blocking_recv()).collect();
    drop(engine);
    (events, metrics.text(0))
}

#[test]
fn what_is_out_of_time_ends_though_somebody_waits() {
    let colours = ["red", "green", "blue", "cyan", "black", "pink"];
    let phrases = colours.map(|c| format!("a {c} heart, a {c} star, a {c} arrow, a {c} circle"));
    let cascade = CascadeName::CheckCaption
        .request()
        .with_input(Some(&phrases.join(", ")), None);
    let task = Question::Task(Request::new(Task::Od));
    let long = vec![Question::Cascade(cascade), task.clone()];
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
        assert_eq!(error.code, "out_of_time");
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
fn what_has_time_is_answered() {
    let task = Question::Task(Request::new(Task::Od));
    let (events, _) = events(vec![task], Duration::from_secs(600));
    assert!(
        matches!(
            events[..],
            [Event::Image { .. }, Event::Answer(_), Event::Done]
        ),
        "{events:?}"
    );
}
