//! The options of `adapter_config.json`: which are read, which do not matter, and which are refused.

use serde_json::{Map, Value};

use crate::config::read::Section;
use crate::{Error, Result};

/// Options that `Settings` reads.
const READ: [&str; 16] = [
    "peft_type",
    "r",
    "lora_alpha",
    "use_rslora",
    "rank_pattern",
    "alpha_pattern",
    "target_modules",
    "exclude_modules",
    "layers_to_transform",
    "layers_pattern",
    "modules_to_save",
    "bias",
    "init_lora_weights",
    "ensure_weight_tying",
    "base_model_name_or_path",
    // PEFT ignores it on `torch.nn.Linear`, which all linear layers of Florence-2 are.
    "fan_in_fan_out",
];

/// Options about training, saving or other engines.
const NEUTRAL: [&str; 20] = [
    "auto_mapping",
    "corda_config",
    "eva_config",
    "inference_mode",
    "lora_bias",
    "lora_dropout",
    "lora_dtype",
    "lora_ga_config",
    "loftq_config",
    "lorap_emb_lr",
    "lorap_lr_ratio",
    "megatron_config",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
    "task_type",
    "unsloth_fixed",
    "ephemeral_gpu_offload",
];

/// Options that change what is computed in a way that cannot be merged into a weight, or is not.
const REFUSED: [(&str, &str); 11] = [
    ("use_dora", "DoRA"),
    ("use_qalora", "QALoRA"),
    ("use_bdlora", "block-diagonal LoRA"),
    ("alora_invocation_tokens", "activated LoRA"),
    ("arrow_config", "routing between adapters"),
    ("kasa_config", "KaSA"),
    ("monteclora_config", "Monte Carlo LoRA"),
    ("velora_config", "VeLoRA"),
    ("layer_replication", "replicated layers"),
    (
        "target_parameters",
        "LoRA on parameters that are no modules",
    ),
    ("trainable_token_indices", "single trained tokens"),
];

/// Ways to begin training that leave the base as it is. The others (`pissa`, `olora`, `corda`,
/// `loftq`, `lora_ga`) move a part of its weights into the adapter.
const INITIALIZATIONS: [&str; 4] = ["gaussian", "eva", "orthogonal", "mica"];

/// Refuses what would give other numbers than the reference's.
pub(super) fn check(file: &str, map: &Map<String, Value>) -> Result<()> {
    let section = Section::new(file, map);
    if map.get("peft_type").and_then(Value::as_str) != Some("LORA") {
        return Err(section.refuse("peft_type", "\"LORA\", the only adapters that are read"));
    }
    for (key, value) in map {
        if READ.contains(&key.as_str()) || NEUTRAL.contains(&key.as_str()) || is_off(value) {
            continue;
        }
        return Err(match REFUSED.iter().find(|(name, _)| name == key) {
            Some((name, what)) => section.refuse(
                name,
                format!(
                    "off: {what} is not read; merge the adapter in Python (PEFT's \
                     `merge_and_unload()`) where PEFT can"
                ),
            ),
            None => unknown(&section, key),
        });
    }
    let start = map.get("init_lora_weights");
    match start {
        None | Some(Value::Null | Value::Bool(_)) => Ok(()),
        Some(Value::String(name)) if INITIALIZATIONS.contains(&name.as_str()) => Ok(()),
        Some(_) => Err(section.refuse(
            "init_lora_weights",
            "true, \"gaussian\", \"eva\", \"orthogonal\" or \"mica\": other ways change the base \
             too; save the adapter with `path_initial_model_for_weight_conversion` (PEFT)",
        )),
    }
}

fn unknown(section: &Section<'_>, key: &str) -> Error {
    const SHOWN: usize = 80;
    let key: String = key
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    let expected =
        "no such option: it may change the numbers; remove it from the file if it does not";
    section.refuse(&key, expected)
}

/// Whether the value of an option says that there is none.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}
