//! Adapters that are refused, and why.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::Shapes;
use florence_core::{Checkpoint, Error, ErrorKind, Florence2, LoadOptions};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

const FC2: &str = "base_model.model.language_model.model.decoder.layers.0.fc2";
const NATIVE_FC2: &str = "base_model.model.model.language_model.decoder.layers.0.fc2";

fn goldens(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens")
        .join(name)
}

fn base() -> Checkpoint {
    Checkpoint::from_dir(goldens("plain")).unwrap()
}

fn settings() -> Value {
    json!({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["fc2"]})
}

/// A whole adapter of one layer of 64 inputs and 32 outputs.
fn shapes() -> Shapes {
    let halves = [("lora_A", vec![2, 64]), ("lora_B", vec![32, 2])];
    halves
        .into_iter()
        .map(|(half, shape)| (format!("{FC2}.{half}.weight"), shape))
        .collect()
}

fn adapter(settings: &Value, shapes: &Shapes, value: f32) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("adapter_config.json"), settings.to_string()).unwrap();
    let weights = common::safetensors_f32(shapes, |_, _| value);
    fs::write(dir.path().join("adapter_model.safetensors"), weights).unwrap();
    dir
}

fn refused(settings: &Value, shapes: &Shapes) -> Error {
    let dir = adapter(settings, shapes, 0.5);
    base().with_adapter(dir.path()).unwrap_err()
}

#[track_caller]
fn says(error: &Error, words: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Checkpoint, "{error}");
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn a_whole_adapter_opens() {
    let dir = adapter(&settings(), &shapes(), 0.5);
    base().with_adapter(dir.path()).unwrap();
}

#[test]
fn folders() {
    let open = |dir: &Path| base().with_adapter(dir).unwrap_err();
    let error = open(Path::new("no/such/folder"));
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Io, "no/such/folder: no such folder".to_owned())
    );
    let error = open(&goldens("heads.json"));
    assert!(
        error
            .to_string()
            .contains("a file, expected the folder of an adapter"),
        "{error}"
    );
    says(
        &open(&goldens("plain")),
        &["no adapter_config.json", "it holds a model"],
    );
    says(
        &open(&goldens("")),
        &["no adapter_config.json", "save_pretrained"],
    );
    let dir = adapter(&settings(), &shapes(), 0.5);
    let weights = dir.path().join("adapter_model.safetensors");
    let whole = fs::read(&weights).unwrap();
    fs::write(&weights, &whole[..whole.len() - 4]).unwrap();
    says(
        &open(dir.path()),
        &[
            "adapter_model.safetensors: not a usable safetensors file",
            "cut short",
        ],
    );
    fs::write(
        &weights,
        "version https://git-lfs.github.com/spec/v1\nsize 7",
    )
    .unwrap();
    says(
        &open(dir.path()),
        &["adapter_model.safetensors: this is a Git LFS pointer"],
    );
    fs::write(
        &weights,
        common::safetensors_f32(&Shapes::new(), |_, _| 0.0),
    )
    .unwrap();
    says(&open(dir.path()), &["no tensors"]);
    fs::remove_file(&weights).unwrap();
    says(
        &open(dir.path()),
        &["no adapter_model.safetensors or adapter_model.bin in this folder"],
    );
    fs::write(dir.path().join("adapter_config.json"), "{").unwrap();
    says(&open(dir.path()), &["adapter_config.json: not valid JSON"]);
}

