//! Checkpoints as training and saving leave them: other heads, prefixes,
//! nested dictionaries, other names of files, the two files from before
//! `tokenizer.json`.

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use common::{bytes, read_data, read_json, tiny_shapes, tiny_weights, write_tiny};
use florence_core::{Checkpoint, EarlyStopping, Florence2, Layout};
use serde_json::{Value, json};

const SHARED: &str = "model.language_model.shared.weight";
const HEAD: &str = "lm_head.weight";
const DECODER: &str = "model.language_model.decoder.embed_tokens.weight";
const ENCODER: &str = "model.language_model.encoder.embed_tokens.weight";

type Tensors = HashMap<String, Tensor>;

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens")
        .join(file)
}

fn tensors(path: PathBuf) -> Tensors {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

/// The golden checkpoint `plain` (or its Microsoft twin) with other weights.
fn variant(source: &str, weights: &Tensors, changes: &Value) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in ["tokenizer.json", "preprocessor_config.json"] {
        fs::copy(golden(source).join(file), dir.path().join(file)).unwrap();
    }
    let config = fs::read(golden(source).join("config.json")).unwrap();
    let mut config: Value = serde_json::from_slice(&config).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    fs::write(dir.path().join("config.json"), bytes(&config)).unwrap();
    candle_core::safetensors::save(weights, dir.path().join("model.safetensors")).unwrap();
    dir
}

/// The rows of a table moved along, the last to the front.
fn moved(table: &Tensor, rows: usize) -> Tensor {
    let (all, _) = table.dims2().unwrap();
    let end = table.narrow(0, all - rows, rows).unwrap();
    let start = table.narrow(0, 0, all - rows).unwrap();
    Tensor::cat(&[end, start], 0).unwrap()
}

/// What `tools/reference/heads.py` makes, by its names.
fn variants() -> Vec<(&'static str, Tensors, Value)> {
    let weights = tensors(golden("plain/model.safetensors"));
    let table = weights[SHARED].clone();
    let with = |more: &[(&str, Tensor)]| {
        let mut all = weights.clone();
        all.extend(more.iter().map(|(name, t)| ((*name).to_owned(), t.clone())));
        all
    };
    let (head, decoder) = (moved(&table, 7), moved(&table, 3));
    let mut only = with(&[(HEAD, table.clone())]);
    only.remove(SHARED);
    let short = |name: &String| name.strip_prefix("model.").unwrap_or(name).to_owned();
    let untied = json!({"tie_word_embeddings": false});
    let none = json!({});
    vec![
        ("plain", weights.clone(), none.clone()),
        ("head_equal", with(&[(HEAD, table.clone())]), none.clone()),
        ("head_only", only, none.clone()),
        (
            "head_equal_untied",
            with(&[(HEAD, table.clone())]),
            untied.clone(),
        ),
        ("head_own", with(&[(HEAD, head.clone())]), none.clone()),
        ("head_own_untied", with(&[(HEAD, head.clone())]), untied),
        (
            "decoder_own",
            with(&[(DECODER, decoder.clone())]),
            none.clone(),
        ),
        (
            "encoder_own",
            with(&[(ENCODER, decoder.clone())]),
            none.clone(),
        ),
        (
            "head_and_decoder_own",
            with(&[(HEAD, head), (DECODER, decoder)]),
            none.clone(),
        ),
        (
            "f64",
            weights
                .iter()
                .map(|(n, t)| (n.clone(), t.to_dtype(DType::F64).unwrap()))
                .collect(),
            none.clone(),
        ),
        (
            "without_model",
            weights.iter().map(|(n, t)| (short(n), t.clone())).collect(),
            none,
        ),
    ]
}

