//! Files that are not what they are called, and folders that are not what they
//! were taken for: each is named, with the way out.

mod common;

use std::fs;
use std::path::Path;

use common::{bytes, data, tiny_weights, write_tiny};
use florence_core::{Checkpoint, CheckpointBytes, Error, ErrorKind, Layout};
use serde_json::{Value, json};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:\
    4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 463221266\n";

/// A tar archive's first block: the name, then the signature at byte 257.
fn tar() -> Vec<u8> {
    let mut block = vec![0; 1024];
    block[..11].copy_from_slice(b"config.json");
    block[257..262].copy_from_slice(b"ustar");
    block
}

/// What arrives in place of a file, and what has to be said of it.
fn contents() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let page =
        "<!DOCTYPE html>\n<html class=\"\"><head><title>Hugging Face</title></head></html>\n";
    let crlf = POINTER.replace('\n', "\r\n");
    let utf16: Vec<u8> = "\u{feff}{\"a\": 1}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let text = |t: &str| t.as_bytes().to_vec();
    vec![
        (
            "lfs",
            text(POINTER),
            &["Git LFS pointer", "463,221,266 bytes", "`git lfs pull`"],
        ),
        (
            "lfs crlf",
            text(&crlf),
            &["Git LFS pointer", "463,221,266 bytes"],
        ),
        (
            "annex",
            text("/annex/objects/MD5E-s1--0123.bin\n"),
            &["git-annex", "git annex get"],
        ),
        ("page", text(page), &["web page", "/resolve/"]),
        (
            "page with bom",
            text(&format!("\u{feff}\r\n  {page}")),
            &["web page"],
        ),
        (
            "page of a proxy",
            text("<HTML>\n<HEAD><TITLE>Blocked</TITLE></HEAD></HTML>"),
            &["web page"],
        ),
        (
            "page with a comment",
            text("<!-- saved from url=(0014)about:internet -->\n<html>"),
            &["web page"],
        ),
        (
            "xml",
            text("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
            &["XML", "AccessDenied"],
        ),
        (
            "headers",
            text("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"),
            &["web server"],
        ),
        (
            "refusal",
            text("{\"error\":\"Repository not found\"}"),
            &["message of a server", "Repository not found"],
        ),
        (
            "not found",
            text("Entry not found"),
            &["message of a server", "Entry not found"],
        ),
        (
            "gated",
            text("Access to model x is restricted. You must be authenticated"),
            &["message of a server"],
        ),
        ("empty", vec![], &["empty file"]),
        ("blanks", text("\n  \n"), &["file of blanks"]),
        ("zeros", vec![0; 5000], &["zeros", "download"]),
        (
            "zip",
            fs::read(zip_of_text()).unwrap(),
            &["zip archive", "unpack"],
        ),
        (
            "gzip",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0C\xbf\xa6\xa3\x02\0\0\0".to_vec(),
            &["gzip archive"],
        ),
        ("tar", tar(), &["tar archive"]),
        (
            "7z",
            b"7z\xbc\xaf\x27\x1c\0\x04rest".to_vec(),
            &["7z archive"],
        ),
        ("rar", b"Rar!\x1a\x07\x01\0rest".to_vec(), &["rar archive"]),
        (
            "zstd",
            b"\x28\xb5\x2f\xfd\x04\0rest".to_vec(),
            &["zstd archive"],
        ),
        (
            "markdown",
            text("---\nlicense: mit\n---\n# Florence-2\n"),
            &["Markdown", "license"][..1],
        ),
        (
            "text",
            text("Please ask the owner for this file.\n"),
            &["a text", "Please ask"],
        ),
        ("utf-16", utf16, &["UTF-16"]),
        (
            "gguf",
            b"GGUF\x03\0\0\0\x10\0\0\0\0\0\0\0".to_vec(),
            &["GGUF"],
        ),
        ("hdf5", b"\x89HDF\r\n\x1a\n\0\0\0\0".to_vec(), &["HDF5"]),
        (
            "onnx",
            b"\x08\x08\x12\x07pytorch\x1a\x052.1.0".to_vec(),
            &["ONNX"],
        ),
        (
            "picture",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            &["PNG image"],
        ),
        (
            "link",
            text("../../blobs/0123456789abcdef"),
            &["link", "blobs/0123"],
        ),
    ]
}

/// A small zip archive, as Python's `zipfile` writes it.
fn zip_of_text() -> std::path::PathBuf {
    data("contents/config.zip")
}