#[test]
fn settings_that_change_the_numbers_in_other_ways() {
    let long = vec!["a"; 5000];
    for (key, value, expected) in [
        ("peft_type", json!("IA3"), "expected \"LORA\""),
        ("peft_type", Value::Null, "expected \"LORA\""),
        ("r", json!(0), "expected whole numbers from 1"),
        ("r", json!(-8), "expected whole numbers from 1"),
        ("r", json!(1e9), "expected whole numbers from 1"),
        ("r", Value::Null, "expected whole numbers from 1"),
        ("lora_alpha", json!("8"), "expected finite numbers"),
        ("lora_alpha", json!(1e300), "expected finite numbers"),
        ("use_rslora", json!("yes"), "expected true or false"),
        (
            "bias",
            json!("some"),
            "expected \"none\", \"all\", \"lora_only\"",
        ),
        ("use_dora", json!(true), "DoRA is not read"),
        ("use_qalora", json!(true), "QALoRA is not read"),
        (
            "layer_replication",
            json!([[0, 1]]),
            "replicated layers is not read",
        ),
        (
            "trainable_token_indices",
            json!([5]),
            "single trained tokens",
        ),
        (
            "target_parameters",
            json!(["a.weight"]),
            "parameters that are no modules",
        ),
        (
            "init_lora_weights",
            json!("pissa_niter_4"),
            "other ways change the base too",
        ),
        (
            "init_lora_weights",
            json!("loftq"),
            "other ways change the base too",
        ),
        ("use_something_new", json!(true), "no such option"),
        (
            "rank_pattern",
            json!({"fc2": 0}),
            "expected whole numbers from 1",
        ),
        ("rank_pattern", json!(["fc2"]), "expected an object"),
        (
            "rank_pattern",
            json!({"(": 3}),
            "expected regular expressions",
        ),
        (
            "alpha_pattern",
            json!({"fc2": "x"}),
            "expected finite numbers",
        ),
        (
            "target_modules",
            json!("fc2)("),
            "expected regular expressions",
        ),
        (
            "target_modules",
            json!(7),
            "expected a list of at most 4096 names",
        ),
        (
            "target_modules",
            json!([7]),
            "expected a list of at most 4096 names",
        ),
        (
            "target_modules",
            json!(long),
            "expected a list of at most 4096 names",
        ),
        (
            "modules_to_save",
            json!({"a": 1}),
            "expected a list of at most 4096 names",
        ),
        (
            "layers_to_transform",
            json!([0, "x"]),
            "expected whole numbers",
        ),
    ] {
        let mut settings = settings();
        settings[key] = value.clone();
        says(
            &refused(&settings, &shapes()),
            &["adapter_config.json: ", key, expected],
        );
    }
    let mut slow = settings();
    slow["target_modules"] = json!(r"(?=(.+)+\1\1\1\1\1\1!)(.|.)*!");
    says(
        &refused(&slow, &shapes()),
        &["an expression cannot be searched in `language_model.model.decoder"],
    );
}

#[test]
fn settings_about_training_do_not_matter() {
    let mut settings = settings();
    for (key, value) in [
        ("lora_dropout", json!(0.05)),
        ("peft_version", json!("0.99.0")),
        ("task_type", json!("CAUSAL_LM")),
        ("inference_mode", json!(true)),
        ("init_lora_weights", json!("gaussian")),
        ("megatron_core", json!("megatron.core")),
        ("qalora_group_size", json!(16)),
        ("use_something_new", json!(false)),
        ("something_newer", json!(null)),
    ] {
        settings[key] = value;
    }
    base()
        .with_adapter(adapter(&settings, &shapes(), 0.5).path())
        .unwrap();
}

