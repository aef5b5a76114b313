//! Values of `Weights::get`.

use std::collections::BTreeMap;

use half::{bf16, f16};
use serde_json::json;

use super::super::{folder, header};
use super::{Layout, Parameter, Source, Weights, expected_tensors};
use crate::{Config, Error};

const CONFIG: &[u8] = br#"{
    "model_type": "florence2",
    "vision_config": {"dim_embed": [4, 6], "num_heads": [1, 2], "num_groups": [2, 3], "depths": [1, 1],
        "patch_size": [3, 3], "patch_stride": [16, 2], "patch_padding": [1, 1], "patch_prenorm": [false, true],
        "window_size": 2, "projection_dim": 8,
        "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": 3}},
    "text_config": {"vocab_size": 16, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 1, "decoder_attention_heads": 1, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}
}"#;

const PROJECTION: &str = "multi_modal_projector.image_projection.weight";

/// A safetensors file of every tensor in `layout`; element `i` of the whole
/// file is `value(i)`, written by `write`.
fn file(
    layout: Layout,
    dtype: &str,
    skip: &str,
    mut write: impl FnMut(usize, &mut Vec<u8>),
) -> Vec<u8> {
    let config = Config::from_json(CONFIG, None, None).unwrap();
    let mut map = serde_json::Map::new();
    let mut data = Vec::new();
    let mut count = 0;
    for tensor in expected_tensors(&config) {
        if tensor.name.ends_with(skip) && !skip.is_empty() {
            continue;
        }
        let mut shape = tensor.shape;
        if layout.is_transposed(&tensor.name) {
            shape.reverse();
        }
        let start = data.len();
        for _ in 0..shape.iter().product() {
            write(count, &mut data);
            count += 1;
        }
        let info = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
        map.insert(layout.name_in_file(&tensor.name), info);
    }
    let header = serde_json::to_vec(&map).unwrap();
    [(header.len() as u64).to_le_bytes().to_vec(), header, data].concat()
}

fn weights(bytes: Vec<u8>) -> Weights {
    let config = Config::from_json(CONFIG, None, None).unwrap();
    let source = Source::bytes("w", bytes.into());
    Weights::match_up(folder::single(source).unwrap(), &config).unwrap()
}

fn value(i: usize) -> f32 {
    (i % 977) as f32 / 64.0 - 7.0
}

fn all(weights: &Weights) -> BTreeMap<String, Vec<f32>> {
    let config = Config::from_json(CONFIG, None, None).unwrap();
    expected_tensors(&config)
        .into_iter()
        .map(|t| {
            let values = weights.get(&t.name, &t.shape).unwrap().values().unwrap();
            assert_eq!(values.len(), t.shape.iter().product::<usize>());
            (t.name, values)
        })
        .collect()
}

#[test]
fn three_types_give_the_same_numbers() {
    let f32s = file(Layout::Native, "F32", "", |i, out| {
        out.extend(bf16::from_f32(value(i)).to_f32().to_le_bytes());
    });
    let f16s = file(Layout::Native, "F16", "", |i, out| {
        out.extend(f16::from_f32(bf16::from_f32(value(i)).to_f32()).to_le_bytes());
    });
    let bf16s = file(Layout::Native, "BF16", "", |i, out| {
        out.extend(bf16::from_f32(value(i)).to_le_bytes());
    });
    let expected = all(&weights(f32s));
    assert_eq!(all(&weights(f16s)), expected);
    assert_eq!(all(&weights(bf16s)), expected);
}

#[test]
fn microsoft_keeps_the_transposed_projection() {
    let bytes = file(Layout::Microsoft, "F32", "", |i, out| {
        out.extend(value(i).to_le_bytes())
    });
    let weights = weights(bytes.clone());
    let projection = weights
        .pp("multi_modal_projector")
        .get("image_projection.weight", &[8, 6]);
    let projection = projection.unwrap().values().unwrap();

    let source = Source::bytes("w", bytes.into());
    let entry = &header::read(&source, 0).unwrap()["image_projection"];
    assert_eq!(entry.shape, [6, 8]);
    let raw = source.read(entry.offset, 6 * 8 * 4).unwrap();
    let raw: Vec<f32> = raw
        .chunks(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    for row in 0..8 {
        for column in 0..6 {
            assert_eq!(projection[row * 6 + column], raw[column * 8 + row]);
        }
    }
}

#[test]
fn names_work_with_and_without_their_first_word() {
    let weights = weights(file(Layout::Native, "F32", "", |i, out| {
        out.extend(value(i).to_le_bytes())
    }));
    let values = |parameter: Parameter| parameter.values().unwrap();
    let long = values(weights.get(format!("model.{PROJECTION}"), &[8, 6]).unwrap());
    assert_eq!(values(weights.get(PROJECTION, &[8, 6]).unwrap()), long);
    let at = weights
        .pp("model")
        .pp("multi_modal_projector")
        .pp("image_projection");
    assert_eq!(values(at.get("weight", &[8, 6]).unwrap()), long);
    let table = values(
        weights
            .get("language_model.shared.weight", &[16, 8])
            .unwrap(),
    );
    for tied in [
        "lm_head.weight",
        "language_model.encoder.embed_tokens.weight",
    ] {
        assert_eq!(values(weights.get(tied, &[16, 8]).unwrap()), table);
    }
    assert!(
        weights
            .optional("final_logits_bias", &[1, 16])
            .unwrap()
            .is_none()
    );
}

#[test]
fn the_frame_table_is_computed_when_absent() {
    let bytes = file(Layout::Native, "F32", "pos_idx_to_embed", |_, out| {
        out.extend([0; 4])
    });
    let table = weights(bytes).pp("multi_modal_projector.visual_temporal_embed");
    let table = table.get("pos_idx_to_embed", &[3, 6]).unwrap();
    let table = table.values().unwrap();
    let table = table.chunks(6).collect::<Vec<_>>();
    assert_eq!(table[0], [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    // torch: Florence2VisionPositionalEmbeddingCosine1D with 6 channels, row 2
    let expected = [
        0.909_297_4,
        -0.416_146_84,
        0.092_698_51,
        0.995_694_2,
        0.004_308_856,
        0.999_990_7,
    ];
    for (ours, theirs) in table[2].iter().zip(expected) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
    }
}

#[test]
fn non_finite_values_are_found() {
    for (dtype, odd) in [
        ("F32", f32::NAN),
        ("F16", f32::INFINITY),
        ("BF16", f32::NEG_INFINITY),
    ] {
        let bytes = file(Layout::Native, dtype, "", |i, out| {
            let value = if i == 5 { odd } else { 1.0 };
            match dtype {
                "F32" => out.extend(value.to_le_bytes()),
                "F16" => out.extend(f16::from_f32(value).to_le_bytes()),
                _ => out.extend(bf16::from_f32(value).to_le_bytes()),
            }
        });
        let error = weights(bytes)
            .get("vision_tower.convs.0.conv.weight", &[4, 3, 3, 3])
            .unwrap()
            .values()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "w: tensor `model.vision_tower.convs.0.conv.weight` holds {odd} at flat index 5, \
                 expected finite numbers"
            )
        );
    }
}

#[test]
fn shapes_are_checked_against_the_network_too() {
    let weights = weights(file(Layout::Native, "F32", "", |_, out| out.extend([0; 4])));
    assert!(matches!(
        weights.get(PROJECTION, &[6, 8]),
        Err(Error::TensorShape { .. })
    ));
    assert!(matches!(
        weights.get("no.such", &[1]),
        Err(Error::MissingTensors { .. })
    ));
}
