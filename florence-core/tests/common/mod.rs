//! Small checkpoints, made up on the spot.
#![allow(dead_code)]

pub(crate) mod sha256;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use florence_core::checkpoint::expected_tensors;
use florence_core::{Config, Layout};
use serde_json::{Value, json};

pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

pub(crate) fn data(path: &str) -> PathBuf {
    // Those are also what the decoder's own tests read.
    let folder = if path.starts_with("jpeg") {
        "../crates/bitexact-jpeg/tests/data"
    } else {
        "tests/data"
    };
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(path)
}

pub(crate) fn read_data(path: &str) -> Vec<u8> {
    std::fs::read(data(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

pub(crate) fn read_json(path: &str) -> Value {
    serde_json::from_slice(&read_data(path)).unwrap()
}

/// A fixture that may be read but not shipped, in the folder that `FLORENCE_FIXTURES` names. Tests that
/// need one are ignored by name, and fail without it.
pub(crate) fn outside(path: &str) -> PathBuf {
    let folder = std::env::var_os("FLORENCE_FIXTURES").expect("FLORENCE_FIXTURES names a folder");
    let path = PathBuf::from(folder).join(path);
    assert!(path.exists(), "there is no {}", path.display());
    path
}

pub(crate) fn shapes(path: &str) -> Shapes {
    serde_json::from_value(read_json(path)).unwrap()
}

/// A safetensors header (with its length) for these tensors, one after
/// another, and the size of their data.
pub(crate) fn header(shapes: &Shapes, dtype: &str) -> (Vec<u8>, u64) {
    let size: usize = match dtype {
        "F32" | "I32" => 4,
        "F64" | "I64" => 8,
        _ => 2,
    };
    let mut end = 0;
    let map: serde_json::Map<String, Value> = shapes
        .iter()
        .map(|(name, shape)| {
            let start = end;
            end += shape.iter().product::<usize>() * size;
            let info = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]});
            (name.clone(), info)
        })
        .collect();
    let json = serde_json::to_vec(&map).unwrap();
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    (bytes, end as u64)
}

/// A safetensors file full of zeros that takes no room on disk.
pub(crate) fn write_sparse(path: &Path, shapes: &Shapes, dtype: &str) {
    let (header, len) = header(shapes, dtype);
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(header.len() as u64 + len).unwrap();
}

/// A safetensors file in memory; `value` gives the numbers by tensor and index.
pub(crate) fn safetensors_f32(shapes: &Shapes, value: impl Fn(&str, usize) -> f32) -> Vec<u8> {
    let (mut bytes, _) = header(shapes, "F32");
    for (name, shape) in shapes {
        for i in 0..shape.iter().product() {
            bytes.extend(value(name, i).to_le_bytes());
        }
    }
    bytes
}

/// The configuration of a Florence-2 with two stages and 20 channels at most.
pub(crate) fn tiny_config() -> Value {
    json!({
        "model_type": "florence2",
        "projection_dim": 12,
        "text_config": {
            "vocab_size": 1300, "d_model": 12, "encoder_layers": 2, "decoder_layers": 1,
            "encoder_attention_heads": 3, "decoder_attention_heads": 2,
            "encoder_ffn_dim": 24, "decoder_ffn_dim": 20, "max_position_embeddings": 40,
            "num_beams": 3, "early_stopping": true, "no_repeat_ngram_size": 3,
            "forced_bos_token_id": 0, "forced_eos_token_id": 2,
        },
        "vision_config": {
            "model_type": "davit",
            "dim_embed": [8, 20], "num_heads": [2, 5], "num_groups": [4, 2], "depths": [2, 1],
            "patch_size": [7, 3], "patch_stride": [4, 2], "patch_padding": [3, 1],
            "patch_prenorm": [false, true], "window_size": 3, "projection_dim": 12,
            "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": 5},
            "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": 6},
            "image_feature_source": ["spatial_avg_pool", "temporal_avg_pool"],
        },
    })
}

/// Images of 32 pixels: a 4 × 4 map, 17 visual tokens.
pub(crate) fn tiny_preprocessor() -> Value {
    json!({
        "size": {"height": 32, "width": 32}, "resample": 3,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    })
}

/// A byte-level BPE without merges: 4 special tokens, 256 bytes, `<mask>`.
pub(crate) fn tiny_tokenizer() -> Value {
    let mut vocab = serde_json::Map::new();
    for (id, token) in ["<s>", "<pad>", "</s>", "<unk>"].into_iter().enumerate() {
        vocab.insert(token.to_owned(), json!(id));
    }
    let printable = |b: u32| matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut shifted = 0x100;
    for byte in 0..256u32 {
        let c = if printable(byte) {
            byte
        } else {
            shifted += 1;
            shifted - 1
        };
        vocab.insert(char::from_u32(c).unwrap().to_string(), json!(4 + byte));
    }
    vocab.insert("<mask>".to_owned(), json!(260));
    let special = |id: u32, content: &str, lstrip: bool| {
        json!({"id": id, "content": content, "special": true, "lstrip": lstrip,
               "rstrip": false, "single_word": false, "normalized": true})
    };
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 10}, "direction": "Right", "pad_to_multiple_of": null,
                    "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>"},
        "added_tokens": [
            special(0, "<s>", false), special(1, "<pad>", false), special(2, "</s>", false),
            special(3, "<unk>", false), special(260, "<mask>", true),
        ],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": 0.5, "unk_token": null, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": false, "vocab": vocab, "merges": []},
    })
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// Every tensor of the tiny configuration, in one layout's names.
pub(crate) fn tiny_shapes(layout: Layout) -> Shapes {
    let config = Config::from_json(
        &bytes(&tiny_config()),
        Some(&bytes(&tiny_preprocessor())),
        None,
    )
    .unwrap();
    expected_tensors(&config)
        .into_iter()
        .map(|t| {
            let mut shape = t.shape;
            if layout.is_transposed(&t.name) {
                shape.reverse();
            }
            (layout.name_in_file(&t.name), shape)
        })
        .collect()
}

/// The tiny model with `weights`, under their names, in `dir`.
pub(crate) fn write_tiny(dir: &Path, weights: &[(&str, Vec<u8>)]) {
    for (name, value) in [
        ("config.json", tiny_config()),
        ("tokenizer.json", tiny_tokenizer()),
        ("preprocessor_config.json", tiny_preprocessor()),
    ] {
        std::fs::write(dir.join(name), bytes(&value)).unwrap();
    }
    for (name, bytes) in weights {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
}

/// Weights of the tiny model that are all zero.
pub(crate) fn tiny_weights(layout: Layout) -> Vec<u8> {
    safetensors_f32(&tiny_shapes(layout), |_, _| 0.0)
}
