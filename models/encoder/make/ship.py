"""Makes the shipped files from a trained folder: DATA=public-sets python ship.py TRAINED OUT

Weights in 8 bits, calibration, `latido.json`, and fixtures: what another implementation must come to from the same texts. The
calibration is fitted on one half of the development rows that may teach (texts whose FNV-1a is even), and measured on the other.
"""
import argparse
import hashlib
import json
import os
import shutil

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from sklearn.metrics import f1_score
from tokenizers import Tokenizer

import data
from evaluate import logits_of, sigmoid
from network import HEADS, MAX_TOKENS, in_bytes

FIXTURES = 200
# How strongly a language's numbers are drawn to those of all, as by so many rows.
PULL = {"sentiment": 30.0, "frustration": 10.0}


def calibration_rows():
    """Not TweetEval's sentiments: SemEval-2017, which teaches, holds their texts."""
    rows = [r for language in data.LANGUAGES for r in data.read_set(f"umsab.{language}.val.tsv.gz")]
    return rows + data.read_set("goemotions.en.dev.tsv.gz") + data.corpus("dev")


def has_sentiment(row):
    """Sets of emotions mean something else by neutral."""
    return row.sentiment is not None and row.set != "goemotions"


def fit(loss, start, towards=None, pull=1.0):
    """Numbers of least summed loss, held near `towards` (or the start) as by so many rows."""
    towards = torch.tensor(start) if towards is None else towards
    numbers = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.LBFGS([numbers], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(numbers) + pull / 2 * (numbers - towards).square().sum()
        value.backward()
        return value

    optimizer.step(closure)
    return numbers.detach()


def by_language(rows, loss_of, start, pull):
    """Numbers for all rows, and for each language near these."""
    everything = fit(loss_of(list(range(len(rows)))), start)
    out = {"other": everything}
    for language in data.LANGUAGES:
        some = [i for i, r in enumerate(rows) if r.language == language]
        out[language] = fit(loss_of(some), everything.tolist(), everything, pull) if some else everything
    return out


def fit_sentiment(rows, logits):
    """Log temperatures."""
    truth = torch.tensor([r.sentiment for r in rows])
    logits = torch.tensor(logits)
    loss_of = lambda k: lambda n: F.cross_entropy(logits[k] / n[0].exp(), truth[k], reduction="sum")
    return by_language(rows, loss_of, [0.0], PULL["sentiment"])


def frustrated(logits, numbers, anger):
    """The chance of an obstacle, or of open anger; `numbers`, `anger`: a factor and an offset each."""
    yes = lambda head, n: torch.sigmoid(torch.tensor(logits[head][:, 0]) * n[0].clamp_min(0) + n[1])
    return 1 - (1 - yes("obstacle", numbers)) * (1 - yes("anger", anger))


def fit_frustration(rows, logits):
    """Open anger on sets of emotions, the obstacle on customers' messages with that in place."""
    part = lambda k: {head: logits[head][k] for head in ("obstacle", "anger")}
    binary = lambda p, k, truth: F.binary_cross_entropy(p.clamp(1e-6, 1 - 1e-6), truth[k], reduction="sum")
    angry = [i for i, r in enumerate(rows) if r.anger is not None]
    truth = torch.tensor([float(rows[i].anger) for i in angry])
    margins = torch.tensor(logits["anger"][angry, 0])
    anger = fit(lambda n: F.binary_cross_entropy_with_logits(margins * n[0] + n[1], truth, reduction="sum"), [1.0, 0.0])
    service = [i for i, r in enumerate(rows) if r.obstacle is not None]
    rows, logits = [rows[i] for i in service], part(service)
    truth = torch.tensor([float(r.obstacle) for r in rows])
    loss_of = lambda k: lambda n: binary(frustrated({h: v[k] for h, v in logits.items()}, n, anger), k, truth)
    return anger, by_language(rows, loss_of, [1.0, 0.0], PULL["frustration"])


def share_of(temperatures, rows, logits):
    """Probabilities of negative, neutral, positive."""
    divisors = torch.stack([temperatures.get(r.language, temperatures["other"])[0].exp() for r in rows])
    return (torch.tensor(logits) / divisors[:, None]).softmax(1).numpy()


def calibration_error(confidence, right, bins=10):
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return sum(abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in range(bins) if (place == b).any())


def calibrate(folder):
    rows = calibration_rows()
    logits = logits_of(folder, [r.text for r in rows])
    mine = np.array([r.key % 2 == 0 for r in rows])
    part = lambda k: {head: values[k] for head, values in logits.items()}
    s = [i for i, r in enumerate(rows) if has_sentiment(r) and mine[i]]
    temperatures = fit_sentiment([rows[i] for i in s], logits["sentiment"][s])
    half = [i for i in range(len(rows)) if mine[i]]
    anger, obstacle = fit_frustration([rows[i] for i in half], part(half))
    shares = share_of(temperatures, rows, logits["sentiment"])
    for language in data.LANGUAGES:
        other = [i for i, r in enumerate(rows) if not mine[i] and r.language == language and has_sentiment(r)]
        truth = np.array([rows[i].sentiment for i in other])
        service = [i for i in other if rows[i].obstacle is not None]
        p = frustrated(part(service), obstacle[language], anger).numpy()
        yes = np.array([rows[i].obstacle for i in service])
        print(f"{language}: of the other half {len(other)} rows, calibration error of sentiment "
              f"{100 * calibration_error(shares[other].max(1), shares[other].argmax(1) == truth):.1f}; {len(service)} rows, of frustration "
              f"{100 * calibration_error(p, yes):.1f}, F1 {100 * f1_score(yes, p >= 0.5):.1f}", flush=True)
    return temperatures, anger, obstacle


def fixture_texts():
    """Messages of the corpus of all languages and channels, the longest ones too, and texts with nothing in them."""
    rows = sorted(data.corpus("test") + data.corpus("dev"), key=lambda r: r.key)
    longest = sorted(rows, key=lambda r: -len(r.text))[:8]
    odd = ["", " ", "👍", "...", "http", "@user", "1234", "\u200b", "a" * 300, "¿?", "OK", "&amp; &lt;3", "مرحبا", "谢谢", "ﬁn ① Ａ"]
    by_language = {l: [r.text for r in rows if r.language == l and r not in longest] for l in data.LANGUAGES}
    some = [r.text for r in longest] + odd
    for language, count in (("es", 75), ("en", 45), ("pt", 24), ("fr", 11), ("de", 11), ("it", 11)):
        some += by_language[language][:count]
    assert len(some) == FIXTURES, len(some)
    return some


def write_fixtures(out):
    """Texts as they come, token ids of what the network sees, probabilities before calibration (temperature 1, factors 1, offsets 0)."""
    some = fixture_texts()
    tokenizer = Tokenizer.from_file(os.path.join(out, "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    seen = [data.clean(text) for text in some]
    logits = logits_of(out, seen, exact=True)
    shares = torch.tensor(logits["sentiment"]).softmax(1).numpy()
    with open(os.path.join(out, "fixtures.jsonl"), "w", encoding="utf-8") as f:
        for i, text in enumerate(some):
            row = {"text": text, "ids": tokenizer.encode(seen[i]).ids, "sentiment": shares[i], "anger": sigmoid(logits["anger"][i]),
                   "obstacle": sigmoid(logits["obstacle"][i]), "signals": sigmoid(logits["signals"][i])}
            row = {k: [round(float(x), 5) for x in v] if isinstance(v, np.ndarray) else v for k, v in row.items()}
            f.write(json.dumps(row, ensure_ascii=False) + "\n")


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def described(temperatures, anger, obstacle):
    number = lambda x: round(float(x), 4)
    line = lambda n: {"factor": number(n[0]), "offset": number(n[1])}
    return {l: {"temperature": number(temperatures[l][0].exp()), "obstacle": line(obstacle[l]), "anger": line(anger)} for l in temperatures}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("trained")
    p.add_argument("out")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    os.makedirs(a.out, exist_ok=True)
    save_file(in_bytes(load_file(os.path.join(a.trained, "model.safetensors"))), os.path.join(a.out, "model.safetensors"), metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "sentencepiece.bpe.model"):
        shutil.copy(os.path.join(a.trained, name), a.out)
    labels = {"sentiment": data.SENTIMENTS, "anger": ["anger"], "obstacle": ["obstacle"], "signals": data.SIGNALS}
    card = {
        "format": 1, "kind": "encoder", "base": "intfloat/multilingual-e5-small", "licence": "MIT", "pooling": "mean",
        "max_tokens": MAX_TOKENS, "prefix": "", "cleaning": "social", "hash": sha256(os.path.join(a.out, "model.safetensors")), "languages": data.LANGUAGES, "storage": "tables are I8 with one F32 `.scale` a row; weight = I8 * scale",
        "heads": {name: {"weights": f"heads.{name}", "kind": "softmax" if name == "sentiment" else "sigmoid", "labels": labels[name]} for name in HEADS},
        "frustration": "1 - (1 - sigmoid(factor * obstacle + offset)) * (1 - sigmoid(factor * anger + offset))",
        "calibration": described(*calibrate(a.out)),
    }
    with open(os.path.join(a.out, "latido.json"), "w", encoding="utf-8") as f:
        json.dump(card, f, indent=1)
        f.write("\n")
    write_fixtures(a.out)
    print(sum(os.path.getsize(os.path.join(a.out, n)) for n in os.listdir(a.out) if os.path.isfile(os.path.join(a.out, n))) / 1e6, "MB in all")


if __name__ == "__main__":
    main()
