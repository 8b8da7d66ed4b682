"""What the encoder says of every text that may teach: DATA=public-sets python soft_labels.py OUT.gz FOLDER...

The file is what `latido train --soft` reads: a mark, the number of entries, and by text (FNV-1a, 64 bits, of the text as the
data file has it) 21 probabilities in 255ths: negative, neutral, positive, anger, obstacle, each signal. Several folders are averaged.
"""
import argparse
import glob
import gzip
import json
import os
import struct

import numpy as np
import torch

import data
from evaluate import averaged, sigmoid


def texts():
    """Every text once, as its file has it."""
    seen = {}
    for path in data.teaching_files():
        seen.update(dict.fromkeys(r["text"] for r in data.table(path) if r["text"]))
    for path in sorted(glob.glob(os.path.join(data.CORPUS, "*.jsonl"))):
        with open(path, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        seen.update(dict.fromkeys(r["text"] for r in rows
                                  if r["split"] == "train" and r["author"] == "customer" and r["language"] in data.LANGUAGES))
    return list(seen)


def asked():
    """What the command line asks for: where to write, the texts, and the mean logits of its folders by head."""
    p = argparse.ArgumentParser()
    p.add_argument("out")
    p.add_argument("folders", nargs="+")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    some = texts()
    print(len(some), "texts", flush=True)
    return a.out, some, averaged(a.folders, [data.clean(t) for t in some])


def main():
    out, some, logits = asked()
    shares = torch.tensor(logits["sentiment"]).softmax(1).numpy()
    every = np.concatenate([shares, sigmoid(logits["anger"]), sigmoid(logits["obstacle"]), sigmoid(logits["signals"])], axis=1)
    # Steps as coarse as the labels are sure: the file packs to half.
    steps = np.where(np.arange(every.shape[1]) < 5, 30, 15)
    bytes_of = np.floor(np.rint(every * steps) / steps * 255 + 0.5).astype(np.uint8)
    entries = sorted((data.fnv1a(t), row.tobytes()) for t, row in zip(some, bytes_of))
    with open(out, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as f:
        f.write(b"LATIDO\x01S" + struct.pack("<I", len(entries)))
        for key, row in entries:
            f.write(struct.pack("<Q", key) + row)
    print(os.path.getsize(out), "bytes", flush=True)


if __name__ == "__main__":
    main()
