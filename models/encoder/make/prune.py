"""Keeps of the vocabulary what European languages need: DATA=public-sets python prune.py FULL OUT

Kept: every piece seen three times in the sets that may teach (as they are, cleaned and in lower case), the most probable pieces in Latin
letters, single characters, punctuation and emoji. The rest (five pieces of six) serves scripts the encoder is not meant for.
"""
import argparse
import collections
import json
import os
import unicodedata

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import data
from convert import write_tokenizer

SPECIAL = (0, 1, 2, 3)
TIMES = 3


def texts():
    for path in data.teaching_files():
        some = [data.clean(r["text"]) for r in data.table(path)]
        yield some
        yield [t.lower() for t in some]
    own = [r.text for r in data.corpus("train")]
    yield own
    yield [t.lower() for t in own]


def latin(piece):
    inside = lambda o: o < 0x250 or 0x1E00 <= o < 0x1F00 or 0x2000 <= o < 0x2070
    return all(inside(ord(c)) for c in piece) and any(c.isalpha() for c in piece)


def single(piece):
    piece = piece.lstrip("\u2581")
    if len(piece) > 1:
        return False
    if not piece:
        return True
    o = ord(piece)
    symbol = 0x2000 <= o < 0x2C00 and unicodedata.category(piece)[0] in "PSNC"
    return o < 0x250 or 0x300 <= o < 0x370 or symbol or 0x1F000 <= o < 0x1FB00 or 0x3000 <= o < 0x3010 or o in (0xFE0F, 0x200D)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("full")
    p.add_argument("out")
    p.add_argument("--pieces", type=int, default=50_000)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    with open(os.path.join(a.full, "tokenizer.json"), encoding="utf-8") as f:
        vocabulary = json.load(f)["model"]["vocab"]
    tokenizer = Tokenizer.from_file(os.path.join(a.full, "tokenizer.json"))
    counts = collections.Counter()
    for some in texts():
        for e in tokenizer.encode_batch(some):
            counts.update(e.ids)
    usable = lambda i: not vocabulary[i][0].startswith("<extra_") and vocabulary[i][0] != "<mask>"
    seen = {i for i, n in counts.items() if n >= TIMES}
    kept = {i for i in seen | {i for i, (s, _) in enumerate(vocabulary) if single(s)} if usable(i)} | set(SPECIAL)
    probable = sorted((i for i, (s, _) in enumerate(vocabulary) if i not in kept and usable(i) and latin(s.replace("\u2581", ""))),
                      key=lambda i: -vocabulary[i][1])
    kept = sorted(kept | set(probable[: max(0, a.pieces - len(kept))]))
    print(f"{len(seen)} pieces seen {TIMES} times, {len(kept)} kept")
    write_tokenizer(a.out, [vocabulary[i][0] for i in kept], [vocabulary[i][1] for i in kept])
    tensors = load_file(os.path.join(a.full, "model.safetensors"))
    words = "embeddings.word_embeddings.weight"
    tensors[words] = tensors[words][torch.tensor(kept)].contiguous()
    save_file(tensors, os.path.join(a.out, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(a.full, "config.json"), encoding="utf-8") as f:
        config = json.load(f)
    config["vocab_size"] = len(kept)
    with open(os.path.join(a.out, "config.json"), "w", encoding="utf-8") as f:
        json.dump(config, f, indent=1)


if __name__ == "__main__":
    main()