/// The ids of the golden case for which `heads.json` was written.
fn generate(dir: &Path) -> (Vec<u32>, Vec<String>, usize) {
    let model = Florence2::load(Checkpoint::from_dir(dir).unwrap()).unwrap();
    let inputs = tensors(golden("plain/inputs.safetensors"));
    let document: Value =
        serde_json::from_slice(&fs::read(golden("plain/generations.json")).unwrap()).unwrap();
    let prompts: Vec<Vec<u32>> = serde_json::from_value(document["prompts"].clone()).unwrap();
    let features = model.encode_pixels(&inputs["pixel_values"]).unwrap();
    let config = model
        .generation_config()
        .num_beams(3)
        .max_new_tokens(24)
        .early_stopping(EarlyStopping::True)
        .length_penalty(1.0)
        .no_repeat_ngram_size(3)
        .forced_bos_token_id(Some(0))
        .forced_eos_token_id(Some(2));
    let answers = model.generate(&features, &prompts, &config).unwrap();
    (
        answers[0].token_ids.clone(),
        model.warnings().to_vec(),
        model.parameter_count(),
    )
}

#[test]
fn heads_and_tables_are_those_that_transformers_uses() {
    let document: Value = serde_json::from_slice(&fs::read(golden("heads.json")).unwrap()).unwrap();
    let reference = document["variants"].as_object().unwrap();
    let variants = variants();
    assert_eq!(variants.len(), reference.len());
    let plain = Checkpoint::from_dir(golden("plain"))
        .unwrap()
        .parameter_count();
    for (name, weights, changes) in variants {
        let dir = variant("plain", &weights, &changes);
        let (ids, warnings, parameters) = generate(dir.path());
        let expected: Vec<u32> =
            serde_json::from_value(reference[name]["token_ids"].clone()).unwrap();
        assert_eq!(ids, expected, "{name}");
        let own = [
            name.starts_with("head_own") || name.starts_with("head_and"),
            name.contains("decoder_own"),
        ];
        let own = own.iter().filter(|own| **own).count();
        assert_eq!(parameters, plain + own * weights_of_table(), "{name}");
        let warned = warnings.iter().any(|w| w.contains("tie_word_embeddings"));
        assert_eq!(
            warned,
            ["head_own", "head_and_decoder_own"].contains(&name),
            "{name}: {warnings:?}"
        );
    }
}

fn weights_of_table() -> usize {
    1290 * 32
}

#[test]
fn the_head_of_microsofts_layout_is_used_too() {
    let weights = tensors(golden("plain/microsoft/model.safetensors"));
    let table = weights["language_model.model.shared.weight"].clone();
    let mut own = weights.clone();
    own.insert("language_model.lm_head.weight".to_owned(), moved(&table, 7));
    let document: Value = serde_json::from_slice(&fs::read(golden("heads.json")).unwrap()).unwrap();
    let expected: Vec<u32> =
        serde_json::from_value(document["variants"]["head_own"]["token_ids"].clone()).unwrap();
    for changes in [json!({}), json!({"tie_word_embeddings": false})] {
        let (ids, warnings, _) = generate(variant("plain/microsoft", &own, &changes).path());
        assert_eq!(ids, expected);
        let warned = warnings
            .iter()
            .any(|w| w.contains("`language_model.lm_head.weight` differs"));
        assert_eq!(warned, changes == json!({}), "{warnings:?}");
    }
    // Announced and not there: the table, and a word.
    let mut without = weights;
    without.remove("language_model.lm_head.weight");
    let changes = json!({"tie_word_embeddings": false});
    let (_, warnings, _) = generate(variant("plain/microsoft", &without, &changes).path());
    assert!(
        warnings
            .iter()
            .any(|w| w.contains("the embedding table is the output head")),
        "{warnings:?}"
    );
}

