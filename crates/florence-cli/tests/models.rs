//! Folders that are no checkpoint, or one of another shape: what `--model` says
//! of them, with exit code 3, and what it opens.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano");
const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/scene.png");

fn florence(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(args)
        .output()
        .unwrap()
}

/// A copy of the nano checkpoint.
fn checkpoint() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in [
        "config.json",
        "tokenizer.json",
        "added_tokens.json",
        "preprocessor_config.json",
        "generation_config.json",
        "model.safetensors",
    ] {
        fs::copy(Path::new(NANO).join(file), dir.path().join(file)).unwrap();
    }
    dir
}

fn nano(file: &str) -> Value {
    serde_json::from_slice(&fs::read(Path::new(NANO).join(file)).unwrap()).unwrap()
}

/// What `info` says of a model that it cannot load, without a network.
fn refusal(model: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(["info", "--model", model.to_str().unwrap()])
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

fn says(model: &Path, words: &[&str]) {
    let stderr = refusal(model);
    for word in words {
        assert!(stderr.contains(word), "{word}: {stderr}");
    }
}

#[test]
fn files_that_are_not_what_they_are_called_are_named() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 7089088\n";
    let page = "<!doctype html><html><body>Sign in</body></html>";
    for (content, words) in [
        (pointer, ["is a Git LFS pointer", "git lfs pull"]),
        (page, ["is a web page", "download"]),
        ("", ["empty file", "download"]),
        ("PK\x03\x04", ["zip archive", ""]),
        (
            "Entry not found",
            ["message of a server", "Entry not found"],
        ),
    ] {
        for file in [
            "model.safetensors",
            "config.json",
            "tokenizer.json",
            "added_tokens.json",
        ] {
            let dir = checkpoint();
            fs::write(dir.path().join(file), content).unwrap();
            if !(content.starts_with("PK") && file == "model.safetensors") {
                says(dir.path(), &[file, words[0], words[1]]);
            } else {
                says(dir.path(), &[file, words[0]]);
            }
        }
        let dir = checkpoint();
        fs::rename(
            dir.path().join("model.safetensors"),
            dir.path().join("pytorch_model.bin"),
        )
        .unwrap();
        fs::write(dir.path().join("pytorch_model.bin"), content).unwrap();
        says(dir.path(), &["pytorch_model.bin", words[0]]);
    }
}

#[test]
fn folders_that_are_no_checkpoint_say_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    says(
        dir.path(),
        &["no config.json in this folder", "it is empty"],
    );
    fs::copy(
        Path::new(NANO).join("config.json"),
        dir.path().join("config.json"),
    )
    .unwrap();
    says(
        dir.path(),
        &[
            "no tokenizer.json in this folder",
            "weights (model.safetensors) are missing too",
        ],
    );

    let dir = tempfile::tempdir().unwrap();
    let config =
        json!({"peft_type": "LORA", "base_model_name_or_path": "microsoft/Florence-2-base-ft"});
    fs::write(dir.path().join("adapter_config.json"), config.to_string()).unwrap();
    says(
        dir.path(),
        &[
            "LoRA adapter of microsoft/Florence-2-base-ft",
            "`--adapter`",
        ],
    );

    let dir = checkpoint();
    let mut config = nano("config.json");
    config["quantization_config"] = json!({"quant_method": "bitsandbytes", "load_in_4bit": true});
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    says(
        dir.path(),
        &[
            "quantized with bitsandbytes",
            "quantization_config",
            "--precision q8_0",
        ],
    );

    says(
        &Path::new(NANO).join("model.safetensors"),
        &["model.safetensors: a file, expected the folder"],
    );
    says(
        Path::new("microsoft/Florence-2-no-such"),
        &["no such folder", "Hugging Face hub"],
    );
    says(
        &Path::new(NANO).join("src"),
        &["no config.json", "did you mean"],
    );
}