/// A checkpoint in which `file` is read, whatever its name.
fn folder_with(file: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let weights = tiny_weights(Layout::Microsoft);
    let pickle = common::read_data("pickle/pytorch_model.bin");
    let index = |file: &str| bytes(&json!({"weight_map": {"image_projection": file}}));
    match file {
        "model.safetensors.index.json" | "a.safetensors" => write_tiny(
            at,
            &[
                ("a.safetensors", weights),
                ("model.safetensors.index.json", index("a.safetensors")),
            ],
        ),
        "pytorch_model.bin" => write_tiny(at, &[(file, pickle)]),
        "pytorch_model.bin.index.json" | "a.bin" => {
            write_tiny(
                at,
                &[
                    ("a.bin", pickle),
                    ("pytorch_model.bin.index.json", index("a.bin")),
                ],
            );
        }
        _ => write_tiny(at, &[("model.safetensors", weights)]),
    }
    if ["vocab.json", "merges.txt", "tokenizer_config.json"].contains(&file) {
        let tokenizer = common::tiny_tokenizer();
        fs::remove_file(at.join("tokenizer.json")).unwrap();
        fs::write(at.join("vocab.json"), bytes(&tokenizer["model"]["vocab"])).unwrap();
        fs::write(at.join("merges.txt"), "#version: 0.2\n").unwrap();
        fs::write(at.join("tokenizer_config.json"), "{}").unwrap();
    }
    if file == "processor_config.json" {
        fs::remove_file(at.join("preprocessor_config.json")).unwrap();
        let nested = json!({"image_processor": common::tiny_preprocessor()});
        fs::write(at.join(file), bytes(&nested)).unwrap();
    }
    if file == "added_tokens.json" || file == "generation_config.json" {
        fs::write(at.join(file), "{}").unwrap();
    }
    dir
}

const FILES: [&str; 15] = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "a.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "a.bin",
];

#[test]
fn foreign_contents_are_named_in_every_file() {
    for file in FILES {
        let dir = folder_with(file);
        Checkpoint::from_dir(dir.path()).unwrap_or_else(|e| panic!("{file}: {e}"));
        for (kind, content, words) in contents() {
            fs::write(dir.path().join(file), content).unwrap();
            let error = Checkpoint::from_dir(dir.path()).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(file), "{kind} in {file}: {message}");
            for word in words {
                assert!(message.contains(word), "{kind} in {file}: {message}");
            }
            assert_eq!(error.kind(), ErrorKind::Checkpoint, "{message}");
        }
    }
}

#[test]
fn the_whole_message_about_a_pointer() {
    let dir = folder_with("model.safetensors");
    let path = dir.path().join("model.safetensors");
    fs::write(&path, POINTER).unwrap();
    assert_eq!(
        Checkpoint::from_dir(dir.path()).unwrap_err().to_string(),
        format!(
            "{}: this is a Git LFS pointer, not the weights (expected 463,221,266 bytes): run \
             `git lfs pull` in this folder, or download the file",
            path.display()
        )
    );
}

#[test]
fn contents_in_memory_are_named_too() {
    let open = |weights: &str| {
        let (config, tokenizer) = (common::tiny_config(), common::tiny_tokenizer());
        let weights = weights.as_bytes().to_vec();
        let files = CheckpointBytes::new(bytes(&config), bytes(&tokenizer), weights);
        let files = files.preprocessor_config(bytes(&common::tiny_preprocessor()));
        Checkpoint::from_bytes(files).unwrap_err().to_string()
    };
    assert!(open(POINTER).starts_with("model.safetensors: this is a Git LFS pointer"));
    assert!(open("").starts_with("model.safetensors: this is an empty file"));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    for file in [
        "config.json",
        "tokenizer.json",
        "preprocessor_config.json",
        "vocab.json",
        "merges.txt",
    ] {
        let dir = folder_with(file);
        let path = dir.path().join(file);
        let marked = [b"\xef\xbb\xbf".to_vec(), fs::read(&path).unwrap()].concat();
        fs::write(&path, marked).unwrap();
        Checkpoint::from_dir(dir.path()).unwrap_or_else(|e| panic!("{file}: {e}"));
    }
}

#[test]
fn a_file_that_was_cut_short_says_how_much_is_there() {
    let dir = folder_with("model.safetensors");
    let path = dir.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let message = |len: usize| {
        fs::write(&path, &whole[..len]).unwrap();
        Checkpoint::from_dir(dir.path()).unwrap_err().to_string()
    };
    let grouped = |n: usize| format!("{},{:03}", n / 1000, n % 1000);
    let len = whole.len();
    assert!(len < 1_000_000);
    let expected = format!("it has {} of {} bytes", grouped(len - 4321), grouped(len));
    let cut = message(len - 4321);
    assert!(
        cut.contains(&expected) && cut.contains("cut short"),
        "{cut}"
    );
    let header = message(1000);
    assert!(
        header.contains("the header claims") && header.contains("cut short"),
        "{header}"
    );
}