#[test]
fn a_head_in_eight_bits_is_the_files_own() {
    let weights = tensors(golden("plain/model.safetensors"));
    let mut own = weights.clone();
    own.insert(HEAD.to_owned(), moved(&weights[SHARED], 7));
    let dir = variant("plain", &own, &json!({}));
    let options = florence_core::LoadOptions::new().precision(florence_core::Precision::Q8_0);
    let load =
        |dir: &Path| Florence2::load_with(Checkpoint::from_dir(dir).unwrap(), &options).unwrap();
    let logits = |model: &Florence2| -> Vec<f32> {
        let inputs = tensors(golden("plain/inputs.safetensors"));
        let features = model.encode_pixels(&inputs["pixel_values"]).unwrap();
        let logits = model
            .forward(&features, &[vec![0, 58, 2]], &[vec![2]], &mut |_, _| {})
            .unwrap();
        logits.flatten_all().unwrap().to_vec1().unwrap()
    };
    let (tied, own) = (logits(&load(&golden("plain"))), logits(&load(dir.path())));
    assert_eq!(own[7..], tied[..1283], "the same numbers, seven rows on");
}

#[test]
fn wrappers_and_prefixes_are_taken_off() {
    for layout in [Layout::Microsoft, Layout::Native] {
        for prefix in [
            "module.",
            "_orig_mod.",
            "module._orig_mod.",
            "_orig_mod.module.",
            "base_model.model.",
        ] {
            let shapes = tiny_shapes(layout).into_iter();
            let wrapped = shapes
                .map(|(name, shape)| (format!("{prefix}{name}"), shape))
                .collect();
            let dir = tempfile::tempdir().unwrap();
            let file = common::safetensors_f32(&wrapped, |_, _| 0.0);
            write_tiny(dir.path(), &[("model.safetensors", file)]);
            let checkpoint = Checkpoint::from_dir(dir.path()).unwrap();
            assert_eq!(checkpoint.layout(), layout, "{prefix}");
            assert_eq!(checkpoint.warnings(), [""; 0], "{prefix}");
        }
    }
}

#[test]
fn adapted_layers_without_their_adapters_are_plain_layers() {
    let shapes = tiny_shapes(Layout::Microsoft).into_iter();
    let wrapped: common::Shapes = shapes
        .map(|(name, shape)| {
            let name = name.replace("q_proj.", "q_proj.base_layer.");
            (format!("base_model.model.{name}"), shape)
        })
        .collect();
    let open = |shapes: &common::Shapes| {
        let dir = tempfile::tempdir().unwrap();
        let file = common::safetensors_f32(shapes, |_, _| 0.0);
        write_tiny(dir.path(), &[("model.safetensors", file)]);
        Checkpoint::from_dir(dir.path())
    };
    assert_eq!(open(&wrapped).unwrap().warnings(), [""; 0]);
    let mut unmerged = wrapped;
    let layer = "base_model.model.language_model.model.decoder.layers.0.fc1.lora_A.default.weight";
    unmerged.insert(layer.to_owned(), vec![8, 12]);
    let message = open(&unmerged).unwrap_err().to_string();
    assert!(
        message.contains("not merged with its network") && message.contains(layer),
        "{message}"
    );
}

#[test]
fn what_trackers_leave_among_the_weights_is_no_matter() {
    let mut shapes = tiny_shapes(Layout::Native);
    for name in [
        "model.language_model.encoder.position_ids",
        "norm.num_batches_tracked",
        "total_ops",
    ] {
        shapes.insert(name.to_owned(), vec![1]);
    }
    let dir = tempfile::tempdir().unwrap();
    write_tiny(
        dir.path(),
        &[(
            "model.safetensors",
            common::safetensors_f32(&shapes, |_, _| 0.0),
        )],
    );
    assert_eq!(
        Checkpoint::from_dir(dir.path()).unwrap().warnings(),
        [""; 0]
    );
}