fn caption(model: &Path) -> Value {
    let args = [
        "run",
        "--task",
        "caption",
        "--json",
        "--model",
        model.to_str().unwrap(),
        SCENE,
    ];
    let output = florence(&args);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The small model's tokenizer knows whole words without merging, which these two files cannot say:
/// both folders are asked without it.
#[test]
fn a_checkpoint_with_vocab_and_merges_answers_as_with_tokenizer_json() {
    let (ours, theirs) = (checkpoint(), checkpoint());
    let mut tokenizer = nano("tokenizer.json");
    tokenizer["model"]["ignore_merges"] = false.into();
    tokenizer["model"]["merges"] = json!(["Ġ a", "i n"]);
    let path = theirs.path().join("tokenizer.json");
    fs::write(path, tokenizer.to_string()).unwrap();

    fs::remove_file(ours.path().join("tokenizer.json")).unwrap();
    let vocab = tokenizer["model"]["vocab"].to_string();
    fs::write(ours.path().join("vocab.json"), vocab).unwrap();
    let merges = "#version: 0.2\nĠ a\ni n\n";
    fs::write(ours.path().join("merges.txt"), merges).unwrap();

    let (ours, theirs) = (caption(ours.path()), caption(theirs.path()));
    assert_ne!(theirs["token_ids"], caption(Path::new(NANO))["token_ids"]);
    assert_eq!(ours["token_ids"], theirs["token_ids"]);
    assert_eq!(ours["text"], theirs["text"]);
}

#[test]
fn adapters_are_added_to_the_model() {
    let goldens = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../florence-core/tests/goldens"
    );
    let info = |adapters: &[&str]| {
        let mut args = vec!["info".to_owned(), "--json".to_owned()];
        args.extend(["--model".to_owned(), format!("{goldens}/plain")]);
        for adapter in adapters {
            args.extend(["--adapter".to_owned(), format!("{goldens}/{adapter}")]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        florence(&args)
    };
    let facts = |adapters: &[&str]| -> Value {
        let output = info(adapters);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (base, adapted) = (facts(&[]), facts(&["adapters/layers", "adapters/notebook"]));
    assert_eq!(base["adapters"], json!([]));
    assert_eq!(adapted["adapters"].as_array().unwrap().len(), 2);
    let parameters = |facts: &Value| facts["parameters"].as_u64().unwrap();
    assert_eq!(parameters(&adapted), parameters(&base) + 1290 * 32);

    for (adapter, words) in [
        (
            "ragged",
            "no adapter_config.json in this folder; it holds a model",
        ),
        ("no-such", "no such folder"),
        (
            "adapters/scaled",
            "in this model; the adapter was trained on",
        ),
    ] {
        let output = info(&[adapter]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

#[test]
fn an_adapter_changes_the_answers() {
    let dir = tempfile::tempdir().unwrap();
    let module = "base_model.model.lm_head";
    let config =
        json!({"peft_type": "LORA", "r": 1, "lora_alpha": 1, "target_modules": ["lm_head"]});
    fs::write(dir.path().join("adapter_config.json"), config.to_string()).unwrap();
    let text = &nano("config.json")["text_config"];
    let size = |key: &str| text[key].as_u64().unwrap() as usize;
    let (vocab, dim) = (size("vocab_size"), size("d_model"));
    let header = json!({
        format!("{module}.lora_A.weight"): {"dtype": "F32", "shape": [1, dim], "data_offsets": [0, 4 * dim]},
        format!("{module}.lora_B.weight"): {"dtype": "F32", "shape": [vocab, 1], "data_offsets": [4 * dim, 4 * (dim + vocab)]},
    })
    .to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    for i in 0..dim + vocab {
        file.extend((((i * 7919) % 101) as f32 / 50.0 - 1.0).to_le_bytes());
    }
    fs::write(dir.path().join("adapter_model.safetensors"), file).unwrap();
    let ids = |more: &[&str]| {
        let args = [&["run", "--task", "caption", "--json", SCENE], more].concat();
        let output = florence(&args);
        assert!(output.status.success(), "{output:?}");
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        line["token_ids"].clone()
    };
    let path = dir.path().to_str().unwrap();
    assert_ne!(ids(&[]), ids(&["--adapter", path]));
}
