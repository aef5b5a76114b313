"""Writes a training state as a checkpoint in the transformers-native layout, half precision.

    python export.py STATE.pt FOLDER [--raw]     # --raw takes the weights themselves, not their moving average
"""

import argparse
import json
import os

import torch
from safetensors.torch import load_file, save_file

import model as net
import tokenizer


def load_weights(model, folder):
    """Shipped half-precision weights into a full-precision model, tied tensors included."""
    tensors = {k: v.float() for k, v in load_file(os.path.join(folder, "model.safetensors")).items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    tied = {
        "lm_head.weight", "model.language_model.encoder.embed_tokens.weight",
        "model.language_model.decoder.embed_tokens.weight",
    }
    assert not unexpected and set(missing) <= tied, (missing, unexpected)
    model.tie_weights()
    return model


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def configuration():
    """config.json: the configuration without the library's defaults, and the generation settings as published."""
    noise = {
        "output_hidden_states", "output_attentions", "return_dict", "chunk_size_feed_forward", "id2label", "label2id",
        "problem_type", "_name_or_path", "architectures", "dtype", "use_cache", "init_std", "initializer_range",
    }

    def clean(value):
        if not isinstance(value, dict):
            return value
        return {k: clean(v) for k, v in value.items() if k not in noise and v is not None}

    config = {"architectures": ["Florence2ForConditionalGeneration"], **clean(net.make_config().to_dict())}
    config.update({"dtype": "float16", "vocab_size": tokenizer.TABLE_ROWS})
    settings = generation()
    for name in ("forced_bos_token_id", "num_beams", "early_stopping", "no_repeat_ngram_size"):
        config["text_config"][name] = settings[name]
    return config


def preprocessor():
    return {
        "do_convert_rgb": True, "do_resize": True, "do_rescale": True, "do_normalize": True, "do_center_crop": False,
        "image_processor_type": "CLIPImageProcessor", "processor_class": "Florence2Processor",
        "image_seq_length": net.IMAGE_TOKENS, "resample": 3, "rescale_factor": 1 / 255,
        "image_mean": list(net.MEAN), "image_std": list(net.STD),
        "size": {"height": 128, "width": 128}, "crop_size": {"height": 128, "width": 128},
    }


def generation():
    return {
        "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2,
        "forced_bos_token_id": 0, "forced_eos_token_id": 2, "num_beams": 3, "early_stopping": True,
        "no_repeat_ngram_size": 3, "length_penalty": 1.0, "max_new_tokens": 128,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("state")
    parser.add_argument("folder")
    parser.add_argument("--raw", action="store_true")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    state = torch.load(args.state, weights_only=True)
    weights = state["model" if args.raw else "ema"]
    tied = {"lm_head.weight"} | {f"model.language_model.{p}.embed_tokens.weight" for p in ("encoder", "decoder")}
    tensors = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in weights.items() if name not in tied
    }
    assert all(t.isfinite().all() for t in tensors.values())
    save_file(tensors, os.path.join(args.folder, "model.safetensors"), metadata={"format": "pt"})
    os.chmod(os.path.join(args.folder, "model.safetensors"), 0o644)
    write_json(args.folder, "config.json", configuration())
    write_json(args.folder, "preprocessor_config.json", preprocessor())
    write_json(args.folder, "generation_config.json", generation())
    tokenizer.write(args.folder)
    load_weights(net.make_model(), args.folder)
    print(f"step {state['step']}: {sum(t.numel() for t in tensors.values())} values")


if __name__ == "__main__":
    main()