/// `torch.save` of a training script's dictionary, names under
/// `module._orig_mod.`, an optimiser's state and a loss beside them.
#[test]
fn nested_state_dicts_open_and_are_named() {
    for name in [
        "pytorch_model.bin",
        "best.pt",
        "epoch_3.pth",
        "last.ckpt",
        "weights.bin",
    ] {
        let dir = tempfile::tempdir().unwrap();
        write_tiny(dir.path(), &[(name, read_data("pickle/nested.bin"))]);
        let checkpoint = Checkpoint::from_dir(dir.path()).unwrap();
        assert_eq!(checkpoint.layout(), Layout::Microsoft);
        let [warning] = checkpoint.warnings() else {
            panic!("{:?}", checkpoint.warnings());
        };
        assert!(
            warning.contains(name) && warning.contains("its `model_state_dict`"),
            "{warning}"
        );
        Florence2::load(checkpoint).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    write_tiny(
        dir.path(),
        &[("pytorch_model.bin", read_data("pickle/several.bin"))],
    );
    let message = Checkpoint::from_dir(dir.path()).unwrap_err().to_string();
    assert!(message.contains("generator, critic"), "{message}");
}

#[test]
fn weights_under_any_name_open() {
    let open = |files: &[(&str, Vec<u8>)]| {
        let dir = tempfile::tempdir().unwrap();
        write_tiny(dir.path(), files);
        Checkpoint::from_dir(dir.path())
    };
    let whole = || tiny_weights(Layout::Native);
    for name in [
        "florence-2-base.safetensors",
        "model.fp16.safetensors",
        "diffusion_pytorch_model.safetensors",
    ] {
        open(&[
            (name, whole()),
            ("training_args.bin", vec![1]),
            ("optimizer.pt", vec![1]),
        ])
        .unwrap();
    }
    // Side by side: safetensors are read.
    open(&[
        ("model.safetensors", whole()),
        ("pytorch_model.bin", b"broken".to_vec()),
    ])
    .unwrap();
    let message = open(&[("a.safetensors", whole()), ("b.safetensors", whole())])
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("2 files of weights (a.safetensors, b.safetensors)"),
        "{message}"
    );

    let mut parts = [common::Shapes::new(), common::Shapes::new()];
    for (i, (name, shape)) in tiny_shapes(Layout::Native).into_iter().enumerate() {
        parts[i % 2].insert(name, shape);
    }
    let parts = parts.map(|part| common::safetensors_f32(&part, |_, _| 0.0));
    let named = |i: usize| format!("net-0000{i}-of-00002.safetensors");
    open(&[(&named(1), parts[0].clone()), (&named(2), parts[1].clone())]).unwrap();
}

/// The published tokenizer as the two older files.
fn write_vocab(dir: &Path, tokenizer: &Value) {
    let merges = tokenizer["model"]["merges"].as_array().unwrap().iter();
    let merges: Vec<String> = merges
        .map(|merge| match merge {
            Value::String(line) => line.clone(),
            pair => format!(
                "{} {}",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            ),
        })
        .collect();
    fs::write(dir.join("vocab.json"), bytes(&tokenizer["model"]["vocab"])).unwrap();
    fs::write(
        dir.join("merges.txt"),
        format!("#version: 0.2\n{}\n", merges.join("\n")),
    )
    .unwrap();
}

/// A folder whose network has the published vocabulary and nothing else of it.
fn folder_with_vocabulary() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut config = common::tiny_config();
    config["text_config"]["vocab_size"] = json!(51_289);
    let mut shapes = tiny_shapes(Layout::Native);
    shapes.insert(SHARED.to_owned(), vec![51_289, 12]);
    write_tiny(dir.path(), &[]);
    common::write_sparse(&dir.path().join("model.safetensors"), &shapes, "F16");
    fs::write(dir.path().join("config.json"), bytes(&config)).unwrap();
    fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    write_vocab(dir.path(), &read_json("tokenizer/tokenizer.json"));
    dir
}

