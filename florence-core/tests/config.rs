//! Configurations of published checkpoints, of fine-tunes and of vandals.

mod common;

use common::{bytes, outside, read_data, tiny_config};
use florence_core::config::{ConfigDialect, EarlyStopping, FeatureSource};
use florence_core::{Config, Error, ErrorKind, InputSize};
use serde_json::{Value, json};

fn published(name: &str) -> Config {
    let read = |file: &str| std::fs::read(common::data(&format!("config/{name}/{file}"))).ok();
    Config::from_json(
        &read("config.json").unwrap(),
        read("preprocessor_config.json")
            .or_else(|| read("processor_config.json"))
            .as_deref(),
        read("generation_config.json").as_deref(),
    )
    .unwrap()
}

fn message(config: &Value) -> String {
    let error = Config::from_json(
        &bytes(config),
        Some(&bytes(&common::tiny_preprocessor())),
        None,
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    error.to_string()
}

/// The tiny configuration with one value replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut config = tiny_config();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[key] = value;
    config
}

#[test]
fn base() {
    let c = published("base");
    assert_eq!(c.dialect, ConfigDialect::Microsoft);
    assert_eq!(c.vision.embed_dim, [128, 256, 512, 1024]);
    assert_eq!(c.vision.num_heads, [4, 8, 16, 32]);
    assert_eq!(c.vision.num_groups, [4, 8, 16, 32]);
    assert_eq!(c.vision.depths, [1, 1, 9, 1]);
    assert_eq!(c.vision.patch_prenorm, [false, true, true, true]);
    assert_eq!(c.vision.window_size, 12);
    assert_eq!(c.vision.max_position_embeddings, 50);
    assert_eq!(c.vision.max_temporal_embeddings, 100);
    assert_eq!(
        c.vision.image_feature_source,
        [
            FeatureSource::SpatialAvgPool,
            FeatureSource::TemporalAvgPool
        ]
    );
    assert_eq!(c.visual_tokens(InputSize::square(768)), Some(577));
    assert_eq!(
        (c.text.d_model, c.text.encoder_layers, c.text.vocab_size),
        (768, 6, 51_289)
    );
    assert_eq!(c.image.resize, Some(InputSize::square(768)));
    assert_eq!(c.generation.num_beams, 3);
    assert_eq!(c.generation.early_stopping, EarlyStopping::True);
    assert_eq!(c.generation.no_repeat_ngram_size, 3);
    assert_eq!(c.generation.forced_bos_token_id, Some(0));
    assert_eq!(c.generation.forced_eos_token_id, Some(2));
    assert_eq!(c.warnings, [""; 0]);
}

#[test]
fn large_ignores_its_generation_config() {
    let c = published("large");
    assert_eq!(c.text.max_position_embeddings, 1024);
    // generation_config.json says false; text_config is what takes effect.
    assert_eq!(c.generation.early_stopping, EarlyStopping::True);
    assert_eq!(published("large-4k").text.max_position_embeddings, 4096);
}

#[test]
fn native_takes_generation_from_its_own_file() {
    let c = published("native-base");
    assert_eq!(c.dialect, ConfigDialect::Native);
    assert_eq!(c.text.vocab_size, 51_328);
    assert_eq!(c.generation.num_beams, 3);
    assert_eq!(c.generation.forced_bos_token_id, Some(0));
    assert_eq!(c.image.resize, Some(InputSize::square(768)));
    assert_eq!(c.warnings, [""; 0]);

    let alone =
        Config::from_json(&read_data("config/native-base/config.json"), None, None).unwrap();
    assert_eq!(alone.generation.num_beams, 1);
    assert_eq!(alone.generation.forced_bos_token_id, None);
    assert!(
        alone.warnings[0].contains("num_beams"),
        "{:?}",
        alone.warnings
    );
}

#[test]
fn fine_tune_with_wrong_ids_is_read_with_a_warning() {
    let c = published("saved-finetune");
    assert_eq!(
        (
            c.text.bos_token_id,
            c.text.eos_token_id,
            c.text.pad_token_id
        ),
        (0, 2, 1)
    );
    assert_eq!(c.generation.num_beams, 3);
    assert_eq!(c.warnings.len(), 3, "{:?}", c.warnings);
    assert!(c.warnings[0].contains("`bos_token_id` is 2, text_config says 0"));
}

#[test]
#[ignore = "reads fixtures that are not in the repository, from the folder FLORENCE_FIXTURES"]
fn real_fine_tunes() {
    for (name, vocab) in [
        ("magiv3", 51_293),
        ("base-promptgen-v2", 51_289),
        ("base-ft-finetuned-saved", 51_289),
    ] {
        let folder = outside(&format!("config/{name}"));
        let read = |file: &str| std::fs::read(folder.join(file)).ok();
        let c = Config::from_json(
            &read("config.json").unwrap(),
            read("preprocessor_config.json").as_deref(),
            read("generation_config.json").as_deref(),
        )
        .unwrap();
        assert_eq!(c.text.vocab_size, vocab);
        assert_eq!(c.generation.early_stopping, EarlyStopping::True);
        assert_eq!(c.generation.num_beams, 3);
        assert_eq!(c.dialect, ConfigDialect::Microsoft);
        assert_eq!(c.visual_tokens(InputSize::square(768)), Some(577));
    }
}

