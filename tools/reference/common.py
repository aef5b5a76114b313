"""What the reference scripts share: seeded weights, both checkpoint layouts, generation with its margins.

Reference: transformers 5.23 `Florence2ForConditionalGeneration`, f32, eager attention, eval mode (no dropout).
"""
from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import math
import pathlib
import re

import torch
import transformers
from safetensors.torch import save_file
from transformers import Florence2Config, Florence2ForConditionalGeneration, GenerationConfig

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
transformers.logging.set_verbosity_error()
try:
    transformers.utils.logging.disable_progress_bar()
except AttributeError:
    pass

BOS, PAD, EOS = 0, 1, 2


# ---------------------------------------------------------------------------------------------- weights


def seeded_state(model, seed: int, eos_bias: float, logit_std: float = 3.0, tokens: list[int] | None = None) -> dict[str, torch.Tensor]:
    """Random weights that exercise every tensor and keep the logits well apart.

    Norm weights and all biases are away from 1 and 0, so that a forgotten one shows. The row of `</s>` in the tied
    embedding points along the bias of the decoder's last LayerNorm: its logit gets the constant `eos_bias`, which makes
    sequences end at different lengths without any bias tensor. `tokens`: positions of each stage's map, for large ones.
    """
    gen = torch.Generator().manual_seed(seed)
    d_model = model.config.text_config.d_model
    token_std = logit_std / math.sqrt(d_model)
    last = model.config.text_config.decoder_layers - 1
    state = {}
    for name, tensor in sorted(model.state_dict().items()):
        if name in ("lm_head.weight",) or "embed_tokens" in name:
            continue
        shape, noise = tensor.shape, None
        if not name.endswith("pos_idx_to_embed"):
            noise = torch.randn(shape, generator=gen, dtype=torch.float32)
        if noise is None:
            value = tensor.detach().clone()
        elif "norm" in name:
            value = 1.0 + 0.2 * noise if name.endswith("weight") else 0.25 * noise
            if name == f"model.language_model.decoder.layers.{last}.final_layer_norm.bias":
                value = 2.0 * value
        elif name.endswith("bias"):
            value = 0.1 * noise
        elif "shared" in name or "embed_positions" in name:
            value = token_std * noise
            if "decoder.embed_positions" in name:
                value = 1.25 * value
        elif "row_embeddings" in name or "column_embeddings" in name:
            value = 0.3 * noise
        elif tensor.dim() == 4 and shape[1] == 1 and "convs" not in name:
            value = (0.12 if tokens is None else 0.04) * noise  # depthwise, next to a residual: deep stages must not grow
        else:
            fan_in = math.prod(shape[1:])
            gain = 1.3
            if name.endswith("qkv.weight"):
                # Moderate attention scores: a softmax sharper than this multiplies the rounding of f32, the
                # reference's own included. Channel scores grow with the root of the number of tokens.
                sharp = 1.0
                if "channel_attn" in name:
                    stage = int(re.search(r"blocks\.(\d+)\.", name).group(1))
                    sharp = 0.4 * (1.0 if tokens is None else (784 / tokens[stage]) ** 0.25)
                gain = torch.tensor([sharp, sharp, 1.2]).repeat_interleave(shape[0] // 3)[:, None]
            elif re.search(r"[qk]_proj", name):
                gain = 1.4
            elif "language_model.decoder" in name and re.search(r"(v_proj|out_proj)\.", name):
                gain = 0.7  # else the picture drowns the last token and every step says the same
            value = noise * gain / math.sqrt(fan_in)
        state[name] = value.contiguous()
    direction = state[f"model.language_model.decoder.layers.{last}.final_layer_norm.bias"]
    shared = state["model.language_model.shared.weight"]
    shared[EOS] = 0.3 * shared[EOS] + eos_bias * direction / direction.dot(direction)
    return state


def build(config: Florence2Config) -> Florence2ForConditionalGeneration:
    model = Florence2ForConditionalGeneration(config).eval()
    model.set_attn_implementation("eager")
    # Nothing of the checkpoint decides here: every case says all its arguments.
    model.generation_config = GenerationConfig(
        bos_token_id=BOS, pad_token_id=PAD, eos_token_id=EOS, decoder_start_token_id=EOS
    )
    return model


def load_state(model, state) -> None:
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [m for m in missing if "embed_tokens" not in m and m != "lm_head.weight"]
    assert not missing and not unexpected, (missing, unexpected)
    model.tie_weights()
    shared = model.model.language_model.shared.weight
    for other in (model.lm_head, model.model.language_model.encoder.embed_tokens, model.model.language_model.decoder.embed_tokens):
        assert torch.equal(other.weight, shared)


# ---------------------------------------------------------------------------------------------- the microsoft layout

_RULES = [
    # (native, microsoft), applied one after the other
    (r"^model\.multi_modal_projector\.image_projection\.weight$", "image_projection"),
    (r"^model\.multi_modal_projector\.image_position_embed\.", "image_pos_embed."),
    (r"^model\.multi_modal_projector\.", ""),
    (r"^model\.vision_tower\.", "vision_tower."),
    (r"^(vision_tower\.convs\.\d+)\.conv\.", r"\1.proj."),
    (r"_block\.(conv[12])\.", r"_block.\1.fn.dw."),
    (r"spatial_block\.norm1\.", "spatial_block.window_attn.norm."),
    (r"channel_block\.norm1\.", "channel_block.channel_attn.norm."),
    (r"_block\.norm2\.", "_block.ffn.norm."),
    (r"\.(window_attn|channel_attn)\.(qkv|proj)\.", r".\1.fn.\2."),
    (r"\.ffn\.(fc[12])\.", r".ffn.fn.net.\1."),
    (r"^model\.language_model\.", "language_model.model."),
]


def microsoft_name(native: str) -> str:
    for pattern, replacement in _RULES:
        native = re.sub(pattern, replacement, native)
    return native


def microsoft_state(state: dict[str, torch.Tensor], final_logits_bias: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
    """The published layout of microsoft/Florence-2-*: other names, `image_projection` as (in, out), a logits bias."""
    out = {}
    for name, tensor in state.items():
        new = microsoft_name(name)
        out[new] = tensor.t().contiguous() if new == "image_projection" else tensor
    vocab = state["model.language_model.shared.weight"].shape[0]
    bias = torch.zeros(1, vocab, dtype=out["image_projection"].dtype) if final_logits_bias is None else final_logits_bias
    out["language_model.final_logits_bias"] = bias
    return out


def microsoft_config(config: Florence2Config, generation: dict) -> dict:
    vision, text = config.vision_config, config.text_config
    return {
        "architectures": ["Florence2ForConditionalGeneration"],
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "ignore_index": -100,
        "model_type": "florence2",
        "pad_token_id": PAD,
        "projection_dim": vision.projection_dim,
        "text_config": {
            "vocab_size": text.vocab_size,
            "activation_dropout": 0.1,
            "activation_function": "gelu",
            "add_bias_logits": False,
            "add_final_layer_norm": False,
            "attention_dropout": 0.1,
            "bos_token_id": BOS,
            "d_model": text.d_model,
            "decoder_attention_heads": text.decoder_attention_heads,
            "decoder_ffn_dim": text.decoder_ffn_dim,
            "decoder_layerdrop": 0.0,
            "decoder_layers": text.decoder_layers,
            "decoder_start_token_id": EOS,
            "dropout": 0.1,
            "encoder_attention_heads": text.encoder_attention_heads,
            "encoder_ffn_dim": text.encoder_ffn_dim,
            "encoder_layerdrop": 0.0,
            "encoder_layers": text.encoder_layers,
            "eos_token_id": EOS,
            "is_encoder_decoder": True,
            "max_position_embeddings": text.max_position_embeddings,
            "normalize_before": False,
            "num_hidden_layers": text.encoder_layers,
            "pad_token_id": PAD,
            "scale_embedding": text.scale_embedding,
            **generation,
        },
        "vision_config": {
            "model_type": "davit",
            "drop_path_rate": 0.1,
            "patch_size": list(vision.patch_size),
            "patch_stride": list(vision.patch_stride),
            "patch_padding": list(vision.patch_padding),
            "patch_prenorm": list(vision.patch_prenorm),
            "enable_checkpoint": False,
            "dim_embed": list(vision.embed_dim),
            "num_heads": list(vision.num_heads),
            "num_groups": list(vision.num_groups),
            "depths": list(vision.depths),
            "window_size": vision.window_size,
            "projection_dim": vision.projection_dim,
            "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": vision.max_temporal_embeddings},
            "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": vision.max_position_embeddings},
            "image_feature_source": ["spatial_avg_pool", "temporal_avg_pool"],
        },
        "vocab_size": text.vocab_size,
        "torch_dtype": "float32",
        "is_encoder_decoder": True,
    }