#[test]
fn downloads_that_did_not_end_are_noticed() {
    for name in [
        "model.safetensors.part",
        "model.safetensors.crdownload",
        "Unconfirmed 123.crdownload",
        ".cache/huggingface/download/abc.incomplete",
    ] {
        let dir = folder_with("model.safetensors");
        fs::remove_file(dir.path().join("model.safetensors")).unwrap();
        let partial = dir.path().join(name);
        fs::create_dir_all(partial.parent().unwrap()).unwrap();
        fs::write(partial, "half").unwrap();
        let message = Checkpoint::from_dir(dir.path()).unwrap_err().to_string();
        assert!(
            message.contains(&format!("`{name}` is a download that did not end")),
            "{message}"
        );
    }
}

fn refusal(dir: &Path) -> String {
    Checkpoint::from_dir(dir).unwrap_err().to_string()
}

#[test]
fn an_adapter_is_named_with_its_base() {
    let dir = tempfile::tempdir().unwrap();
    let config = json!({"peft_type": "LORA", "base_model_name_or_path": "microsoft/Florence-2-base-ft", "r": 8});
    fs::write(dir.path().join("adapter_config.json"), bytes(&config)).unwrap();
    fs::write(dir.path().join("adapter_model.safetensors"), "x").unwrap();
    let expected = "a LoRA adapter of microsoft/Florence-2-base-ft";
    for more in [
        &[][..],
        &["config.json"],
        &["tokenizer.json", "preprocessor_config.json"],
    ] {
        for (name, value) in [
            ("config.json", common::tiny_config()),
            ("tokenizer.json", common::tiny_tokenizer()),
            ("preprocessor_config.json", common::tiny_preprocessor()),
        ] {
            if more.contains(&name) {
                fs::write(dir.path().join(name), bytes(&value)).unwrap();
            }
        }
        let message = refusal(dir.path());
        assert!(
            message.contains(expected) && message.contains("this one as the adapter (`--adapter`"),
            "{message}"
        );
        assert!(
            message.contains("give the folder of microsoft/Florence-2-base-ft"),
            "{message}"
        );
    }
    // Beside a whole model it is not applied, and that is said.
    fs::write(
        dir.path().join("model.safetensors"),
        tiny_weights(Layout::Native),
    )
    .unwrap();
    let checkpoint = Checkpoint::from_dir(dir.path()).unwrap();
    let said = checkpoint
        .warnings()
        .iter()
        .any(|w| w.contains("is not applied"));
    assert!(said, "{:?}", checkpoint.warnings());
}

#[test]
fn quantized_checkpoints_are_named_by_their_method() {
    for (config, words) in [
        (
            json!({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}}),
            [
                "quantized with bitsandbytes",
                "`quantization_config`, 4 bits",
            ],
        ),
        (
            json!({"quantization_config": {"load_in_8bit": true}}),
            [
                "quantized with bitsandbytes",
                "`quantization_config`, 8 bits",
            ],
        ),
        (
            json!({"quantization_config": {"quant_method": "gptq", "bits": 4}}),
            ["quantized with GPTQ", "4 bits"],
        ),
        (
            json!({"text_config": {"quantization_config": {"quant_method": "awq", "w_bit": 4}}}),
            ["quantized with AWQ", "4 bits"],
        ),
        (
            json!({"quantization": {"group_size": 64, "bits": 4}}),
            ["quantized with MLX", "--precision q8_0"],
        ),
    ] {
        let dir = folder_with("config.json");
        let mut whole = common::tiny_config();
        for (key, value) in config.as_object().unwrap() {
            match (&mut whole[key], value) {
                (Value::Object(inner), Value::Object(more)) => inner.extend(more.clone()),
                (place, value) => *place = value.clone(),
            }
        }
        fs::write(dir.path().join("config.json"), bytes(&whole)).unwrap();
        let message = refusal(dir.path());
        for word in words {
            assert!(
                message.starts_with("config.json: ") && message.contains(word),
                "{message}"
            );
        }
    }
}