#[test]
fn absent_keys_take_the_defaults_of_the_reference_class() {
    let c = Config::from_json(
        br#"{"model_type": "florence2", "vision_config": {"model_type": "davit"}, "text_config": {}}"#,
        None,
        None,
    )
    .unwrap();
    assert_eq!(c.vision.embed_dim, [256, 512, 1024, 2048]);
    assert_eq!(
        (c.text.d_model, c.text.vocab_size, c.text.decoder_layers),
        (1024, 51_289, 12)
    );
    let c = Config::from_json(
        br#"{"model_type": "florence2", "vision_config": {"model_type": "florence_vision"}, "text_config": {"model_type": "bart"}}"#,
        None,
        None,
    )
    .unwrap();
    assert_eq!(c.vision.embed_dim, [128, 256, 512, 1024]);
    assert_eq!((c.text.d_model, c.text.vocab_size), (1024, 50_265));
}

#[test]
fn every_refusal_names_key_and_remedy() {
    for (pointer, value, expected) in [
        (
            "/model_type",
            json!("blip"),
            r#"config.json: `model_type` is "blip", expected "florence2""#,
        ),
        (
            "/vision_config",
            json!(3),
            "config.json: `vision_config` is 3, expected an object",
        ),
        (
            "/text_config",
            Value::Null,
            "config.json: `text_config` is null, expected an object",
        ),
        (
            "/vision_config/model_type",
            json!("swin"),
            r#"config.json: `vision_config.model_type` is "swin", expected "", "davit", "florence_vision", "florence2_vision""#,
        ),
        (
            "/vision_config/num_heads",
            json!([3, 5]),
            "config.json: `vision_config.num_heads` is [3,5], expected divisors of the stages' widths [8, 20]",
        ),
        (
            "/vision_config/depths",
            json!([1, 1, 9, 1]),
            "config.json: `vision_config.depths` is [1,1,9,1], expected 2 items, as many as `dim_embed`",
        ),
        (
            "/vision_config/depths",
            json!([1, 1_000_000_000]),
            "config.json: `vision_config.depths` is [1,1000000000], expected whole numbers from 1 to 256",
        ),
        (
            "/vision_config/dim_embed",
            json!([]),
            "config.json: `vision_config.dim_embed` is [], expected a list of 1 to 16 stages",
        ),
        (
            "/vision_config/dim_embed",
            json!([8, -20]),
            "config.json: `vision_config.dim_embed` is [8,-20], expected whole numbers from 1 to 8192",
        ),
        (
            "/vision_config/patch_padding",
            json!([7, 1]),
            "config.json: `vision_config.patch_padding` is [7,1], expected less than the kernels [7, 3]",
        ),
        (
            "/vision_config/patch_prenorm",
            json!([false, 1]),
            "config.json: `vision_config.patch_prenorm` is [false,1], expected a list of true and false",
        ),
        (
            "/vision_config/in_channels",
            json!(4),
            "config.json: `vision_config.in_channels` is 4, expected whole numbers from 3 to 3",
        ),
        (
            "/vision_config/projection_dim",
            json!(16),
            "config.json: `vision_config.projection_dim` is 16, expected 12, the value of text_config.d_model",
        ),
        (
            "/vision_config/image_pos_embed/type",
            json!("rope"),
            r#"config.json: `vision_config.image_pos_embed.type` is "rope", expected "learned_abs_2d""#,
        ),
        (
            "/vision_config/image_feature_source",
            json!(["cls"]),
            r#"config.json: `vision_config.image_feature_source` is ["cls"], expected a list of 1 to 8 of "spatial_avg_pool", "temporal_avg_pool", "last_frame""#,
        ),
        (
            "/text_config/activation_function",
            json!("relu"),
            r#"config.json: `text_config.activation_function` is "relu", expected "gelu""#,
        ),
        (
            "/text_config/encoder_attention_heads",
            json!(5),
            "config.json: `text_config.encoder_attention_heads` is 5, expected a divisor of d_model 12",
        ),
        (
            "/text_config/pad_token_id",
            json!(1300),
            "config.json: `text_config.pad_token_id` is 1300, expected a token id below vocab_size 1300",
        ),
        (
            "/text_config/forced_bos_token_id",
            json!(99_999),
            "config.json: `text_config.forced_bos_token_id` is 99999, expected a token id below vocab_size 1300",
        ),
        (
            "/text_config/early_stopping",
            json!("maybe"),
            r#"config.json: `text_config.early_stopping` is "maybe", expected true, false or "never""#,
        ),
        (
            "/text_config/num_beams",
            json!(0),
            "config.json: `text_config.num_beams` is 0, expected whole numbers from 1 to 256",
        ),
        (
            "/text_config/tie_word_embeddings",
            json!("no"),
            "config.json: `text_config.tie_word_embeddings` is \"no\", expected true or false",
        ),
        (
            "/text_config/length_penalty",
            json!("one"),
            r#"config.json: `text_config.length_penalty` is "one", expected a number from -100 to 100"#,
        ),
        (
            "/text_config/vocab_size",
            json!(1e30),
            "config.json: `text_config.vocab_size` is 1e+30, expected whole numbers from 5 to 4194304",
        ),
    ] {
        assert_eq!(message(&with(pointer, value)), expected);
    }
}

