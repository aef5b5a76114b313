"""The reference implementation (transformers) around a checkpoint folder: processor, generation, parsing."""

import json
import os
import re

import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import AutoProcessor, CLIPImageProcessorPil, Florence2ForConditionalGeneration
from transformers.models.florence2.processing_florence2 import Florence2PostProcessor

from tokenizer import PROMPTS

PARSE = (
    "ocr", "phrase_grounding", "pure_text", "description_with_bboxes", "description_with_polygons", "polygons",
    "bboxes", "description_with_bboxes_or_polygons",
)


class Reference:
    """transformers' Florence-2 in full precision with plain attention, weights from the shipped half-precision file."""

    def __init__(self, folder):
        self.model = Florence2ForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        self.processor = AutoProcessor.from_pretrained(folder)
        # The default processor resizes with torchvision, up to 2 levels away from Pillow, which published results used.
        self.images = CLIPImageProcessorPil.from_pretrained(folder)
        self.processor.post_processor = Florence2PostProcessor(
            config={kind: {} for kind in PARSE}, tokenizer=self.processor.tokenizer
        )
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.image_tokens = self.processor.num_image_tokens

    def prompt(self, scene, question):
        """Marker, sentence and prompt ids (without the image) of a question."""
        value = question["text"]
        if question["region"]:
            size = (scene["width"], scene["height"])
            bins = self.processor.post_processor.quantize(torch.tensor([question["region"]]), size)[0]
            value = "".join(f"<loc_{int(b)}>" for b in bins)
        sentence = PROMPTS[question["task"]].replace("{input}", value or "")
        assert self.processor._construct_prompts(question["task"] + (value or "")) == [sentence]
        return sentence, self.tokenizer.encode(sentence).ids

    def pixels(self, path):
        with Image.open(path) as image:
            return self.images(image.convert("RGB"), return_tensors="pt").pixel_values

    @torch.no_grad()
    def generate(self, pixels, prompts, **options):
        """Default generation for several prompts about one image (padded, with the attention mask)."""
        longest = max(len(p) for p in prompts)
        image = [self.processor.image_token_id] * self.image_tokens
        ids = torch.tensor([image + p + [1] * (longest - len(p)) for p in prompts])
        return self.model.generate(
            input_ids=ids, attention_mask=(ids != 1).long(), pixel_values=pixels.expand(len(prompts), -1, -1, -1),
            max_new_tokens=128, **options,
        )

    def text(self, ids):
        """Decoded text with special tokens, up to the end token."""
        ids = list(ids)
        if 2 in ids[1:]:
            ids = ids[: ids.index(2, 1) + 1]
        return self.tokenizer.decode(ids, skip_special_tokens=False)

    def parse(self, text, task, size):
        return self.processor.post_process_generation(text=text, task=task, image_size=size)[task]


def load_scenes(folder):
    with open(os.path.join(folder, "scenes.json")) as file:
        return json.load(file)["scenes"]


def plain(text):
    return re.sub(r"</?s>", "", text)
