//! Detection of weights that other programs quantized, to refuse them by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::header::Entry;
use crate::{Error, Result};

/// The remedy.
const REMEDY: &str = "expected f32, f16 or bf16: take the checkpoint that it was made from; \
                      `--precision q8_0` (`Precision::Q8_0`) quantizes while loading";

/// Refuses a `config.json` of quantized weights.
pub(crate) fn refuse_config(file: &str, map: &Map<String, Value>) -> Result<()> {
    let part = |key: &str| {
        let sections = ["text_config", "vision_config"].map(|s| map.get(s)?.as_object());
        [Some(map)]
            .into_iter()
            .chain(sections)
            .flatten()
            .find_map(|map| {
                map.get(key)?
                    .as_object()
                    .filter(|settings| !settings.is_empty())
            })
    };
    for key in ["quantization_config", "compression_config", "quantization"] {
        let Some(settings) = part(key) else { continue };
        let method = method(key, settings);
        let bits = bits(settings).map_or_else(String::new, |bits| format!(", {bits} bits"));
        return Err(Error::malformed(
            file,
            format!("the weights are quantized with {method} (`{key}`{bits}), {REMEDY}"),
        ));
    }
    Ok(())
}

/// The common name of the quantization method.
fn method(key: &str, settings: &Map<String, Value>) -> String {
    let text = |key: &str| settings.get(key).and_then(Value::as_str);
    let name = text("quant_method").or_else(|| text("quant_type"));
    match name {
        Some("bitsandbytes" | "bitsandbytes_4bit" | "bitsandbytes_8bit") => {
            "bitsandbytes".to_owned()
        }
        Some("gptq") => "GPTQ".to_owned(),
        Some("awq") => "AWQ".to_owned(),
        Some(other) => other.chars().filter(|c| !c.is_control()).take(40).collect(),
        None if settings
            .keys()
            .any(|k| k.starts_with("load_in_") || k.starts_with("bnb_")) =>
        {
            "bitsandbytes".to_owned()
        }
        None if key == "quantization" => "MLX".to_owned(),
        None => "a method that it does not name".to_owned(),
    }
}

fn bits(settings: &Map<String, Value>) -> Option<u64> {
    let set = |key: &str| settings.get(key) == Some(&Value::Bool(true));
    if set("load_in_4bit") || set("_load_in_4bit") {
        return Some(4);
    }
    if set("load_in_8bit") || set("_load_in_8bit") {
        return Some(8);
    }
    settings
        .get("bits")
        .or_else(|| settings.get("w_bit"))?
        .as_u64()
}

/// Refuses files with quantized tensors, by what quantizers write beside the weights.
pub(super) fn refuse_tensors(file: &str, tensors: &BTreeMap<String, Entry>) -> Result<()> {
    let parts: [(&str, &str); 17] = [
        (".absmax", "bitsandbytes, 4 bits"),
        (".quant_map", "bitsandbytes, 4 bits"),
        (".quant_state.bitsandbytes__nf4", "bitsandbytes, 4 bits"),
        (".quant_state.bitsandbytes__fp4", "bitsandbytes, 4 bits"),
        (".SCB", "bitsandbytes, 8 bits"),
        (".weight_format", "bitsandbytes, 8 bits"),
        (".g_idx", "GPTQ"),
        (".qzeros", "GPTQ or AWQ"),
        (".qweight", "GPTQ or AWQ"),
        (".W_q", "HQQ"),
        ("._data", "quanto or torchao"),
        (".weight_packed", "compressed-tensors"),
        (".weight_scale_inv", "8-bit floats"),
        (".weight_scale", "compressed-tensors or 8-bit floats"),
        (".comfy_quant", "ComfyUI"),
        (".scale_weight", "ComfyUI, 8-bit floats"),
        (".weight._scale", "quanto"),
    ];
    for (end, method) in parts {
        if let Some(name) = tensors.keys().find(|name| name.ends_with(end)) {
            return Err(refusal(file, method, format_args!("`{name}`")));
        }
    }
    // MLX writes biases beside scales; no layer of this network has either.
    let mlx = tensors.keys().find(|name| {
        let other = name
            .strip_suffix(".scales")
            .map(|base| format!("{base}.biases"));
        other.is_some_and(|other| tensors.contains_key(&other))
    });
    if let Some(name) = mlx {
        return Err(refusal(file, "MLX", format_args!("`{name}`")));
    }
    let narrow = tensors.iter().find_map(|(name, entry)| {
        let found = entry.stored.as_ref().err()?;
        let method = match found.as_str() {
            f if f.starts_with("F8") || f.starts_with("Float8") => "8-bit floats",
            f if f.starts_with("F4") || f.starts_with("F6") => "floats of less than 8 bits",
            "I8" | "U8" | "I4" | "U4" | "CharStorage" | "ByteStorage"
                if name.ends_with(".weight") =>
            {
                "8-bit or smaller integers"
            }
            _ => return None,
        };
        Some((name, found, method))
    });
    match narrow {
        Some((name, found, method)) => {
            Err(refusal(file, method, format_args!("`{name}` is {found}")))
        }
        None => Ok(()),
    }
}

fn refusal(file: &str, method: &str, evidence: std::fmt::Arguments<'_>) -> Error {
    Error::malformed(
        file,
        format!("the weights are quantized with {method} ({evidence}), {REMEDY}"),
    )
}