#[test]
fn halves_and_modules() {
    let only = |half: &str| -> Shapes {
        shapes()
            .into_iter()
            .filter(|(name, _)| name.contains(half))
            .collect()
    };
    says(
        &refused(&settings(), &only("lora_A")),
        &["decoder.layers.0.fc2` lacks lora_B"],
    );
    says(
        &refused(&settings(), &only("lora_B")),
        &["decoder.layers.0.fc2` lacks lora_A"],
    );

    let mut more = shapes();
    more.insert(format!("{FC2}.lora_embedding_A"), vec![2, 64]);
    says(
        &refused(&settings(), &more),
        &["lora_embedding_A` is of another kind of module"],
    );

    let mut both_dialects = shapes();
    both_dialects.insert(format!("module.{FC2}.lora_A.weight"), vec![2, 64]);
    says(&refused(&settings(), &both_dialects), &["is there twice"]);

    let mut other = settings();
    other["target_modules"] = json!(["fc1"]);
    says(
        &refused(&other, &shapes()),
        &[FC2, "(`target_modules`)", "PEFT ignores it"],
    );
    other["target_modules"] = json!(["fc2"]);
    other["exclude_modules"] = json!(["layers.0.fc2"]);
    says(&refused(&other, &shapes()), &["(`target_modules`)"]);

    other = settings();
    other["target_modules"] = json!(".*");
    other["base_model_name_or_path"] = json!("microsoft/phi-2");
    for (module, words) in [
        (
            "model.layers.0.mlp.fc2",
            "fits no module of Florence-2; the adapter was trained on microsoft/phi-2",
        ),
        (
            "language_model.model.decoder.layers.7.fc2",
            "fits no module of Florence-2",
        ),
        (
            "vision_tower.blocks.0.0.spatial_block.conv1.fn.dw",
            "depthwise convolution",
        ),
        ("vision_tower.convs.0.norm", "PEFT cannot adapt"),
        (
            "language_model.model.encoder.embed_positions",
            "PEFT cannot adapt",
        ),
        (
            "language_model.model.shared",
            "is of another kind of module",
        ),
    ] {
        let shapes = shapes().into_iter();
        let renamed = shapes
            .map(|(name, shape)| {
                (
                    name.replace(FC2, &format!("base_model.model.{module}")),
                    shape,
                )
            })
            .collect();
        says(&refused(&other, &renamed), &[module, words]);
    }
    for (end, words) in [
        ("lora_magnitude_vector", "is of DoRA"),
        ("ia3_l", "is of IA3"),
        ("lora_C.weight", "another kind of LoRA"),
        ("token_adapter.trainable_tokens_delta", "trainable tokens"),
        ("something", "fits no parameter of Florence-2"),
    ] {
        let mut more = shapes();
        more.insert(format!("{FC2}.{end}"), vec![32]);
        says(
            &refused(&settings(), &more),
            &[&format!("`{FC2}.{end}`"), words],
        );
    }
}

#[test]
fn another_base_is_named_by_both_shapes() {
    let mut wide = shapes();
    wide.insert(format!("{FC2}.lora_A.weight"), vec![2, 3072]);
    let mut named = settings();
    named["base_model_name_or_path"] = json!("microsoft/Florence-2-base-ft");
    let error = refused(&named, &wide);
    assert!(matches!(error, Error::AdapterShape { .. }));
    says(
        &error,
        &[
            "adapter_model.safetensors: tensor `base_model.model.language_model.model.decoder.layers.0.fc2.lora_A.weight` \
           has shape [2, 3072], expected [2, 64] for `model.language_model.decoder.layers.0.fc2.weight` of shape [32, 64] \
           in this model; the adapter was trained on microsoft/Florence-2-base-ft",
        ],
    );
    let mut ranks = settings();
    ranks["rank_pattern"] = json!({"layers.0.fc2": 3});
    says(
        &refused(&ranks, &shapes()),
        &["shape [2, 64], expected [3, 64]"],
    );
    let mut turned = shapes();
    turned.insert(format!("{FC2}.lora_B.weight"), vec![2, 32]);
    says(
        &refused(&settings(), &turned),
        &["shape [2, 32], expected [32, 2]"],
    );
    let mut bias = shapes();
    bias.insert(format!("{NATIVE_FC2}.bias"), vec![31]);
    says(&refused(&settings(), &bias), &["shape [31], expected [32]"]);
}

