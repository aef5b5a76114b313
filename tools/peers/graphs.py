"""The network as three graphs to export: eyes, encoder, and one step of the decoder with its memory.

They are laid out for speed, as a careful user would: the cross-attention's keys and values are computed once an answer
and shared by all beams; the self-attention's memory grows by one token a step and is reordered inside the graph.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention


def heads(x: torch.Tensor, attention) -> torch.Tensor:
    """(batch, len, d) to (batch, heads, len, d / heads)"""
    return x.view(x.shape[0], x.shape[1], attention.num_heads, attention.head_dim).transpose(1, 2)


class Vision(nn.Module):
    """(1, 3, 768, 768) to (1, 577, d)"""

    def __init__(self, model):
        super().__init__()
        self.model = model.model

    def forward(self, pixels):
        return self.model.get_image_features(pixels).pooler_output


class Encoder(nn.Module):
    """Visual tokens and prompt to the keys and values of every decoder layer's cross-attention, (1, heads, len, d / heads) each."""

    def __init__(self, model):
        super().__init__()
        self.text = model.model.language_model

    def forward(self, features, prompt):
        embedded = torch.cat([features, self.text.encoder.embed_tokens(prompt)], dim=1)
        encoder = self.text.encoder
        x = encoder.layernorm_embedding(embedded + encoder.embed_positions.weight[2:2 + embedded.shape[1]])
        for layer in encoder.layers:
            attention = layer.self_attn
            q, k, v = (heads(project(x), attention) for project in (attention.q_proj, attention.k_proj, attention.v_proj))
            seen = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
            x = layer.self_attn_layer_norm(x + attention.out_proj(seen))
            x = layer.final_layer_norm(x + layer.fc2(layer.activation_fn(layer.fc1(x))))
        cross = []
        for layer in self.text.decoder.layers:
            attention = layer.encoder_attn
            cross += [heads(attention.k_proj(x), attention), heads(attention.v_proj(x), attention)]
        return tuple(cross)


class Step(nn.Module):
    """One token for each beam: logits, and the memory with that token in it."""

    def __init__(self, model):
        super().__init__()
        self.decoder = model.model.language_model.decoder
        self.head = model.lm_head

    def forward(self, tokens, parents, position, cross, past):
        """tokens (beams, 1), parents (beams), position (1); cross and past are lists of keys and values, layer by layer."""
        decoder = self.decoder
        x = decoder.embed_tokens(tokens) + nn.functional.embedding(position + 2, decoder.embed_positions.weight)
        x = decoder.layernorm_embedding(x)
        present = []
        for i, layer in enumerate(decoder.layers):
            attention = layer.self_attn
            k = torch.cat([past[2 * i].index_select(0, parents), heads(attention.k_proj(x), attention)], dim=2)
            v = torch.cat([past[2 * i + 1].index_select(0, parents), heads(attention.v_proj(x), attention)], dim=2)
            present += [k, v]
            seen = scaled_dot_product_attention(heads(attention.q_proj(x), attention), k, v)
            x = layer.self_attn_layer_norm(x + attention.out_proj(seen.transpose(1, 2).reshape(x.shape)))
            # All beams look at the same picture: they are one row with as many queries as there are beams.
            attention = layer.encoder_attn
            q = attention.q_proj(x).view(1, x.shape[0], attention.num_heads, attention.head_dim).transpose(1, 2)
            seen = scaled_dot_product_attention(q, cross[2 * i], cross[2 * i + 1])
            x = layer.encoder_attn_layer_norm(x + attention.out_proj(seen.transpose(1, 2).reshape(x.shape)))
            x = layer.final_layer_norm(x + layer.fc2(layer.activation_fn(layer.fc1(x))))
        return self.head(x)[:, 0], present
