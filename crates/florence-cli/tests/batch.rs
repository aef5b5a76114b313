//! `--batch`: batched images get the answers that each gets alone.

mod program;

use program::{SCENE, florence, lines};
use serde_json::Value;

/// The lines without their times.
fn answers(task: &str, batch: Option<&str>, images: &[&str]) -> Vec<Value> {
    let mut args = vec!["run", "--task", task, "--json"];
    args.extend(batch.iter().flat_map(|batch| ["--batch", batch]));
    args.extend(images);
    let output = florence(args);
    assert_eq!(output.status.code(), Some(4), "one image is missing");
    let mut lines = lines(&output);
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        line.remove("timings_ms");
        // A batch may differ in the last bits of its log-probabilities.
        for inexact in ["logprobs", "answer", "reference", "steps"] {
            line.remove(inexact);
        }
    }
    lines
}

#[test]
fn images_together_are_images_alone() {
    let scene = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/scene.png");
    let images = [SCENE, "no/such/image.png", scene, SCENE, scene];
    for task in ["od", "detailed_caption", "caption_and_ground"] {
        let alone = answers(task, None, &images);
        assert_eq!(alone.len(), images.len());
        assert!(alone[1]["error"].is_string());
        for batch in ["2", "5", "64"] {
            assert_eq!(answers(task, Some(batch), &images), alone, "{task} {batch}");
        }
    }
}
