"""The network: a BERT encoder (the maths of transformers.BertModel without the pooler), mean pooling, four linear heads."""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file

from data import SENTIMENTS, SIGNALS

MAX_TOKENS = 96
PAD = 1
HEADS = {"sentiment": len(SENTIMENTS), "anger": 1, "obstacle": 1, "signals": len(SIGNALS)}


def has_bfloat16():
    """Whether the processor computes in bfloat16 faster than in float32."""
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


class Layer(nn.Module):
    def __init__(self, hidden, inner, heads, eps):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.attended = nn.Linear(hidden, hidden)
        self.norm1 = nn.LayerNorm(hidden, eps)
        self.widen = nn.Linear(hidden, inner)
        self.narrow = nn.Linear(inner, hidden)
        self.norm2 = nn.LayerNorm(hidden, eps)

    def forward(self, x, mask, dropout):
        batch, length, hidden = x.shape
        width = hidden // self.heads
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width).permute(2, 0, 3, 1, 4)
        # Written out: the fused kernel's backward pass takes half of all time on a processor.
        weights = (torch.matmul(q, k.transpose(2, 3)) * width**-0.5 + mask).softmax(-1)
        context = torch.matmul(weights, v).transpose(1, 2).reshape(batch, length, hidden)
        x = self.norm1(x + self.drop(self.attended(context), dropout))
        return self.norm2(x + self.drop(self.narrow(F.gelu(self.widen(x))), dropout))

    def drop(self, x, rate):
        """Dropout of whole features of a text: one random number for all its tokens, which is cheap."""
        if not self.training or rate == 0:
            return x
        keep = torch.rand(x.shape[0], 1, x.shape[2]) >= rate
        return x * keep.to(x.dtype).mul_(1 / (1 - rate))


# Ours, and its name in a Hugging Face checkpoint.
NAMES = [
    ("attended", "attention.output.dense"), ("norm1", "attention.output.LayerNorm"),
    ("widen", "intermediate.dense"), ("narrow", "output.dense"), ("norm2", "output.LayerNorm"),
]


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, eps = config["hidden_size"], config["layer_norm_eps"]
        self.config = config
        self.word = nn.Embedding(config["vocab_size"], hidden)
        self.position = nn.Embedding(config["max_position_embeddings"], hidden)   # token type 0 is folded in
        self.norm = nn.LayerNorm(hidden, eps)
        self.layers = nn.ModuleList(
            Layer(hidden, config["intermediate_size"], config["num_attention_heads"], eps) for _ in range(config["num_hidden_layers"]))

    def forward(self, ids, mask, dropout=0.0):
        """ids [B, L], mask [B, L] (True = token) -> [B, hidden]: the masked mean of the last layer."""
        attention = torch.zeros(mask.shape).masked_fill_(~mask, -1e4)[:, None, None, :]
        x = self.norm(self.word(ids) + self.position.weight[: ids.shape[1]])
        for layer in self.layers:
            x = layer(x, attention, dropout)
        weights = mask.unsqueeze(-1).float()
        return (x.float() * weights).sum(1) / weights.sum(1)

    def load_hugging_face(self, tensors):
        get = lambda name: tensors[name].float()
        self.word.weight.data.copy_(get("embeddings.word_embeddings.weight"))
        self.position.weight.data.copy_(get("embeddings.position_embeddings.weight") + get("embeddings.token_type_embeddings.weight")[0])
        for w in ("weight", "bias"):
            getattr(self.norm, w).data.copy_(get(f"embeddings.LayerNorm.{w}"))
            for i, layer in enumerate(self.layers):
                at = f"encoder.layer.{i}."
                getattr(layer.qkv, w).data.copy_(torch.cat([get(f"{at}attention.self.{n}.{w}") for n in ("query", "key", "value")]))
                for ours, theirs in NAMES:
                    getattr(getattr(layer, ours), w).data.copy_(get(f"{at}{theirs}.{w}"))
        return self

    def hugging_face(self):
        out = {
            "embeddings.word_embeddings.weight": self.word.weight, "embeddings.position_embeddings.weight": self.position.weight,
            "embeddings.token_type_embeddings.weight": torch.zeros(2, self.config["hidden_size"]),
        }
        for w in ("weight", "bias"):
            out[f"embeddings.LayerNorm.{w}"] = getattr(self.norm, w)
            for i, layer in enumerate(self.layers):
                at = f"encoder.layer.{i}."
                for name, part in zip(("query", "key", "value"), getattr(layer.qkv, w).chunk(3)):
                    out[f"{at}attention.self.{name}.{w}"] = part
                for ours, theirs in NAMES:
                    out[f"{at}{theirs}.{w}"] = getattr(getattr(layer, ours), w)
        return {k: v.detach().clone().contiguous() for k, v in out.items()}


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder = Encoder(config)
        self.heads = nn.ModuleDict({name: nn.Linear(config["hidden_size"], n) for name, n in HEADS.items()})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, ids, mask, dropout=0.0):
        """Logits by head name, in float32."""
        pooled = F.dropout(self.encoder(ids, mask, dropout), dropout, self.training)
        return {name: F.linear(pooled, head.weight, head.bias) for name, head in self.heads.items()}

    @staticmethod
    def load(folder, layers=None):
        """From a pretrained or a trained folder; `layers` keeps the first so many of a pretrained one."""
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
            config = json.load(f)
        if layers:
            config["num_hidden_layers"] = layers
        model = Model(config)
        tensors = whole(load_file(os.path.join(folder, "model.safetensors")))
        model.encoder.load_hugging_face({k.removeprefix("bert."): v for k, v in tensors.items()})
        for name, head in model.heads.items():
            if f"heads.{name}.weight" in tensors:
                head.weight.data.copy_(tensors[f"heads.{name}.weight"].float())
                head.bias.data.copy_(tensors[f"heads.{name}.bias"].float())
        return model


SCALE = ".scale"


def whole(tensors):
    """Undoes the storage in 8 bits: each row of an I8 tensor times its scale."""
    scales = {k: v for k, v in tensors.items() if k.endswith(SCALE)}
    return {k: v.float() * scales[k + SCALE][:, None] if k + SCALE in scales else v for k, v in tensors.items() if k not in scales}


def in_bytes(tensors):
    """Tables in 8 bits with a scale for each row, which is what its greatest weight needs; vectors as they are."""
    out = {}
    for name, tensor in tensors.items():
        if tensor.ndim < 2:
            out[name] = tensor.float()
            continue
        scale = (tensor.float().abs().amax(1) / 127).clamp_min(1e-12)
        out[name] = (tensor.float() / scale[:, None]).round().to(torch.int8)
        out[name + SCALE] = scale
    return out


def pad(batch):
    length = max(map(len, batch))
    ids = torch.full((len(batch), length), PAD, dtype=torch.long)
    mask = torch.zeros(len(batch), length, dtype=torch.bool)
    for i, tokens in enumerate(batch):
        ids[i, : len(tokens)] = torch.as_tensor(tokens)
        mask[i, : len(tokens)] = True
    return ids, mask
