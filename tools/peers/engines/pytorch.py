"""PyTorch with transformers: `from_pretrained`, `generate`."""
from __future__ import annotations

import os

import torch
import transformers
from tokenizers import Tokenizer
from transformers import Florence2ForConditionalGeneration, GenerationConfig
from transformers.modeling_outputs import BaseModelOutput

from engines.engine import Engine

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
IMAGE_TOKEN, IMAGE_TOKENS = 51289, 577


class PyTorch(Engine):
    def __init__(self, folders, precision, threads):
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.dtype = DTYPES[precision]
        self.attention = os.environ.get("PEERS_ATTENTION", "sdpa")
        self.model = Florence2ForConditionalGeneration.from_pretrained(
            folders.checkpoint, dtype=self.dtype, attn_implementation=self.attention, local_files_only=True
        ).eval()
        self.tokenizer = Tokenizer.from_file(str(folders.checkpoint / "tokenizer.json"))

    def versions(self):
        return {"torch": torch.__version__, "transformers": transformers.__version__}

    def notes(self):
        return {"attention": self.attention}

    def take(self, pixels):
        return torch.from_numpy(pixels).to(self.dtype)

    @torch.inference_mode()
    def see(self, pixels):
        return self.model.get_image_features(pixels).pooler_output

    @torch.inference_mode()
    def read(self, features, prompt):
        embeds = torch.cat([features, self.model.get_input_embeddings()(torch.tensor([prompt]))], dim=1)
        read = self.model.get_encoder()(inputs_embeds=embeds)
        # The graphs of the other engines project this here; generate() does it in the first step.
        for layer in self.model.model.language_model.decoder.layers:
            layer.encoder_attn.k_proj(read.last_hidden_state)
            layer.encoder_attn.v_proj(read.last_hidden_state)
        return read

    def write(self, read, prompt, beams, rules):
        # generate() writes into what it is given.
        return self._generate(prompt, beams, rules, encoder_outputs=BaseModelOutput(last_hidden_state=read.last_hidden_state))

    @torch.inference_mode()
    def follow(self, read, prompt, tokens):
        output = self.model(encoder_outputs=read, decoder_input_ids=torch.tensor([tokens]), use_cache=False)
        return output.logits[0].argmax(-1).tolist()

    def one(self, pixels, prompt, beams, rules):
        return self._generate(prompt, beams, rules, pixel_values=pixels)

    def many(self, pixels, prompts, beams, rules):
        for prompt in prompts:
            self.one(pixels, prompt, beams, rules)

    @torch.inference_mode()
    def _generate(self, prompt, beams, rules, **given):
        ids = torch.tensor([[IMAGE_TOKEN] * IMAGE_TOKENS + prompt])
        settings = GenerationConfig(
            num_beams=beams, early_stopping=beams > 1, no_repeat_ngram_size=rules.ngram, do_sample=False, use_cache=True,
            min_new_tokens=rules.new_tokens, max_new_tokens=rules.new_tokens, forced_bos_token_id=rules.bos,
            forced_eos_token_id=rules.eos, bos_token_id=rules.bos, eos_token_id=rules.eos, pad_token_id=1,
            decoder_start_token_id=rules.start,
        )
        return self.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings, **given
        )[0].tolist()
