//! Checkpoints with the published names and shapes, in every way that they are
//! stored, and with everything that can be wrong with them.

mod common;

use std::path::Path;

use common::{Shapes, bytes, data, read_json, shapes, tiny_shapes, write_sparse};
use florence_core::checkpoint::expected_tensors;
use florence_core::{Checkpoint, CheckpointBytes, Config, Error, Layout};
use serde_json::json;

fn config(name: &str) -> Config {
    Config::from_json(
        &common::read_data(&format!("config/{name}/config.json")),
        None,
        None,
    )
    .unwrap()
}

/// A folder with the published configuration `name` and the tokenizer.
fn folder(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(data("config").join(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    std::fs::copy(
        data("tokenizer/tokenizer.json"),
        dir.path().join("tokenizer.json"),
    )
    .unwrap();
    dir
}

#[test]
fn published_names_and_shapes_open() {
    for (name, keys, layout, parameters) in [
        ("base", "base", Layout::Microsoft, 231_414_016),
        ("large", "large", Layout::Microsoft, 770_173_952),
        (
            "native-base",
            "native_base",
            Layout::Native,
            231_414_016 + 39 * 768,
        ),
        (
            "native-large",
            "native_large",
            Layout::Native,
            770_173_952 + 39 * 1024,
        ),
    ] {
        let dir = folder(name);
        let shapes = shapes(&format!("keys/keys_safetensors_{keys}.json"));
        write_sparse(&dir.path().join("model.safetensors"), &shapes, "F16");
        let checkpoint = Checkpoint::from_dir(dir.path()).unwrap();
        assert_eq!(checkpoint.layout(), layout, "{name}");
        assert_eq!(checkpoint.parameter_count(), parameters, "{name}");
        assert_eq!(checkpoint.warnings(), [""; 0], "{name}");
    }
}

#[test]
fn the_4096_positions_of_large_are_read_and_not_inferred() {
    let dir = folder("large-4k");
    let mut shapes = shapes("keys/keys_safetensors_large.json");
    let open = |shapes: &Shapes| {
        write_sparse(&dir.path().join("model.safetensors"), shapes, "F16");
        Checkpoint::from_dir(dir.path())
    };
    let error = open(&shapes).unwrap_err().to_string();
    assert!(error.ends_with(
        "model.safetensors: tensor `language_model.model.encoder.embed_positions.weight` has shape \
         [1026, 1024], config.json asks for [4098, 1024]"
    ), "{error}");
    for side in ["encoder", "decoder"] {
        shapes.insert(
            format!("language_model.model.{side}.embed_positions.weight"),
            vec![4098, 1024],
        );
    }
    open(&shapes).unwrap();
}

#[test]
fn expected_tensors_are_the_published_ones() {
    for (name, keys) in [
        ("native-base", "native_base"),
        ("native-large", "native_large"),
    ] {
        let ours: Shapes = expected_tensors(&config(name))
            .into_iter()
            .map(|t| (t.name, t.shape))
            .collect();
        assert_eq!(ours, shapes(&format!("keys/keys_safetensors_{keys}.json")));
    }
    for name in ["base", "large"] {
        let ours: Shapes = expected_tensors(&config(name))
            .into_iter()
            .map(|t| {
                let mut shape = t.shape;
                if Layout::Microsoft.is_transposed(&t.name) {
                    shape.reverse();
                }
                (Layout::Microsoft.name_in_file(&t.name), shape)
            })
            .chain([(
                "language_model.final_logits_bias".to_owned(),
                vec![1, 51_289],
            )])
            .collect();
        assert_eq!(ours, shapes(&format!("keys/keys_safetensors_{name}.json")));
    }
}

#[test]
fn the_rename_rules_give_the_published_map() {
    let map = read_json("keys/rename_original_to_native_base.json");
    let mut checked = 0;
    for (microsoft, native) in map.as_object().unwrap() {
        let Some(native) = native.as_str() else {
            continue;
        };
        let (name, transposed) = match native.strip_suffix(" (transposed)") {
            Some(name) => (name, true),
            None => (native, false),
        };
        assert_eq!(&Layout::Microsoft.name_in_file(name), microsoft);
        assert_eq!(Layout::Microsoft.is_transposed(name), transposed);
        checked += 1;
    }
    assert!(checked > 660, "{checked}");
}

fn open(weights: Vec<u8>) -> Result<Checkpoint, Error> {
    let (config, tokenizer) = (common::tiny_config(), common::tiny_tokenizer());
    let files = CheckpointBytes::new(bytes(&config), bytes(&tokenizer), weights);
    Checkpoint::from_bytes(files.preprocessor_config(bytes(&common::tiny_preprocessor())))
}

fn zeros(shapes: &Shapes) -> Vec<u8> {
    common::safetensors_f32(shapes, |_, _| 0.0)
}

fn refusal(shapes: &Shapes) -> String {
    open(zeros(shapes)).unwrap_err().to_string()
}

#[test]
fn both_layouts_of_a_tiny_model_open() {
    for layout in [Layout::Microsoft, Layout::Native] {
        let checkpoint = open(zeros(&tiny_shapes(layout))).unwrap();
        assert_eq!(checkpoint.layout(), layout);
        assert_eq!(checkpoint.warnings(), [""; 0]);
    }
}

const SHARED: &str = "language_model.model.shared.weight";

#[test]
fn tied_copies_are_accepted_and_never_required() {
    let copies = [
        "language_model.lm_head.weight",
        "language_model.model.encoder.embed_tokens.weight",
        "language_model.model.decoder.embed_tokens.weight",
    ];
    let mut all = tiny_shapes(Layout::Microsoft);
    let table = all[SHARED].clone();
    all.extend(copies.map(|name| (name.to_owned(), table.clone())));
    all.insert("language_model.final_logits_bias".to_owned(), vec![1, 1300]);
    let full = open(zeros(&all)).unwrap();
    assert_eq!(full.warnings(), [""; 0]);
    // Writers that drop duplicates keep any one of them.
    for only in copies {
        let mut one = tiny_shapes(Layout::Microsoft);
        let table = one.remove(SHARED).unwrap();
        one.insert(only.to_owned(), table);
        let checkpoint = open(zeros(&one)).unwrap();
        assert_eq!(checkpoint.parameter_count(), full.parameter_count());
    }
    all.insert(copies[1].to_owned(), vec![1299, 12]);
    assert_eq!(
        refusal(&all),
        "model.safetensors: tensor `language_model.model.encoder.embed_tokens.weight` has shape \
         [1299, 12], config.json asks for [1300, 12]"
    );
    let mut none = tiny_shapes(Layout::Microsoft);
    none.remove(SHARED);
    assert_eq!(
        refusal(&none),
        format!(
            "model.safetensors: 1 of {} tensors are missing: {SHARED}",
            none.len()
        )
    );
}

#[test]
fn the_frame_table_may_be_absent() {
    for (layout, name) in [
        (Layout::Microsoft, "visual_temporal_embed.pos_idx_to_embed"),
        (
            Layout::Native,
            "model.multi_modal_projector.visual_temporal_embed.pos_idx_to_embed",
        ),
    ] {
        let mut shapes = tiny_shapes(layout);
        shapes.remove(name).unwrap();
        open(zeros(&shapes)).unwrap();
    }
}

#[test]
fn extra_tensors_are_named_in_a_warning() {
    let mut shapes = tiny_shapes(Layout::Microsoft);
    for i in 0..5 {
        shapes.insert(format!("lora.{i}"), vec![2]);
    }
    let checkpoint = open(zeros(&shapes)).unwrap();
    assert_eq!(
        checkpoint.warnings(),
        [
            "model.safetensors: 5 tensors that Florence-2 does not have are ignored: lora.0, lora.1, lora.2, …"
        ]
    );
}

#[test]
fn missing_tensors_are_named_in_the_files_own_words() {
    let mut shapes = tiny_shapes(Layout::Microsoft);
    let total = shapes.len() - 1;
    shapes.retain(|name, _| !name.contains("channel_block.ffn"));
    assert_eq!(
        refusal(&shapes),
        format!(
            "model.safetensors: 18 of {total} tensors are missing: \
             vision_tower.blocks.0.0.channel_block.ffn.norm.weight, \
             vision_tower.blocks.0.0.channel_block.ffn.norm.bias, \
             vision_tower.blocks.0.0.channel_block.ffn.fn.net.fc1.weight, …"
        )
    );
}

#[test]
fn wrong_shapes_and_types_are_refused() {
    let mut shapes = tiny_shapes(Layout::Microsoft);
    shapes.insert("image_projection".to_owned(), vec![12, 20]);
    assert_eq!(
        refusal(&shapes),
        "model.safetensors: tensor `image_projection` has shape [12, 20], config.json asks for [20, 12]"
    );
    let shapes = tiny_shapes(Layout::Native);
    let (mut file, len) = common::header(&shapes, "I64");
    file.resize(file.len() + len as usize, 0);
    assert_eq!(
        open(file).unwrap_err().to_string(),
        "model.safetensors: tensor `model.vision_tower.convs.0.conv.weight` is stored as I64, expected F32, F16, BF16 or F64"
    );
    let other: Shapes = [("model.layers.0.mlp.weight".to_owned(), vec![2, 2])].into();
    assert!(refusal(&other).starts_with(
        "model.safetensors: 1 tensors, none of them a Florence-2 name (such as `image_projection`"
    ));
}

#[test]
fn no_corruption_of_the_file_panics_or_opens() {
    let good = zeros(&tiny_shapes(Layout::Native));
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    for len in
        (0..header)
            .step_by(97)
            .chain([7, 8, 9, header - 1, header, header + 1, good.len() - 1])
    {
        let error = open(good[..len].to_vec()).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{len}: {error}");
    }
    for length in [u64::MAX, 1 << 40, 100_000_000, good.len() as u64] {
        let mut bad = good.clone();
        bad[..8].copy_from_slice(&length.to_le_bytes());
        let error = open(bad).unwrap_err().to_string();
        assert!(
            error.contains(&format!("the header claims {length} bytes")),
            "{error}"
        );
    }
    // Flip one byte of the header at a time: the worst that may happen is that
    // a name changes, which is missed elsewhere, or that nothing does.
    for at in (8..header).step_by(61) {
        let mut bad = good.clone();
        bad[at] ^= 0x15;
        let _ = open(bad);
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(
        open(longer)
            .unwrap_err()
            .to_string()
            .contains("the file has")
    );
    let huge = br#"{"image_projection":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}"#;
    let mut file = (huge.len() as u64).to_le_bytes().to_vec();
    file.extend(huge);
    assert!(matches!(open(file).unwrap_err(), Error::Malformed { .. }));
}

/// Writes the tiny model into `dir`, its tensors dealt out to `files`.
fn write_sharded(dir: &Path, files: &[&str]) {
    for (name, value) in [
        ("config.json", common::tiny_config()),
        ("tokenizer.json", common::tiny_tokenizer()),
        ("preprocessor_config.json", common::tiny_preprocessor()),
    ] {
        std::fs::write(dir.join(name), bytes(&value)).unwrap();
    }
    let mut parts = vec![Shapes::new(); files.len()];
    let mut map = serde_json::Map::new();
    for (i, (name, shape)) in tiny_shapes(Layout::Microsoft).into_iter().enumerate() {
        map.insert(name.clone(), json!(files[i % files.len()]));
        parts[i % files.len()].insert(name, shape);
    }
    for (file, part) in files.iter().zip(&parts) {
        std::fs::write(dir.join(file), zeros(part)).unwrap();
    }
    let index = json!({"metadata": {"total_size": 0}, "weight_map": map});
    std::fs::write(dir.join("model.safetensors.index.json"), bytes(&index)).unwrap();
}

#[test]
fn sharded_checkpoints_open() {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ];
    write_sharded(dir.path(), &files);
    let checkpoint = Checkpoint::from_dir(dir.path()).unwrap();
    assert_eq!(checkpoint.warnings(), [""; 0]);

    std::fs::copy(dir.path().join(files[0]), dir.path().join(files[1])).unwrap();
    let error = Checkpoint::from_dir(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("is in another file of model.safetensors.index.json too"),
        "{error}"
    );

    std::fs::remove_file(dir.path().join(files[1])).unwrap();
    let error = Checkpoint::from_dir(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains(
            "no model-00002-of-00002.safetensors, which model.safetensors.index.json names"
        ),
        "{error}"
    );
}

#[test]
fn an_index_cannot_lead_out_of_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    write_sharded(dir.path(), &["a.safetensors"]);
    for file in [
        json!("../secret"),
        json!("/etc/passwd"),
        json!("sub/dir"),
        json!(".."),
        json!(""),
        json!(3),
    ] {
        let index = json!({"weight_map": {"image_projection": file}});
        std::fs::write(
            dir.path().join("model.safetensors.index.json"),
            bytes(&index),
        )
        .unwrap();
        let error = Checkpoint::from_dir(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("expected the name of a file beside the index"),
            "{error}"
        );
    }
    for index in ["{}", "[]", "{\"weight_map\": {}}", "not json"] {
        std::fs::write(dir.path().join("model.safetensors.index.json"), index).unwrap();
        assert!(
            matches!(
                Checkpoint::from_dir(dir.path()),
                Err(Error::Malformed { .. })
            ),
            "{index}"
        );
    }
}

#[test]
fn folders_that_lack_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let missing = || match Checkpoint::from_dir(dir.path()) {
        Err(Error::MissingFile { expected, .. }) => expected,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(), "config.json");
    std::fs::write(
        dir.path().join("config.json"),
        bytes(&common::tiny_config()),
    )
    .unwrap();
    std::fs::write(
        dir.path().join("preprocessor_config.json"),
        bytes(&common::tiny_preprocessor()),
    )
    .unwrap();
    assert_eq!(missing(), "tokenizer.json");
    std::fs::write(
        dir.path().join("tokenizer.json"),
        bytes(&common::tiny_tokenizer()),
    )
    .unwrap();
    assert!(missing().starts_with("model.safetensors"));
}