#[test]
fn vocab_and_merges_give_the_ids_of_tokenizer_json() {
    let dir = folder_with_vocabulary();
    let golden = read_json("golden_tokenizer.json");
    let texts = golden["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (&c["text"], &c["ids"]));
    let prompts = golden["prompts"].as_array().unwrap();
    let prompts = prompts.iter().map(|c| (&c["constructed"], &c["input_ids"]));
    let cases: Vec<(&str, Vec<u32>)> = texts
        .chain(prompts)
        .map(|(text, ids)| {
            (
                text.as_str().unwrap(),
                serde_json::from_value(ids.clone()).unwrap(),
            )
        })
        .collect();
    assert!(cases.len() > 60);
    let tokenizer = Checkpoint::from_dir(dir.path())
        .unwrap()
        .tokenizer()
        .clone();
    for (text, ids) in &cases {
        if !text.contains("<mask>") {
            assert_eq!(tokenizer.encode(text).unwrap(), *ids, "{text:?}");
        }
    }
    // As `BartTokenizer` of the reference: what the two files do not say about
    // `<mask>`, that it takes the space before it, the others may.
    let masked = "text <mask> text";
    assert_eq!(
        tokenizer.encode(masked).unwrap(),
        [0, 29015, 1437, 50264, 2788, 2]
    );
    let mask = json!({"content": "<mask>", "lstrip": true, "normalized": false, "rstrip": false, "single_word": false});
    for (file, content) in [
        ("special_tokens_map.json", json!({"mask_token": mask})),
        ("tokenizer_config.json", json!({"mask_token": mask})),
        (
            "tokenizer_config.json",
            json!({"added_tokens_decoder": {"50264": mask}, "mask_token": "<mask>"}),
        ),
    ] {
        let path = dir.path().join(file);
        fs::write(&path, bytes(&content)).unwrap();
        let tokenizer = Checkpoint::from_dir(dir.path())
            .unwrap()
            .tokenizer()
            .clone();
        assert_eq!(
            tokenizer.encode(masked).unwrap(),
            [0, 29015, 50264, 2788, 2],
            "{file}"
        );
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn added_tokens_beside_vocab_and_merges_keep_their_ids() {
    let dir = folder_with_vocabulary();
    let published: Value = read_json("tokenizer/added_tokens.json");
    fs::write(dir.path().join("added_tokens.json"), bytes(&published)).unwrap();
    let by_file = Checkpoint::from_dir(dir.path())
        .unwrap()
        .tokenizer()
        .clone();
    fs::remove_file(dir.path().join("added_tokens.json")).unwrap();
    let listed: serde_json::Map<String, Value> = published
        .as_object()
        .unwrap()
        .iter()
        .map(|(token, id)| (id.to_string(), json!({"content": token, "special": true})))
        .collect();
    let config = json!({"added_tokens_decoder": listed});
    fs::write(dir.path().join("tokenizer_config.json"), bytes(&config)).unwrap();
    let by_list = Checkpoint::from_dir(dir.path())
        .unwrap()
        .tokenizer()
        .clone();
    let text = "A car<loc_1><loc_999><poly></poly><region_to_desciption> it's";
    let ids = by_file.encode(text).unwrap();
    assert!(ids.contains(&50_270) && ids.contains(&51_268), "{ids:?}");
    assert_eq!(by_list.encode(text).unwrap(), ids);

    fs::write(
        dir.path().join("tokenizer_config.json"),
        r#"{"added_tokens_decoder": {"x": {}}}"#,
    )
    .unwrap();
    let message = Checkpoint::from_dir(dir.path()).unwrap_err().to_string();
    assert!(
        message.contains("tokenizer_config.json: `added_tokens_decoder` has \"x\""),
        "{message}"
    );
}

#[test]
fn merges_of_another_vocabulary_are_refused() {
    let dir = folder_with_vocabulary();
    for (merges, words) in [
        (
            "#version: 0.2\nĠ t\nĠ 漢\n",
            "merges.txt: line 3 needs \"漢\"",
        ),
        (
            "#version: 0.2\nĠ t\nĠ t h\n",
            "merges.txt: line 3 has no two symbols",
        ),
        ("#version: 0.2\nĠ\n", "merges.txt"),
    ] {
        fs::write(dir.path().join("merges.txt"), merges).unwrap();
        let message = Checkpoint::from_dir(dir.path()).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    fs::write(dir.path().join("merges.txt"), b"#version: 0.2\n\xff \xfe\n").unwrap();
    assert!(
        Checkpoint::from_dir(dir.path())
            .unwrap_err()
            .to_string()
            .contains("merges.txt: not UTF-8")
    );
}