#[test]
fn tables_and_heads() {
    let mut head = Shapes::new();
    let name = "base_model.model.language_model.lm_head";
    head.insert(format!("{name}.lora_A.weight"), vec![2, 32]);
    head.insert(format!("{name}.lora_B.weight"), vec![1290, 2]);
    let mut settings = settings();
    settings["target_modules"] = json!(["lm_head"]);
    let adapted = base()
        .with_adapter(adapter(&settings, &head, 0.5).path())
        .unwrap();
    assert_eq!(
        adapted.parameter_count(),
        base().parameter_count() + 1290 * 32
    );

    settings["ensure_weight_tying"] = json!(true);
    says(
        &refused(&settings, &head),
        &["`ensure_weight_tying` is true", "`lm_head.weight`"],
    );
    settings["ensure_weight_tying"] = json!(false);
    head.insert(format!("{name}.lora_B.bias"), vec![1290]);
    says(
        &refused(&settings, &head),
        &["needs a bias of `language_model.lm_head`"],
    );

    let table = "base_model.model.model.language_model.encoder.embed_tokens";
    let encoder: Shapes = [("A", vec![2, 1290]), ("B", vec![32, 2])]
        .into_iter()
        .map(|(half, shape)| (format!("{table}.lora_embedding_{half}"), shape))
        .collect();
    settings["target_modules"] = json!(["embed_tokens"]);
    let adapted = base()
        .with_adapter(adapter(&settings, &encoder, 0.5).path())
        .unwrap();
    assert!(adapted.warnings()[0].contains("prompts are embedded by `shared`"));
}

#[test]
fn a_copy_of_a_module_excludes_other_adapters_of_it() {
    let copy: Shapes = [("weight", vec![32, 64]), ("bias", vec![32])]
        .into_iter()
        .map(|(leaf, shape)| (format!("{FC2}.{leaf}"), shape))
        .collect();
    let mut saved = settings();
    saved["target_modules"] = json!(["q_proj"]);
    saved["modules_to_save"] = json!(["fc2"]);
    let (lora, copy) = (
        adapter(&settings(), &shapes(), 0.5),
        adapter(&saved, &copy, 0.5),
    );
    for (one, other) in [(&lora, &copy), (&copy, &lora)] {
        let adapted = base().with_adapter(one.path()).unwrap();
        says(
            &adapted.with_adapter(other.path()).unwrap_err(),
            &["modules_to_save", "give one of them"],
        );
    }
    let twice = base()
        .with_adapter(lora.path())
        .unwrap()
        .with_adapter(lora.path());
    Florence2::load(twice.unwrap()).unwrap();
}

#[test]
fn numbers() {
    let load = |value: f32, alpha: f64| {
        let mut settings = settings();
        settings["lora_alpha"] = json!(alpha);
        let dir = adapter(&settings, &shapes(), value);
        let options = LoadOptions::new().adapter(dir.path());
        Florence2::load_with(base(), &options).map(drop)
    };
    load(1.0, -0.5).unwrap();
    load(1.0, 0.0).unwrap();
    says(
        &load(f32::NAN, 1.0).unwrap_err(),
        &["lora_", "holds NaN at flat index 0"],
    );
    says(
        &load(1e18, 1e18).unwrap_err(),
        &["lora_B.weight` makes a weight inf at flat index 0"],
    );

    let dir = adapter(&settings(), &shapes(), 0.0);
    let (header, len) = common::header(&shapes(), "I32");
    let file = [header, vec![0; len as usize]].concat();
    fs::write(dir.path().join("adapter_model.safetensors"), file).unwrap();
    says(
        &base().with_adapter(dir.path()).unwrap_err(),
        &["is stored as I32"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Damaged files are errors or adapters, never panics.
    #[test]
    fn damage_is_survived(
        name in prop::sample::select(vec!["layers", "patterns", "answers", "saved"]),
        in_settings: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        for file in ["adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"] {
            let Ok(mut bytes) = fs::read(goldens("adapters").join(name).join(file)) else { continue };
            if (file == "adapter_config.json") == in_settings {
                let len = bytes.len().min(4000);
                for (at, byte) in &changes {
                    bytes[at.index(len)] = *byte;
                }
            }
            fs::write(dir.path().join(file), bytes).unwrap();
        }
        if let Ok(adapted) = base().with_adapter(dir.path()) {
            let _ = Florence2::load(adapted);
        }
    }
}
