"""What transformers makes of the checkpoint `goldens/plain` when its file holds other tables than the usual one.

Writes ../../florence-core/tests/goldens/heads.json: for each variant the ids of a beam search and whether the head is tied
after loading. The variants are made of the checkpoint's own table, its rows moved along, so that a test can make them too.
"""

import json
import pathlib
import shutil
import tempfile

import torch
from safetensors.torch import load_file, save_file
from transformers import Florence2ForConditionalGeneration

GOLDENS = pathlib.Path(__file__).resolve().parent / "../../florence-core/tests/goldens"
SHARED = "model.language_model.shared.weight"
HEAD = "lm_head.weight"
DECODER = "model.language_model.decoder.embed_tokens.weight"
ENCODER = "model.language_model.encoder.embed_tokens.weight"


def variants(weights):
    table = weights[SHARED]
    rest = {name: tensor for name, tensor in weights.items() if name != SHARED}
    moved = lambda rows: table.roll(rows, 0).contiguous()
    return {
        "plain": (weights, {}),
        "head_equal": ({**weights, HEAD: table.clone()}, {}),
        "head_only": ({**rest, HEAD: table.clone()}, {}),
        "head_equal_untied": ({**weights, HEAD: table.clone()}, {"tie_word_embeddings": False}),
        "head_own": ({**weights, HEAD: moved(7)}, {}),
        "head_own_untied": ({**weights, HEAD: moved(7)}, {"tie_word_embeddings": False}),
        "decoder_own": ({**weights, DECODER: moved(3)}, {}),
        "encoder_own": ({**weights, ENCODER: moved(3)}, {}),
        "head_and_decoder_own": ({**weights, HEAD: moved(7), DECODER: moved(3)}, {}),
        "f64": ({name: tensor.double() for name, tensor in weights.items()}, {}),
        "without_model": ({name.removeprefix("model."): tensor for name, tensor in weights.items()}, {}),
    }


def main():
    source = GOLDENS / "plain"
    inputs = load_file(source / "inputs.safetensors")
    case = json.loads((source / "generations.json").read_text())["cases"][0]
    arguments = {name: value for name, value in case["args"].items() if value is not None}
    written = {}
    for name, (weights, changes) in variants(load_file(source / "model.safetensors")).items():
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copy(source / "preprocessor_config.json", folder)
            config = json.loads((source / "config.json").read_text()) | changes
            (folder / "config.json").write_text(json.dumps(config))
            save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
            model = Florence2ForConditionalGeneration.from_pretrained(
                folder, dtype=torch.float32, attn_implementation="eager"
            ).eval()
        output = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            pixel_values=inputs["pixel_values"],
            do_sample=False,
            decoder_start_token_id=2,
            eos_token_id=2,
            pad_token_id=1,
            **arguments,
        )
        tied = model.lm_head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()
        written[name] = {"tied": tied, "token_ids": output[0].tolist()}
        print(name, written[name])
    document = {"reference": "transformers 5.23.0, f32, eager", "args": case["args"], "variants": written}
    (GOLDENS / "heads.json").write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