#[test]
fn a_tokenizer_of_another_model_is_noticed() {
    let files = CheckpointBytes::new(
        bytes(&common::tiny_config()),
        common::read_data("tokenizer/tokenizer.json"),
        zeros(&tiny_shapes(Layout::Native)),
    );
    let files = files.preprocessor_config(bytes(&common::tiny_preprocessor()));
    let error = Checkpoint::from_bytes(files).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tokenizer.json: token `<loc_0>` has the id 50269, but text_config.vocab_size is 1300: the \
         tokenizer is not this checkpoint's"
    );
}

/// `torch.save` of the tiny model's state dict in f16, with its tied copies.
#[test]
fn pickled_checkpoints_open() {
    let dir = tempfile::tempdir().unwrap();
    write_sharded(dir.path(), &["a.safetensors"]);
    std::fs::remove_file(dir.path().join("model.safetensors.index.json")).unwrap();
    let file = common::read_data("pickle/pytorch_model.bin");
    std::fs::write(dir.path().join("pytorch_model.bin"), &file).unwrap();
    let checkpoint = Checkpoint::from_dir(dir.path()).unwrap();
    assert_eq!(checkpoint.layout(), Layout::Microsoft);
    assert_eq!(checkpoint.warnings(), [""; 0]);
    let safetensors = open(zeros(&tiny_shapes(Layout::Native))).unwrap();
    assert_eq!(checkpoint.parameter_count(), safetensors.parameter_count());
    open(file.clone()).unwrap();

    let error = open(file[..file.len() / 2].to_vec())
        .unwrap_err()
        .to_string();
    let cut_off = "model.safetensors: not a usable zip archive: it was cut off or is damaged";
    assert!(error.starts_with(cut_off), "{error}");
    let old = common::read_data("pickle/old_format.bin");
    let error = open(old).unwrap_err().to_string();
    assert!(
        error.contains("PyTorch's format from before version 1.6"),
        "{error}"
    );
    let other = common::read_data("pickle/types.bin");
    let error = open(other).unwrap_err().to_string();
    assert!(
        error.contains("10 tensors, none of them a Florence-2 name"),
        "{error}"
    );
}

#[test]
fn pickled_shards_open() {
    let dir = tempfile::tempdir().unwrap();
    write_sharded(dir.path(), &["a.safetensors"]);
    std::fs::remove_file(dir.path().join("model.safetensors.index.json")).unwrap();
    let file = "pytorch_model-00001-of-00001.bin";
    std::fs::copy(data("pickle/pytorch_model.bin"), dir.path().join(file)).unwrap();
    let index = json!({"weight_map": {"image_projection": file}});
    std::fs::write(
        dir.path().join("pytorch_model.bin.index.json"),
        bytes(&index),
    )
    .unwrap();
    Checkpoint::from_dir(dir.path()).unwrap();
}