#[test]
fn image_sides_that_the_network_cannot_take() {
    let config = bytes(&tiny_config());
    let refuse = |preprocessor: Value| {
        Config::from_json(&config, Some(&bytes(&preprocessor)), None)
            .unwrap_err()
            .to_string()
    };
    for (size, expected) in [
        (
            json!(768),
            "`size` is 768, expected an object with \"height\" and \"width\" of 1 to 4096 pixels",
        ),
        (
            json!({"shortest_edge": 32}),
            "`size` is {\"shortest_edge\":32}, expected an object with \"height\" and \"width\"",
        ),
        (json!({"height": 32, "width": 40}), ""),
        (
            json!({"height": 32, "width": 64}),
            "expected a size whose last feature map has 1 to 6 positions a side (64x32 pixels give 8 × 4)",
        ),
        (
            json!({"height": 4_000_000_000u64, "width": 4_000_000_000u64}),
            "`size.height` is 4000000000, expected whole numbers from 1 to 4096",
        ),
        (
            json!({"height": 64, "width": 64}),
            "expected a size whose last feature map has 1 to 6 positions a side (64x64 pixels give 8 × 8)",
        ),
        (json!({"height": 48, "width": 48}), ""),
    ] {
        let mut p = common::tiny_preprocessor();
        p["size"] = size;
        if expected.is_empty() {
            Config::from_json(&config, Some(&bytes(&p)), None).unwrap();
        } else {
            let message = refuse(p);
            assert!(message.contains(expected), "{message}");
        }
    }
    let mut few_positions = tiny_config();
    few_positions["text_config"]["max_position_embeddings"] = json!(17);
    assert!(message(&few_positions).contains("fewer visual tokens than the 17 positions"));
    for (key, value) in [
        ("resample", json!(2)),
        ("image_std", json!([0.2, 0.0, 0.2])),
    ] {
        let mut p = common::tiny_preprocessor();
        p[key] = value;
        let message = refuse(p);
        assert!(
            message.starts_with(&format!("preprocessor_config.json: `{key}` is ")),
            "{message}"
        );
    }
}

#[test]
fn switched_off_steps_become_neutral() {
    let mut p = common::tiny_preprocessor();
    p["do_normalize"] = json!(false);
    p["do_rescale"] = json!(false);
    let c = Config::from_json(&bytes(&tiny_config()), Some(&bytes(&p)), None).unwrap();
    assert_eq!(
        (c.image.mean, c.image.std, c.image.rescale),
        ([0.0; 3], [1.0; 3], 1.0)
    );
}

#[test]
fn no_prefix_of_a_configuration_panics() {
    let config = read_data("config/base/config.json");
    for len in 0..config.len() - 1 {
        let result = Config::from_json(&config[..len], None, None);
        assert!(matches!(result, Err(Error::Malformed { .. })), "{len}");
    }
    assert!(Config::from_json(&[b'['; 100_000], None, None).is_err());
}

/// Every value of a configuration replaced by every kind of nonsense.
#[test]
fn nonsense_in_any_place_is_survived() {
    fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => map
                .iter()
                .for_each(|(k, v)| pointers(v, format!("{at}/{k}"), found)),
            Value::Array(list) => {
                (0..list.len()).for_each(|i| pointers(&list[i], format!("{at}/{i}"), found))
            }
            _ => {}
        }
        if !at.is_empty() {
            found.push(at);
        }
    }
    let (config, preprocessor) = (tiny_config(), common::tiny_preprocessor());
    let mut places = Vec::new();
    pointers(&config, String::new(), &mut places);
    assert!(places.len() > 40);
    for place in places {
        for nonsense in [
            json!(null),
            json!(true),
            json!(-1),
            json!(0),
            json!(1),
            json!(1e308),
            json!(u64::MAX),
            json!("x"),
            json!([]),
            json!([1, 2]),
            json!([[]]),
            json!({}),
            json!([u64::MAX, u64::MAX]),
        ] {
            let mut bad = config.clone();
            *bad.pointer_mut(&place).unwrap() = nonsense;
            if let Ok(config) = Config::from_json(&bytes(&bad), Some(&bytes(&preprocessor)), None) {
                // What is accepted is small enough to be listed.
                let tensors = florence_core::checkpoint::expected_tensors(&config);
                assert!(!tensors.is_empty());
                if let Some(size) = config.image.resize {
                    assert!(config.visual_tokens(size).unwrap() < 1 << 20);
                }
            }
        }
    }
}

#[test]
fn a_nested_file_is_named_as_what_it_is() {
    let nested = json!({"image_processor": {"size": 768}});
    let error = Config::from_json(&bytes(&tiny_config()), Some(&bytes(&nested)), None).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("processor_config.json: `image_processor.size` is 768"),
        "{error}"
    );
}