#[test]
fn quantized_tensors_are_named_by_their_method() {
    let layer = "language_model.model.decoder.layers.0.fc1";
    for (names, dtype, words) in [
        (
            &["weight", "weight.absmax", "weight.quant_map"][..],
            "U8",
            "bitsandbytes, 4 bits",
        ),
        (&["weight", "SCB"], "I8", "bitsandbytes, 8 bits"),
        (&["qweight", "qzeros", "scales", "g_idx"], "I32", "GPTQ"),
        (&["qweight", "qzeros", "scales"], "I32", "GPTQ or AWQ"),
        (&["weight", "scales", "biases"], "U32", "MLX"),
        (&["weight"], "F8_E4M3", "8-bit floats"),
        (&["weight"], "I8", "8-bit or smaller integers"),
    ] {
        let one = names
            .iter()
            .map(|name| (format!("{layer}.{name}"), vec![4, 4]))
            .collect();
        let size = match dtype {
            "I32" | "U32" => 4,
            _ => 1,
        };
        let mut map = serde_json::Map::new();
        let mut end = 0;
        let shapes: common::Shapes = one;
        for name in shapes.keys() {
            let start = end;
            end += 16 * size;
            map.insert(
                name.clone(),
                json!({"dtype": dtype, "shape": [4, 4], "data_offsets": [start, end]}),
            );
        }
        let header = bytes(&Value::Object(map));
        let file = [
            (header.len() as u64).to_le_bytes().to_vec(),
            header,
            vec![0; end],
        ]
        .concat();
        let dir = folder_with("model.safetensors");
        fs::write(dir.path().join("model.safetensors"), file).unwrap();
        let message = refusal(dir.path());
        assert!(
            message.contains(&format!("quantized with {words}")),
            "{message}"
        );
        assert!(message.contains(layer), "{message}");
    }
}

#[test]
fn conversions_for_other_programs_are_named() {
    for (file, what) in [
        ("florence-2-base.Q8_0.gguf", "GGUF"),
        ("onnx/encoder_model.onnx", "ONNX"),
        ("vision_encoder.onnx", "ONNX"),
        ("openvino_model.xml", "OpenVINO"),
        ("tf_model.h5", "TensorFlow"),
        ("flax_model.msgpack", "Flax"),
        ("weights.npz", "MLX"),
    ] {
        for with_config in [false, true] {
            let dir = folder_with("model.safetensors");
            fs::remove_file(dir.path().join("model.safetensors")).unwrap();
            if !with_config {
                fs::remove_file(dir.path().join("config.json")).unwrap();
            }
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
            let message = refusal(dir.path());
            assert!(
                message.contains(what) && message.contains(file),
                "{message}"
            );
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("florence.gguf");
    fs::write(&file, b"GGUF\x03\0\0\0").unwrap();
    assert!(
        refusal(&file).contains("florence.gguf: this is a GGUF file"),
        "{}",
        refusal(&file)
    );
}

#[test]
fn models_of_another_kind_are_named() {
    for kind in ["llama", "clip", "blip-2"] {
        let dir = tempfile::tempdir().unwrap();
        let config = json!({"model_type": kind, "hidden_size": 4096});
        fs::write(dir.path().join("config.json"), bytes(&config)).unwrap();
        assert_eq!(
            refusal(dir.path()),
            format!("config.json: `model_type` is \"{kind}\", expected \"florence2\"")
        );
    }
}

#[test]
fn the_folder_above_or_below_gets_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("models--microsoft--Florence-2-base-ft");
    let commit = repo.join("snapshots/5ca5edf5bd017b9919c05d08aebef5e4c7ac3bac");
    fs::create_dir_all(&commit).unwrap();
    fs::create_dir_all(repo.join("refs")).unwrap();
    fs::create_dir_all(repo.join("blobs")).unwrap();
    fs::write(
        repo.join("refs/main"),
        "5ca5edf5bd017b9919c05d08aebef5e4c7ac3bac",
    )
    .unwrap();
    write_tiny(
        &commit,
        &[("model.safetensors", tiny_weights(Layout::Native))],
    );
    let hint = format!("did you mean `{}`?", commit.display());
    for place in [
        dir.path(),
        &repo,
        &repo.join("snapshots"),
        &repo.join("blobs"),
    ] {
        let message = refusal(place);
        assert!(
            message.contains("no config.json") && message.contains(&hint),
            "{message}"
        );
    }

    let run = tempfile::tempdir().unwrap();
    for step in ["checkpoint-500", "checkpoint-1000"] {
        let step = run.path().join(step);
        fs::create_dir(&step).unwrap();
        write_tiny(&step, &[]);
    }
    let message = refusal(run.path());
    let last = run.path().join("checkpoint-1000");
    assert!(
        message.contains(&format!("did you mean `{}` or", last.display())),
        "{message}"
    );

    let below = run.path().join("checkpoint-500/runs");
    fs::create_dir(&below).unwrap();
    let message = refusal(&below);
    let above = run.path().join("checkpoint-500");
    assert!(
        message.contains(&format!("did you mean `{}`?", above.display())),
        "{message}"
    );
}

#[test]
fn half_a_checkpoint_says_which_half_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    let message = refusal(empty.path());
    assert!(
        message.contains("no config.json in this folder; it is empty"),
        "{message}"
    );

    // As published: OmniParser's icon captioner.
    let dir = tempfile::tempdir().unwrap();
    let mut config: Value = common::read_json("config/base/config.json");
    config["_name_or_path"] = json!("microsoft/Florence-2-base-ft");
    fs::write(dir.path().join("config.json"), bytes(&config)).unwrap();
    let message = refusal(dir.path());
    assert!(
        message.contains("no tokenizer.json in this folder"),
        "{message}"
    );
    assert!(
        message.contains(
            "copy tokenizer.json and preprocessor_config.json of microsoft/Florence-2-base-ft"
        ),
        "{message}"
    );
    assert!(
        message.contains("the weights (model.safetensors) are missing too"),
        "{message}"
    );
    fs::write(dir.path().join("model.safetensors"), "x").unwrap();
    assert!(!refusal(dir.path()).contains("missing too"));

    fs::write(dir.path().join("vocab.json"), "{}").unwrap();
    let message = refusal(dir.path());
    assert!(
        message.contains("vocab.json would do together with merges.txt"),
        "{message}"
    );

    // No preparation of images, and the published one does not fit.
    let dir = folder_with("preprocessor_config.json");
    fs::remove_file(dir.path().join("preprocessor_config.json")).unwrap();
    let message = refusal(dir.path());
    assert!(
        message.starts_with("preprocessor_config.json: absent, and the 768x768 pixels"),
        "{message}"
    );
}

