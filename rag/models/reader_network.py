"""The reader's network: a small BERT with a span head, an answerable head and a sentence head.

Written out here rather than taken from a library because training on processors wants two things
that libraries do not offer: batches made of chunks of equal length (no time lost on padding) and
dropout from a pool of random masks (drawing them anew costs more than the network itself).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, HEADS, LAYERS, INNER, VOCABULARY, POSITIONS = 384, 12, 6, 1536, 30522, 512


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sequences of about the same length, padded to the longest."""

    ids: Tensor  # (sequences, tokens)
    types: Tensor  # 0 for the question, 1 for the passage
    mask: Tensor  # True where there is a token


class PoolDropout(nn.Module):
    """Dropout whose masks are slices of one pool, at an offset drawn anew for every call."""

    def __init__(self, rate: float, size: int = 1 << 24) -> None:
        super().__init__()
        keep = torch.empty(size, dtype=torch.uint8).bernoulli_(1 - rate)
        self.register_buffer("pool", keep.to(torch.bfloat16) / (1 - rate), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, thinned out while training."""
        if not self.training:
            return x
        n = x.numel()
        offset = int(torch.randint(0, self.pool.numel() - n, (1,)))
        return x * self.pool[offset : offset + n].view_as(x)


class Layer(nn.Module):
    """Attention and a feed-forward part, each added and normalised (as in BERT)."""

    def __init__(self, dropout: nn.Module) -> None:
        super().__init__()
        self.qkv = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.out = nn.Linear(HIDDEN, HIDDEN)
        self.norm1 = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.up = nn.Linear(HIDDEN, INNER)
        self.down = nn.Linear(INNER, HIDDEN)
        self.norm2 = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.dropout = dropout

    def attend(self, qkv: Tensor, shape: tuple[int, int], bias: Tensor) -> Tensor:
        """Plain products: in bf16 on a processor five times as fast as torch's fused attention."""
        b, t = shape
        width = HIDDEN // HEADS
        q, k, v = qkv.view(b, t, 3, HEADS, width).permute(2, 0, 3, 1, 4).reshape(3, -1, t, width)
        bias = bias.to(q.dtype).expand(b, HEADS, 1, t).reshape(-1, 1, t)
        weights = torch.baddbmm(bias, q, k.transpose(1, 2), alpha=width**-0.5).softmax(-1)
        x = torch.bmm(weights, v).view(b, HEADS, t, width)
        return x.transpose(1, 2).reshape(b * t, HIDDEN)

    def forward(self, x: Tensor, shapes: list[tuple[int, int]], biases: list[Tensor]) -> Tensor:
        """All chunks at once: (tokens of all, hidden)."""
        qkv = self.qkv(x)
        parts = qkv.split([b * t for b, t in shapes]) if len(shapes) > 1 else [qkv]
        mixed = [self.attend(p, s, m) for p, s, m in zip(parts, shapes, biases, strict=True)]
        y = torch.cat(mixed) if len(mixed) > 1 else mixed[0]
        x = self.norm1(x + self.dropout(self.out(y)))
        y = self.down(functional.gelu(self.up(x)))
        return self.norm2(x + self.dropout(y))


class ReaderNetwork(nn.Module):
    """Per token: start, end, inside (its sentence answers); per sequence: answerable."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        drop = PoolDropout(dropout) if dropout else nn.Identity()
        self.words = nn.Embedding(VOCABULARY, HIDDEN)
        self.positions = nn.Embedding(POSITIONS, HIDDEN)
        self.types = nn.Embedding(2, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.dropout = drop
        self.layers = nn.ModuleList(Layer(drop) for _ in range(LAYERS))
        self.token_head = nn.Linear(HIDDEN, 3)
        self.passage_head = nn.Linear(HIDDEN, 1)
        for head in (self.token_head, self.passage_head):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def embed(self, ids: Tensor, types: Tensor) -> Tensor:
        """(sequences, tokens) to (sequences, tokens, hidden)."""
        positions = torch.arange(ids.shape[1], device=ids.device)
        return self.norm(self.words(ids) + self.positions(positions) + self.types(types))

    def forward_chunks(self, chunks: list[Chunk]) -> list[tuple[Tensor, Tensor]]:
        """Per chunk: token logits (sequences, tokens, 3) and answerable logits (sequences)."""
        shapes = [(c.ids.shape[0], c.ids.shape[1]) for c in chunks]
        biases = [
            torch.zeros(c.mask.shape).masked_fill_(~c.mask, -30000.0)[:, None, None, :]
            for c in chunks
        ]
        x = torch.cat([self.embed(c.ids, c.types).view(-1, HIDDEN) for c in chunks])
        x = self.dropout(x.to(self.layers[0].qkv.weight.dtype))
        for layer in self.layers:
            x = layer(x, shapes, biases)
        outputs = []
        with torch.autocast("cpu", enabled=False):
            x = x.float()
            tokens = self.token_head(x)
        for part, hidden, (b, t) in zip(
            tokens.split([b * t for b, t in shapes]),
            x.split([b * t for b, t in shapes]),
            shapes,
            strict=True,
        ):
            with torch.autocast("cpu", enabled=False):
                answerable = self.passage_head(hidden.view(b, t, HIDDEN)[:, 0]).squeeze(-1)
            outputs.append((part.view(b, t, 3), answerable))
        return outputs

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, ...]:
        """The form that is exported: start, end, answerable, inside."""
        bias = ((1.0 - mask.float()) * -30000.0)[:, None, None, :]
        b, t = ids.shape
        x = self.embed(ids, types)
        for layer in self.layers:
            q, k, v = (
                part.view(b, t, HEADS, HIDDEN // HEADS).transpose(1, 2)
                for part in layer.qkv(x).split(HIDDEN, dim=-1)
            )
            scores = q @ k.transpose(-1, -2) * (HIDDEN // HEADS) ** -0.5 + bias
            y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, HIDDEN)
            x = layer.norm1(x + layer.out(y))
            x = layer.norm2(x + layer.down(functional.gelu(layer.up(x))))
        tokens = self.token_head(x)
        return tokens[..., 0], tokens[..., 1], self.passage_head(x[:, 0])[:, 0], tokens[..., 2]


def load_base(network: ReaderNetwork, weights: Path) -> None:
    """Fill the network from all-MiniLM-L6-v2's weights; the heads stay as they are."""
    from safetensors.torch import load_file

    old = {name.removeprefix("bert."): value for name, value in load_file(weights).items()}
    new = {
        "words.weight": old["embeddings.word_embeddings.weight"],
        "positions.weight": old["embeddings.position_embeddings.weight"],
        "types.weight": old["embeddings.token_type_embeddings.weight"],
        "norm.weight": old["embeddings.LayerNorm.weight"],
        "norm.bias": old["embeddings.LayerNorm.bias"],
    }
    names = {
        "out": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm2": "output.LayerNorm",
    }
    for i in range(LAYERS):
        there = f"encoder.layer.{i}."
        for kind in ("weight", "bias"):
            parts = [old[f"{there}attention.self.{n}.{kind}"] for n in ("query", "key", "value")]
            new[f"layers.{i}.qkv.{kind}"] = torch.cat(parts)
            for mine, theirs in names.items():
                new[f"layers.{i}.{mine}.{kind}"] = old[f"{there}{theirs}.{kind}"]
    missing, unexpected = network.load_state_dict(new, strict=False)
    if unexpected or any(not name.endswith(("head.weight", "head.bias")) for name in missing):
        raise ValueError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