def native_config(config: Florence2Config) -> dict:
    out = json.loads(config.to_json_string(use_diff=False))
    keep = json.loads(config.to_json_string(use_diff=True))
    out = {k: v for k, v in out.items() if k in keep or k in ("image_token_id", "is_encoder_decoder", "tie_word_embeddings")}
    out["architectures"] = ["Florence2ForConditionalGeneration"]
    for section in ("text_config", "vision_config"):
        out[section].pop("_name_or_path", None)
    return out


# ---------------------------------------------------------------------------------------------- files


def write_json(path: pathlib.Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def write_tensors(path: pathlib.Path, tensors: dict[str, torch.Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: tensors[k].contiguous() for k in sorted(tensors)}, str(path), metadata={"format": "pt"})
    path.chmod(0o644)


# ---------------------------------------------------------------------------------------------- activations


def record_stages(model, inputs, decoder_input_ids, blocks: bool = True, keep=torch.float32):
    """One teacher-forced run; the output of every stage by name, plus the logits."""
    out, handles = {}, []

    def watch(module, name):
        def hook(_module, _args, result):
            result = result[0] if isinstance(result, tuple) else result
            out[name] = result.detach().clone().to(keep)

        handles.append(module.register_forward_hook(hook))

    inner = model.model
    for i, conv in enumerate(inner.vision_tower.convs):
        watch(conv, f"vision.conv.{i}")
        for j, block in enumerate(inner.vision_tower.blocks[i]):
            last = j + 1 == len(inner.vision_tower.blocks[i])
            if blocks:
                watch(block.spatial_block, f"vision.stage.{i}.block.{j}.spatial")
            if blocks or last:
                watch(block.channel_block, f"vision.stage.{i}.block.{j}.channel")
    watch(inner.multi_modal_projector, "projector")
    for side in ("encoder", "decoder"):
        stack = getattr(inner.language_model, side)
        watch(stack.layernorm_embedding, f"{side}.embed")
        for i, layer in enumerate(stack.layers):
            if blocks or i + 1 == len(stack.layers):
                watch(layer, f"{side}.layer.{i}")
    with torch.no_grad():
        result = model(**inputs, decoder_input_ids=decoder_input_ids, use_cache=False)
    for handle in handles:
        handle.remove()
    out["logits"] = result.logits.to(keep)
    return out


def rounding(model, inputs, decoder_input_ids, stages, blocks: bool = True) -> float:
    """How far the reference's own f32 is from f64, over all activations."""
    model.double()
    exact = record_stages(model, {**inputs, "pixel_values": inputs["pixel_values"].double()}, decoder_input_ids, blocks, torch.float64)
    model.float()
    return max(float((exact[name] - value.double()).abs().max()) for name, value in stages.items())


# ---------------------------------------------------------------------------------------------- generation


class Margins:
    """Smallest distance to any other decision on the way of one generation, and what the search did."""

    def __init__(self, eos: int, rows: int):
        self.eos, self.smallest, self.closed_by_score = eos, math.inf, False
        self.finished, self._over = {}, [False] * rows
        self._cls = transformers.generation.utils.GenerationMixin

    def note(self, gap: float) -> None:
        self.smallest = min(self.smallest, float(gap))

    def __enter__(self):
        cls, outer = self._cls, self
        self._saved = {n: cls.__dict__[n] for n in ("_get_top_k_continuations", "_update_finished_beams", "_check_early_stop_heuristic")}
        top_k, update, early = cls._get_top_k_continuations, cls._update_finished_beams, cls._check_early_stop_heuristic

        def _get_top_k_continuations(this, **kw):
            acc, beams = kw["accumulated_log_probs"], kw["num_beams"]
            vocab = acc.shape[-1] // beams
            for row in range(acc.shape[0]):
                if outer._over[row]:
                    continue
                value, index = torch.topk(acc[row], 2 * beams + 1)
                real = value > -1e8
                value, token = value[real].tolist(), (index[real] % vocab).tolist()
                plain = [v for v, t in zip(value, token) if t != outer.eos]
                if len(plain) > beams:
                    outer.note(plain[beams - 1] - plain[beams])
                for rank, t in enumerate(token):
                    if t == outer.eos and len(value) > beams:
                        outer.note(value[rank] - value[beams] if rank < beams else value[beams - 1] - value[rank])
                # what is compared at the limit and when finished
                if kw["cur_len"] + 1 >= kw["running_sequences"].shape[-1] and len(value) > beams:
                    outer.note(value[beams - 1] - value[beams])
            return top_k(this, **kw)

        def _update_finished_beams(this, **kw):
            result = update(this, **kw)
            sequences, scores, indices, finished = result
            early_true = kw["early_stopping"] is True
            for row in range(scores.shape[0]):
                if outer._over[row]:
                    continue
                hits = kw["next_token_hits_stopping_criteria"][row] & kw["top_num_beam_mask"]
                step = (kw["cur_len"] + 1 - kw["decoder_prompt_len"]) ** kw["length_penalty"]
                merged = torch.cat([kw["beam_scores"][row], (kw["topk_log_probs"][row] / step)[hits]])
                merged = torch.sort(merged[merged > -1e8], descending=True)[0].tolist()
                if len(merged) > kw["num_beams"]:
                    outer.note(merged[kw["num_beams"] - 1] - merged[kw["num_beams"]])
                outer.finished[row] = merged
                if early_true and bool(finished[row].all()):
                    outer._over[row] = True
            return result

        def _check_early_stop_heuristic(is_early_stop_heuristic_unsatisfied, running_beam_scores, beam_scores, is_sent_finished, cur_len,
                                        max_length, decoder_prompt_len, early_stopping, length_penalty):
            was = is_early_stop_heuristic_unsatisfied
            result = early(was, running_beam_scores, beam_scores, is_sent_finished, cur_len, max_length, decoder_prompt_len,
                           early_stopping, length_penalty)
            if cur_len < max_length:
                length = max_length if early_stopping == "never" and length_penalty > 0.0 else cur_len
                best = running_beam_scores[:, 0] / (length - decoder_prompt_len) ** length_penalty
                for row in range(best.shape[0]):
                    if bool(was[row]) and not outer._over[row] and bool(is_sent_finished[row].all()):
                        outer.note(abs(float(best[row] - beam_scores[row].min())))
                        if not bool(result[row]):
                            outer.closed_by_score = True
            for row in range(beam_scores.shape[0]):
                if not bool(result[row]):
                    outer._over[row] = True
            return result

        cls._get_top_k_continuations = _get_top_k_continuations
        cls._update_finished_beams = _update_finished_beams
        cls._check_early_stop_heuristic = staticmethod(_check_early_stop_heuristic)
        return self

    def __exit__(self, *_):
        for name, value in self._saved.items():
            setattr(self._cls, name, value)


DEFAULTS = {
    "num_beams": 3,
    "max_new_tokens": 24,
    "early_stopping": True,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 3,
    "forced_bos_token_id": BOS,
    "forced_eos_token_id": EOS,
}
SPECIAL = {"decoder_start_token_id": EOS, "eos_token_id": EOS, "pad_token_id": PAD}


def generate(model, inputs, args: dict) -> dict:
    """One call of the reference's generate with everything about it that a test may want."""
    beams = args["num_beams"]
    settings = GenerationConfig(**args, bos_token_id=BOS, **SPECIAL, do_sample=False)
    watch = Margins(EOS, inputs["input_ids"].shape[0])
    with torch.no_grad(), watch:
        out = model.generate(
            **inputs, generation_config=settings, return_dict_in_generate=True, output_scores=True, output_logits=True
        )
    for merged in watch.finished.values():
        if len(merged) > 1:
            watch.note(merged[0] - merged[1])
    sequences = out.sequences
    if beams == 1:
        indices = None
        lengths = []
        for row in sequences.tolist():
            end = row.index(EOS, 1) + 1 if EOS in row[1:] else len(row)
            lengths.append(end - 1)
        for step, processed in enumerate(out.scores):
            top = torch.topk(processed, 2, dim=-1)[0]
            for row, length in enumerate(lengths):
                if step < length and math.isfinite(top[row, 1]):
                    watch.note(top[row, 0] - top[row, 1])
        score = None
        transition = model.compute_transition_scores(sequences, out.scores, None, normalize_logits=True)
    else:
        indices = out.beam_indices
        lengths = (indices >= 0).sum(-1).tolist()
        score = out.sequences_scores.tolist()
        transition = model.compute_transition_scores(sequences, out.scores, indices, normalize_logits=False)
    raw = model.compute_transition_scores(sequences, out.logits, indices, normalize_logits=True)
    return {
        "sequences": sequences.tolist(),
        "token_ids": [row[: n + 1] for row, n in zip(sequences.tolist(), lengths)],
        "score": score,
        "transition_scores": [row[:n] for row, n in zip(transition.tolist(), lengths)],
        "raw_logprobs": [row[:n] for row, n in zip(raw.tolist(), lengths)],
        "beam_indices": None if indices is None else [row[:n] for row, n in zip(indices.tolist(), lengths)],
        "margin": watch.smallest,
        "closed_by_score": watch.closed_by_score,
    }


def stable(model, inputs, args: dict, expected: list, noise: float = 1e-4, tries: int = 4) -> bool:
    """Do the ids survive this much noise on every logit?"""
    for attempt in range(tries):
        gen = torch.Generator().manual_seed(1000 + attempt)

        def hook(_module, _args, logits):
            return logits + noise * (2 * torch.rand(logits.shape, generator=gen) - 1)

        handle = model.lm_head.register_forward_hook(hook)
        try:
            same = generate(model, inputs, args)["token_ids"] == expected
        finally:
            handle.remove()
        if not same:
            return False
    return True
