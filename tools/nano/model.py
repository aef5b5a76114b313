"""The network: the transformers class holds the parameters, a faster forward pass of the same function trains them."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from transformers import BartConfig, Florence2Config, Florence2ForConditionalGeneration
from transformers.models.florence2.configuration_florence2 import Florence2VisionConfig

import tokenizer
from world import BACKGROUNDS, COLORS, INPUT_SIDE, KINDS, SHAPES

GRID = 8
IMAGE_TOKENS = GRID * GRID + 1
CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LOC0 = tokenizer.LOC0
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def make_config():
    """The configuration of florence-nano."""
    text = BartConfig(
        vocab_size=tokenizer.TABLE_ROWS, d_model=128, max_position_embeddings=256,
        encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=512,
        decoder_layers=3, decoder_attention_heads=4, decoder_ffn_dim=512,
        activation_function="gelu", dropout=0.0, attention_dropout=0.0, activation_dropout=0.0,
        scale_embedding=False, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2,
        forced_eos_token_id=2,
        is_encoder_decoder=True, tie_word_embeddings=True,
    )
    vision = Florence2VisionConfig(
        depths=(1, 1, 2, 1), patch_size=(7, 3, 3, 3), patch_stride=(4, 2, 2, 1), patch_padding=(3, 1, 1, 1),
        patch_prenorm=(False, True, True, True), embed_dim=(48, 96, 128, 160), num_heads=(3, 6, 8, 10),
        num_groups=(3, 6, 8, 10), window_size=8, drop_path_rate=0.0, mlp_ratio=4.0, projection_dim=128,
        max_temporal_embeddings=10, max_position_embeddings=10,
    )
    return Florence2Config(
        text_config=text, vision_config=vision, image_token_id=tokenizer.IMAGE, tie_word_embeddings=True,
        bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, is_encoder_decoder=True,
    )


def make_model():
    """A freshly initialized model; location embeddings start as waves over the coordinate."""
    model = Florence2ForConditionalGeneration(make_config())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2 and "embed" not in name and "shared" not in name:
                nn.init.normal_(parameter, std=0.5 / math.sqrt(parameter.shape[1]))
        table = model.model.language_model.shared.weight
        nn.init.normal_(table, std=0.06)
        half = table.shape[1] // 2
        at = torch.linspace(0, 1, 1000)[:, None]
        wave = 0.25 * 2.0 ** torch.linspace(0, 7.5, half)
        phase = 2 * math.pi * at * wave
        table[LOC0 : LOC0 + 1000] = 0.06 * torch.cat([phase.sin(), phase.cos()], 1)
        for embed in (model.model.language_model.encoder, model.model.language_model.decoder):
            nn.init.normal_(embed.embed_positions.weight, std=0.06)
    return model


class Auxiliary(nn.Module):
    """Heads that exist in training only: what stands in each cell of the map, which characters; the background."""

    def __init__(self, width=128, middle=96):
        super().__init__()
        self.kind = nn.Linear(width, len(SHAPES) + 2)
        self.color = nn.Linear(width, len(COLORS))
        self.size = nn.Linear(width, 2)
        self.box = nn.Linear(width, 4)
        self.chars = nn.Linear(width, 3 * (len(CHARS) + 1))
        self.norm = nn.LayerNorm(middle)
        self.early_chars = nn.Linear(middle, 2 * (len(CHARS) + 1))
        self.ground = nn.Linear(width, len(KINDS) + len(BACKGROUNDS))


def _norm(x, layer):
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


def _linear(x, layer):
    return F.linear(x, layer.weight, layer.bias)


def _depthwise(x, conv):
    """x + depthwise 3x3 convolution, channels last."""
    y = F.conv2d(x.permute(0, 3, 1, 2), conv.weight, conv.bias, padding=1, groups=x.shape[-1])
    return x + y.permute(0, 2, 3, 1)


def _mlp(x, norm, fc1, fc2):
    return _linear(F.gelu(_linear(_norm(x, norm), fc1)), fc2)


def _attention(q, k, v, bias=None):
    """Plain attention: torch's fused kernel is several times slower backwards in bfloat16 on a CPU."""
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(2, 3))
    return torch.matmul((scores if bias is None else scores + bias).softmax(-1), v)


