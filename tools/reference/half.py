"""PyTorch's own 16 bits on the small model: next tokens and answers that are those of f32.

    python half.py

Beside it stands `FLORENCE_BACKEND=candle cargo test -p florence-tasks --test half -- --ignored --nocapture`.
"""

import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
NANO = os.path.join(HERE, "../../crates/florence-nano")

from transformers import CLIPImageProcessorPil, Florence2ForConditionalGeneration
from PIL import Image


@torch.inference_mode()
def main():
    with open(os.path.join(NANO, "tests/data/goldens.jsonl")) as file:
        goldens = [json.loads(line) for line in file]
    in_f32 = {}
    images = CLIPImageProcessorPil.from_pretrained(NANO)
    for name, dtype in (("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
        model = Florence2ForConditionalGeneration.from_pretrained(NANO, dtype=dtype, attn_implementation="eager").eval()
        seen, tokens, same, answers = {}, 0, 0, 0
        for number, golden in enumerate(goldens):
            if golden["file"] not in seen:
                with Image.open(os.path.join(NANO, "eval", golden["file"])) as image:
                    pixels = images(image.convert("RGB"), return_tensors="pt").pixel_values.to(dtype)
                seen[golden["file"]] = pixels, model.get_image_features(pixels).pooler_output
            pixels, features = seen[golden["file"]]
            embeds = torch.cat([features, model.get_input_embeddings()(torch.tensor([golden["prompt_ids"]]))], dim=1)
            read = model.get_encoder()(inputs_embeds=embeds)
            ids = golden["output_ids"]
            logits = model(encoder_outputs=read, decoder_input_ids=torch.tensor([ids[:-1]]), use_cache=False).logits[0]
            found = logits.argmax(-1).tolist()
            expected = in_f32.setdefault(number, found)
            same += sum(a == b for a, b in zip(found, expected, strict=True))
            tokens += len(found)
            prompt = [model.config.image_token_id] * features.shape[1] + golden["prompt_ids"]
            answer = model.generate(
                input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                pixel_values=pixels, max_new_tokens=128,
            )[0].tolist()
            answers += answer == ids
        print(f"{name}: {same} of {tokens} next tokens as in f32, {answers} of {len(goldens)} answers as in f32", flush=True)


if __name__ == "__main__":
    main()
