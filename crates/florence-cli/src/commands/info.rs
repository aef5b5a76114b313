//! `florence info`: describes a checkpoint.

use std::io::Write;

use florence_core::{Config, EarlyStopping, Florence2, Layout};
use serde_json::{Value, json};

use super::load;
use crate::args::InfoArgs;
use crate::failure::Failure;
use crate::printable::one_line;

pub(crate) fn info(args: &InfoArgs) -> Result<(), Failure> {
    let florence = load(&args.model)?;
    let mut facts = facts(florence.model());
    let adapters = args.model.adapters.iter();
    facts["adapters"] = adapters.map(|dir| dir.to_string_lossy()).collect();
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{facts}")?;
    } else {
        write_section(&mut out, &facts, 0)?;
    }
    Ok(())
}

fn facts(network: &Florence2) -> Value {
    let Config {
        vision,
        text,
        image,
        ..
    } = network.config();
    let generation = network.generation_config();
    let tokenizer = network.tokenizer();
    json!({
        "layout": match network.layout() {
            Layout::Microsoft => "microsoft",
            Layout::Native => "transformers",
            _ => "other",
        },
        "parameters": network.parameter_count(),
        "device": network.device().to_string(),
        "precision": network.precision().to_string(),
        "vision": {
            "embed_dim": vision.embed_dim,
            "depths": vision.depths,
            "num_heads": vision.num_heads,
            "num_groups": vision.num_groups,
            "patch_size": vision.patch_size,
            "patch_stride": vision.patch_stride,
            "window_size": vision.window_size,
            "visual_tokens": image.resize.and_then(|size| network.config().visual_tokens(size)),
        },
        "text": {
            "vocab_size": text.vocab_size,
            "d_model": text.d_model,
            "encoder_layers": text.encoder_layers,
            "decoder_layers": text.decoder_layers,
            "encoder_attention_heads": text.encoder_attention_heads,
            "decoder_attention_heads": text.decoder_attention_heads,
            "max_position_embeddings": text.max_position_embeddings,
        },
        "image": {
            // Width and height; null where each image keeps its own size.
            "resize": image.resize.map(|size| [size.width, size.height]),
            "mean": image.mean,
            "std": image.std,
        },
        "generation": {
            "num_beams": generation.get_num_beams(),
            "early_stopping": match generation.get_early_stopping() {
                EarlyStopping::True => json!(true),
                EarlyStopping::False => json!(false),
                EarlyStopping::Never => json!("never"),
            },
            "length_penalty": generation.get_length_penalty(),
            "no_repeat_ngram_size": generation.get_no_repeat_ngram_size(),
            "forced_bos_token_id": generation.get_forced_bos_token_id(),
            "forced_eos_token_id": generation.get_forced_eos_token_id(),
            "decoder_start_token_id": generation.get_decoder_start_token_id(),
        },
        "tokenizer": {
            "vocab_size": tokenizer.vocab_size(),
            "bos": tokenizer.bos_id(),
            "pad": tokenizer.pad_id(),
            "eos": tokenizer.eos_id(),
            "unk": tokenizer.unk_id(),
            "loc_0": tokenizer.location_id(0),
            "loc_999": tokenizer.location_id(999),
        },
        "warnings": network.warnings(),
    })
}

/// `key  value` lines, sections indented.
fn write_section(out: &mut dyn Write, value: &Value, indent: usize) -> std::io::Result<()> {
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => {
                writeln!(out, "{:indent$}{key}", "")?;
                write_section(out, value, indent + 2)?;
            }
            Value::Array(lines) if lines.iter().any(Value::is_string) => {
                writeln!(out, "{:indent$}{key}", "")?;
                for line in lines.iter().filter_map(Value::as_str) {
                    writeln!(out, "{:indent$}  {}", "", one_line(line))?;
                }
            }
            Value::String(text) => {
                writeln!(out, "{:indent$}{key:<26} {}", "", one_line(text))?;
            }
            other => writeln!(out, "{:indent$}{key:<26} {other}", "")?,
        }
    }
    Ok(())
}