#[test]
fn a_path_that_is_no_folder_is_explained() {
    let dir = folder_with("model.safetensors");
    for file in ["model.safetensors", "config.json"] {
        let message = refusal(&dir.path().join(file));
        assert!(
            message.ends_with(&format!(
                "{file}: a file, expected the folder of a checkpoint: give `{}`",
                dir.path().display()
            )),
            "{message}"
        );
    }
    let error = Checkpoint::from_dir("microsoft/Florence-2-no-such").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let message = error.to_string();
    assert!(
        message.contains("no such folder; if this is a name on the Hugging Face hub"),
        "{message}"
    );
    assert!(
        message.contains("model.safetensors") && message.contains("from_hub"),
        "{message}"
    );
    assert!(
        refusal(Path::new(
            "https://huggingface.co/microsoft/Florence-2-base"
        ))
        .contains("an address")
    );
    assert!(refusal(Path::new("some/other/place")).ends_with("some/other/place: no such folder"));
    assert!(matches!(
        Checkpoint::from_dir("a/b").unwrap_err(),
        Error::Io { .. }
    ));
}

#[cfg(unix)]
#[test]
fn a_link_without_its_file_is_explained() {
    let dir = folder_with("model.safetensors");
    let path = dir.path().join("model.safetensors");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("../../blobs/0123", &path).unwrap();
    let message = refusal(dir.path());
    assert!(
        message.contains("model.safetensors is a link to ../../blobs/0123"),
        "{message}"
    );
}

/// Whatever stands in a file, an error comes out, and soon.
#[test]
fn no_beginning_of_any_content_panics() {
    for file in ["config.json", "merges.txt", "model.safetensors"] {
        let dir = folder_with(file);
        for (_, content, _) in contents() {
            for len in 0..content.len().min(40) {
                fs::write(dir.path().join(file), &content[..len]).unwrap();
                let _ = Checkpoint::from_dir(dir.path());
            }
        }
    }
}

/// A header whose length has the bytes of a gzip signature is a header.
#[test]
fn a_headers_length_is_not_taken_for_a_signature() {
    let weights = tiny_weights(Layout::Microsoft);
    let len = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let wanted = 0x0008_8b1f;
    assert!(len < wanted);
    let padded = [
        (wanted as u64).to_le_bytes().to_vec(),
        weights[8..8 + len].to_vec(),
        vec![b' '; wanted - len],
        weights[8 + len..].to_vec(),
    ]
    .concat();
    assert!(padded.starts_with(b"\x1f\x8b\x08"));
    let dir = tempfile::tempdir().unwrap();
    write_tiny(dir.path(), &[("model.safetensors", padded)]);
    Checkpoint::from_dir(dir.path()).unwrap();
}