def _window_block(x, block, heads, window):
    x = _depthwise(x, block.conv1)
    b, h, w, c = x.shape
    y = _norm(x, block.norm1)
    y = y.view(b, h // window, window, w // window, window, c).transpose(2, 3).reshape(-1, window * window, c)
    qkv = _linear(y, block.window_attn.qkv).view(-1, window * window, 3, heads, c // heads).permute(2, 0, 3, 1, 4)
    y = _attention(*qkv.unbind(0))
    y = _linear(y.transpose(1, 2).reshape(-1, window * window, c), block.window_attn.proj)
    y = y.view(b, h // window, w // window, window, window, c).transpose(2, 3).reshape(b, h, w, c)
    x = _depthwise(x + y, block.conv2)
    return x + _mlp(x, block.norm2, block.ffn.fc1, block.ffn.fc2)


def _channel_block(x, block, groups):
    x = _depthwise(x, block.conv1)
    b, h, w, c = x.shape
    n = h * w
    y = _norm(x, block.norm1).view(b, n, c)
    qkv = _linear(y, block.channel_attn.qkv).view(b, n, 3, groups, c // groups).permute(2, 0, 3, 4, 1)
    q, k, v = qkv.unbind(0)
    y = torch.matmul(torch.matmul(q * n**-0.5, k.transpose(2, 3)).softmax(-1), v)
    y = _linear(y.permute(0, 3, 1, 2).reshape(b, n, c), block.channel_attn.proj).view(b, h, w, c)
    x = _depthwise(x + y, block.conv2)
    return x + _mlp(x, block.norm2, block.ffn.fc1, block.ffn.fc2)


def see(model, pixels):
    """Normalized NHWC pixels to (65 visual tokens, the 16x16 map of the second stage)."""
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    config = tower.config
    x = pixels
    early = None
    for stage, (embed, blocks) in enumerate(zip(tower.convs, tower.blocks)):
        if embed.pre_norm:
            x = _norm(x, embed.norm)
        x = F.conv2d(
            x.permute(0, 3, 1, 2), embed.conv.weight, embed.conv.bias, stride=embed.stride, padding=embed.padding
        ).permute(0, 2, 3, 1)
        if not embed.pre_norm:
            x = _norm(x, embed.norm)
        for block in blocks:
            x = _window_block(x, block.spatial_block, config.num_heads[stage], config.window_size)
            x = _channel_block(x, block.channel_block, config.num_groups[stage])
        if stage == 1:
            early = x
    b, h, w, c = x.shape
    position = projector.image_position_embed
    columns = position.column_embeddings.weight[:w][None].expand(h, w, -1)
    rows = position.row_embeddings.weight[:h][:, None].expand(h, w, -1)
    x = x + torch.cat([columns, rows], -1) + projector.visual_temporal_embed.pos_idx_to_embed[0]
    x = x.view(b, h * w, c)
    x = torch.cat([x.mean(1, keepdim=True), x], 1)
    return _norm(F.linear(x, projector.image_projection.weight), projector.image_proj_norm), early


def _heads(x, layer, heads):
    b, t, c = x.shape
    return _linear(x, layer).view(b, t, heads, c // heads).transpose(1, 2)


def _attend(x, memory, attention, bias):
    heads = attention.num_heads
    q, k, v = (_heads(s, p, heads) for s, p in ((x, attention.q_proj), (memory, attention.k_proj), (memory, attention.v_proj)))
    y = _attention(q, k, v, bias)
    y = y.transpose(1, 2).reshape(x.shape)
    return _linear(y, attention.out_proj), q, k


def _embed(model, part, embeddings):
    positions = part.embed_positions.weight[2 : 2 + embeddings.shape[1]]
    return _norm(embeddings + positions, part.layernorm_embedding)


def _feed_forward(x, layer):
    return _norm(x + _linear(F.gelu(_linear(x, layer.fc1)), layer.fc2), layer.final_layer_norm)


def read(model, tokens, prompts, bias):
    """BART's encoder over [visual tokens ; prompt]; `bias` is 0 where attention is allowed, else very negative."""
    encoder = model.model.language_model.encoder
    table = model.model.language_model.shared.weight
    x = _embed(model, encoder, torch.cat([tokens, F.embedding(prompts, table)], 1))
    for layer in encoder.layers:
        y, _, _ = _attend(x, x, layer.self_attn, bias)
        x = _feed_forward(_norm(x + y, layer.self_attn_layer_norm), layer)
    return x


GUIDED_LAYER = 1


def write(model, ids, memory, bias, cells):
    """BART's decoder; also the log-attention of one guided head on the cell that each token should look at."""
    decoder = model.model.language_model.decoder
    x = _embed(model, decoder, F.embedding(ids, model.model.language_model.shared.weight))
    guided = None
    causal = torch.full((ids.shape[1], ids.shape[1]), -1e4, dtype=x.dtype).triu(1)
    for index, layer in enumerate(decoder.layers):
        y, _, _ = _attend(x, x, layer.self_attn, causal)
        x = _norm(x + y, layer.self_attn_layer_norm)
        y, q, k = _attend(x, memory, layer.encoder_attn, bias)
        if index == GUIDED_LAYER:
            scores = torch.matmul(q[:, 0], k[:, 0].transpose(1, 2)) * q.shape[-1] ** -0.5
            scores = (scores + bias[:, 0]).float()
            guided = scores.gather(2, cells[..., None])[..., 0] - scores.logsumexp(-1)
        x = _feed_forward(_norm(x + y, layer.encoder_attn_layer_norm), layer)
    return x, guided


def blur_matrix(width):
    """Rows are Gaussian targets over the 1000 location bins."""
    at = torch.arange(1000.0)
    weights = torch.exp(-0.5 * ((at[:, None] - at[None]) / width) ** 2)
    return weights / weights.sum(1, keepdim=True)


class _Head(torch.autograd.Function):
    """Tied output head and its losses in few passes over the logits.

    Per token: cross-entropy (location targets blurred by `blur`), expected location bin, best entry.
    """

    @staticmethod
    def forward(ctx, hidden, targets, table, blur):
        end = LOC0 + 1000
        share = F.linear(hidden, table)
        top, best = share.max(1)
        share.sub_(top[:, None]).exp_()
        total = share.sum(1)
        share.div_(total[:, None])
        bins = torch.arange(1000.0)
        mass = share[:, LOC0:end].sum(1)
        expected = (share[:, LOC0:end] @ bins) / mass
        blurred = torch.cat([table[:LOC0], blur @ table[LOC0:end], table[end:]])
        aims = F.embedding(targets, blurred)
        entropy = top + total.log() - (hidden * aims).sum(1)
        ctx.save_for_backward(hidden, targets, table, blur, share, mass, expected, aims)
        ctx.mark_non_differentiable(best)
        return entropy, expected, best

    @staticmethod
    def backward(ctx, grad_entropy, grad_expected, _):
        hidden, targets, table, blur, share, mass, expected, aims = ctx.saved_tensors
        end = LOC0 + 1000
        slope = grad_expected / mass
        factors = torch.addr((grad_entropy - slope * expected)[:, None], slope, torch.arange(1000.0))
        share[:, LOC0:end].mul_(factors)
        share[:, :LOC0].mul_(grad_entropy[:, None])
        share[:, end:].mul_(grad_entropy[:, None])
        grad_hidden = share @ table - grad_entropy[:, None] * aims
        grad_table = share.t() @ hidden
        pulls = torch.zeros_like(table).index_add_(0, targets, hidden * grad_entropy[:, None])
        grad_table[:LOC0] -= pulls[:LOC0]
        grad_table[LOC0:end] -= blur.t() @ pulls[LOC0:end]
        grad_table[end:] -= pulls[end:]
        return grad_hidden, None, grad_table, None


def answer_loss(hidden, targets, table, blur):
    """Per token: cross-entropy (location targets blurred), |expected - true| coordinate, whether the best is right."""
    entropy, expected, best = _Head.apply(hidden, targets, table, blur)
    is_loc = (targets >= LOC0) & (targets < LOC0 + 1000)
    distance = (expected - (targets - LOC0)).abs() / 1000 * is_loc
    right = torch.where(is_loc, (best - targets).abs() <= 12, best == targets)
    return entropy, distance, right, is_loc


def pixels_of(images, dtype=torch.float32):
    """uint8 NHWC to normalized values."""
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    return ((images.float() / 255 - mean) / std).to(dtype)


assert INPUT_SIDE == 16 * GRID
