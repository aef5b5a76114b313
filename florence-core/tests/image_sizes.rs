//! Images of other sizes than the checkpoint's, held to the reference
//! (`tools/reference/image_sizes.py`).

mod common;

use std::path::PathBuf;

use florence_core::image::prepare;
use florence_core::{
    Checkpoint, CheckpointOptions, EarlyStopping, Florence2, GenerationConfig, ImagePreparation,
    InputSize,
};
use image::{Rgb, RgbImage};
use serde_json::Value;

/// Largest difference of a log-probability.
const TOLERANCE: f64 = 1e-4;

fn goldens() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens"))
}

/// As `pattern` of the script.
fn pattern(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([0, 1, 2].map(|c| {
            let waves = x * (7 + seed) + y * (13 + 2 * seed) + c * 50;
            (waves + x * y * (c + 1) / 8 + (x / 16) * (y / 16) * 31) as u8
        }))
    })
}

fn pair(value: &Value) -> Option<(u32, u32)> {
    let [width, height] = value.as_array()?.as_slice() else {
        return None;
    };
    Some((width.as_u64()? as u32, height.as_u64()? as u32))
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap().iter();
    list.map(|number| number.as_f64().unwrap()).collect()
}

fn prompt(checkpoint: &str) -> Vec<u32> {
    let path = goldens().join(checkpoint).join("generations.json");
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::from_value(document["prompts"][0].clone()).unwrap()
}

#[test]
fn other_sizes_give_the_answers_of_the_reference() {
    let file = std::fs::read(goldens().join("image_sizes.json")).unwrap();
    let document: Value = serde_json::from_slice(&file).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 17);
    let options = GenerationConfig::new()
        .num_beams(3)
        .max_new_tokens(16)
        .early_stopping(EarlyStopping::True)
        .no_repeat_ngram_size(3)
        .forced_bos_token_id(Some(0))
        .forced_eos_token_id(Some(2));
    for case in cases {
        let name = case["checkpoint"].as_str().unwrap();
        let what = format!("{name} {} to {}", case["image"], case["resize"]);
        let (width, height) = pair(&case["image"]).unwrap();
        let image = pattern(width, height, case["seed"].as_u64().unwrap() as u32);

        let folder = goldens().join(name);
        let (checkpoint, preparation) = match pair(&case["resize"]) {
            Some((width, height)) => {
                let size: InputSize = format!("{width}x{height}").parse().unwrap();
                let options = CheckpointOptions::new().image_size(size);
                let checkpoint = Checkpoint::from_dir_with(&folder, &options).unwrap();
                let preparation = checkpoint.config().image.clone();
                (checkpoint, preparation)
            }
            None => {
                let checkpoint = Checkpoint::from_dir(&folder).unwrap();
                let mut preparation = checkpoint.config().image.clone();
                preparation.resize = None;
                (checkpoint, preparation)
            }
        };
        let model = Florence2::load(checkpoint).unwrap();
        let pixels = prepare(&[&image], &preparation).unwrap();
        let shape = numbers(&case["pixels"]);
        let dims: Vec<f64> = pixels.dims().iter().map(|dim| *dim as f64).collect();
        assert_eq!(dims, shape, "{what}");
        let values = pixels.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let sum: f64 = values.into_iter().map(f64::from).sum();
        let expected = case["pixel_sum"].as_f64().unwrap();
        assert!((sum - expected).abs() < 1e-6, "{what}: {sum}, {expected}");

        let features = model.encode_pixels(&pixels).unwrap();
        let tokens = case["visual_tokens"].as_u64().unwrap() as usize;
        assert_eq!(features.dims()[1], tokens, "{what}");
        let input = InputSize {
            width: shape[3] as usize,
            height: shape[2] as usize,
        };
        assert_eq!(model.config().visual_tokens(input), Some(tokens), "{what}");
        let answers = model
            .generate(&features, &[prompt(name)], &options)
            .unwrap();
        let ids: Vec<f64> = answers[0]
            .token_ids
            .iter()
            .map(|id| f64::from(*id))
            .collect();
        assert_eq!(ids, numbers(&case["token_ids"]), "{what}");
        let logprobs = answers[0]
            .logprobs
            .iter()
            .map(|logprob| f64::from(*logprob));
        for (ours, theirs) in logprobs.zip(numbers(&case["logprobs"])) {
            assert!(
                (ours - theirs).abs() <= TOLERANCE,
                "{what}: {ours}, {theirs}"
            );
        }
    }
}

#[test]
fn images_that_are_not_resized_are_of_one_size() {
    let mut preparation = ImagePreparation::default();
    preparation.resize = None;
    let (a, b) = (pattern(20, 10, 0), pattern(10, 20, 0));
    let both = prepare(&[&a, &a], &preparation).unwrap();
    assert_eq!(both.dims(), [2, 3, 10, 20]);
    assert_eq!(
        prepare(&[&a, &b], &preparation).unwrap_err().to_string(),
        "argument `images` is of 20x10 and 10x20 pixels, expected images of one size, as they are not resized"
    );
    let long = RgbImage::new(5000, 1);
    assert_eq!(
        prepare(&[&long], &preparation).unwrap_err().to_string(),
        "argument `images` is of 5000x1 pixels, expected sides of 1 to 4096 pixels"
    );
}

/// As OmniParser's icon captioner is published: no tokenizer, no preprocessor.
#[test]
fn a_processor_of_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(goldens().join("plain").join(file), folder.path().join(file)).unwrap();
    }
    let error = Checkpoint::from_dir(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("no tokenizer.json") && error.contains("`--processor`"),
        "{error}"
    );

    let with = |options: CheckpointOptions| Checkpoint::from_dir_with(folder.path(), &options);
    let processor = CheckpointOptions::new().processor(goldens().join("plain"));
    let ours = with(processor.clone()).unwrap();
    let plain = Checkpoint::from_dir(goldens().join("plain")).unwrap();
    assert_eq!(ours.config(), plain.config());
    assert_eq!(ours.warnings(), plain.warnings());

    let small = with(processor.image_size(InputSize::square(64))).unwrap();
    assert_eq!(small.config().image.resize, Some(InputSize::square(64)));

    // A processor without image preparation: the published one, which does not suit, or a size.
    let bare = tempfile::tempdir().unwrap();
    let tokenizer = goldens().join("plain/tokenizer.json");
    std::fs::copy(tokenizer, bare.path().join("tokenizer.json")).unwrap();
    let processor = CheckpointOptions::new().processor(bare.path());
    let error = with(processor.clone()).unwrap_err().to_string();
    assert!(
        error.starts_with("preprocessor_config.json: absent, and the 768x768 pixels")
            && error.ends_with(
                "or set an image size (`--image-size`, `CheckpointOptions::image_size`)"
            ),
        "{error}"
    );
    let sized = with(processor.image_size(InputSize::square(96))).unwrap();
    assert_eq!(sized.config().image.mean, [0.485, 0.456, 0.406]);

    for (options, expected) in [
        (
            CheckpointOptions::new().processor("no/such/folder"),
            "no/such/folder: no such folder",
        ),
        (
            CheckpointOptions::new().processor(folder.path()),
            "no tokenizer.json, or vocab.json and merges.txt in this folder",
        ),
        (
            CheckpointOptions::new()
                .processor(goldens().join("plain"))
                .image_size(InputSize::square(4000)),
            "argument `image_size` is 4000x4000, expected a size whose last feature map has 1 to",
        ),
    ] {
        let error = with(options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
