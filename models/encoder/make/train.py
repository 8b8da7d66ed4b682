"""Fine-tunes the encoder: one pass of weighted rows, AdamW, linear warm-up and decay, an average of the last weights.

  DATA=public-sets python train.py INIT OUT --plan general --seed 1
  DATA=public-sets python train.py GENERAL OUT --plan distil --seed 4 --rate 8e-5 --teacher TEACHER.npz

`general` learns from labels; `distil` goes on from its result and learns from labels and from what several such networks say on
average (`teacher.py`), in every head, also of texts whose set has no label for it. bfloat16 is used for the products where the
processor has AMX or AVX-512 for it (2 to 6 times faster there), float32 elsewhere.
"""
import argparse
import copy
import json
import os
import random
import shutil
import time
import unicodedata

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

import data
from data import SIGNALS
from network import MAX_TOKENS, Model, has_bfloat16, pad

# Weight of a row of the set in each head, and how many rows of it one pass takes (times the whole set).
# A signal is rare: its presence counts this much more than its absence.
SIGNAL_FACTOR = 2.0

PLANS = {
    "general": {
        "umsab.{es,en,pt,fr,de,it}.train": (1.0, 2.0), "semeval2017a.en.train": (1.0, 0.7),
        "goemotions.en.train": (0.5, 0.7), "xed.es.all": (0.5, 0.6), "xed.pt-br.all": (0.5, 0.2),
        "chile-valence.es.all": (1.0, 1.0), "uci-sentences.en.train": (1.0, 1.0),
        "tweeteval-emotion.en.train": (0.5, 1.0), "banking77.en.train": (0.5, 0.4), "corpus": (1.0, 2.0),
    },
    "distil": {
        "umsab.{es,en,pt,fr,de,it}.train": (1.0, 4.0), "semeval2017a.en.train": (1.0, 0.8),
        "goemotions.en.train": (0.5, 0.6), "xed.es.all": (0.5, 0.5), "xed.pt-br.all": (0.5, 0.2),
        "chile-valence.es.all": (1.0, 2.0), "uci-sentences.en.train": (1.0, 1.0),
        "tweeteval-emotion.en.train": (0.5, 1.0), "tweeteval-{irony,offensive}.en.train": (0.0, 0.4),
        "banking77.en.train": (0.5, 0.6), "corpus": (1.0, 3.0),
    },
}


def expand(name):
    if "{" not in name:
        return [name]
    before, rest = name.split("{")
    inside, after = rest.split("}")
    return [before + x + after for x in inside.split(",")]


def rows_of(plan, seed, corpus_times):
    """(row, weight) pairs in random order."""
    rnd = random.Random(seed)
    obstacles = data.banking77_obstacles()
    out = []
    for pattern, (weight, times) in plan.items():
        if pattern == "corpus":
            rows = data.corpus("train")
            times *= corpus_times
        else:
            kinds = {os.path.basename(p).split(".")[0] for p in expand(pattern)}
            assert kinds <= data.TRAINABLE, f"{kinds - data.TRAINABLE} may not teach shipped weights"
            rows = [r for p in expand(pattern) for r in data.read_set(p + ".tsv.gz", obstacles, unlabelled=weight == 0)]
        counts = {s: max(1, sum(r.sentiment == s for r in rows)) for s in (0, 1, 2)}
        labelled = sum(counts.values())
        while times > 0 and rows:
            part = rows if times >= 1 else rnd.sample(rows, int(len(rows) * times))
            times -= 1
            for r in part:
                # Classes alike within a set, damped: a set of one class must not shout.
                balance = 1.0 if r.sentiment is None else min(2.0, (labelled / 3 / counts[r.sentiment]) ** 0.5)
                out.append((r, weight, balance))
    rnd.shuffle(out)
    return out


def roughen(text, rnd):
    """The same message as typed by somebody in a hurry, now and then."""
    x = rnd.random()
    if x < 0.10:
        return text.lower()
    if x < 0.20:
        return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    if x < 0.24:
        return text.rstrip(".!?")
    if x < 0.26 and len(text) < 200:
        return text.upper()
    return text


def batches(lengths, size, rnd, chunk=50):
    """Batches of neighbours in length, in random order."""
    order = list(range(len(lengths)))
    rnd.shuffle(order)
    out = []
    for i in range(0, len(order), size * chunk):
        part = sorted(order[i : i + size * chunk], key=lambda j: lengths[j])
        some = [part[k : k + size] for k in range(0, len(part), size)]
        rnd.shuffle(some)
        out += some
    return out


class Teacher:
    """What the average of several networks says, by text."""

    def __init__(self, path):
        with np.load(path) as f:
            self.place = {int(key): i for i, key in enumerate(f["keys"])}
            self.shares = torch.tensor(f["sentiment"].astype(np.float32)).softmax(1)
            self.yes = torch.tensor(np.concatenate([f["anger"], f["obstacle"], f["signals"]], axis=1).astype(np.float32)).sigmoid()

    def losses(self, logits, rows):
        """Cross-entropies against the teacher, of the rows it knows; a text's weight is 1, whatever its set."""
        known = [(i, self.place[r.key]) for i, r in enumerate(rows) if r.key in self.place]
        if not known:
            return torch.zeros(())
        here, there = (list(k) for k in zip(*known))
        sentiment = -(self.shares[there] * logits["sentiment"][here].log_softmax(1)).sum()
        said = torch.cat([logits["anger"], logits["obstacle"], logits["signals"]], 1)[here]
        each = F.binary_cross_entropy_with_logits(said, self.yes[there], reduction="none")
        return (sentiment + each[:, :2].sum() + 0.5 * each[:, 2:].sum()) / len(rows)


def losses(logits, rows, weights, balances, smoothing):
    total = torch.zeros(())
    pick = lambda f: [i for i, r in enumerate(rows) if f(r) is not None]
    w = torch.tensor(weights)
    if k := pick(lambda r: r.sentiment):
        target = torch.tensor([rows[i].sentiment for i in k])
        each = F.cross_entropy(logits["sentiment"][k], target, label_smoothing=smoothing, reduction="none")
        total = total + (each * w[k] * torch.tensor([balances[i] for i in k])).sum()
    for head in ("anger", "obstacle"):
        if k := pick(lambda r: getattr(r, head)):
            target = torch.tensor([float(getattr(rows[i], head)) for i in k])
            total = total + (F.binary_cross_entropy_with_logits(logits[head][k, 0], target, reduction="none") * w[k]).sum()
    if k := pick(lambda r: r.signals):
        target = torch.tensor([[float(s in rows[i].signals) for s in SIGNALS] for i in k])
        each = F.binary_cross_entropy_with_logits(logits["signals"][k], target, pos_weight=torch.full((len(SIGNALS),), SIGNAL_FACTOR), reduction="none")
        total = total + each.sum(1).sum() * 0.5
    return total / len(rows)


def parameter_groups(model, a):
    """Lower layers learn slower; biases, norms and embeddings do not decay."""
    depth = len(model.encoder.layers)
    groups = []
    for name, p in model.named_parameters():
        if name.startswith("heads"):
            rate = a.head_rate
        elif name.startswith("encoder.layers"):
            rate = a.rate * a.layer_decay ** (depth - 1 - int(name.split(".")[2]))
        else:
            rate = a.rate * a.layer_decay ** depth
        plain = p.ndim < 2 or "word" in name or "position" in name
        groups.append({"params": [p], "lr": rate, "base": rate, "weight_decay": 0.0 if plain else a.decay})
    return groups


def save(model, out, init):
    os.makedirs(out, exist_ok=True)
    tensors = {"bert." + k: v for k, v in model.encoder.hugging_face().items()}
    tensors |= {f"heads.{n}.{w}": getattr(h, w).detach().clone() for n, h in model.heads.items() for w in ("weight", "bias")}
    save_file(tensors, os.path.join(out, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(out, "config.json"), "w", encoding="utf-8") as f:
        json.dump(model.encoder.config, f, indent=1)
    for name in ("tokenizer.json", "tokenizer_config.json", "sentencepiece.bpe.model"):
        shutil.copy(os.path.join(init, name), out)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("init")
    p.add_argument("out")
    p.add_argument("--plan", choices=PLANS, default="general")
    p.add_argument("--layers", type=int)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--rate", type=float, default=1.2e-4)
    p.add_argument("--head-rate", type=float, default=1e-3)
    p.add_argument("--layer-decay", type=float, default=0.95)
    p.add_argument("--decay", type=float, default=0.01)
    p.add_argument("--dropout", type=float, default=0.1)
    p.add_argument("--smoothing", type=float, default=0.05)
    p.add_argument("--batch", type=int, default=48)
    p.add_argument("--warm", type=float, default=0.06)
    p.add_argument("--average", type=float, default=0.998, help="decay of the running average of the weights")
    p.add_argument("--corpus-times", type=float, default=1.0)
    p.add_argument("--teacher", help="file of teacher.py")
    p.add_argument("--soft", type=float, default=0.6, help="the teacher's part of the loss; the labels have the rest")
    p.add_argument("--limit", type=int, default=0)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    rnd = random.Random(a.seed)
    rows = rows_of(PLANS[a.plan], a.seed, a.corpus_times)
    rows = rows[: a.limit] if a.limit else rows
    tokenizer = Tokenizer.from_file(os.path.join(a.init, "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokens = [e.ids for e in tokenizer.encode_batch([roughen(r.text, rnd) for r, _, _ in rows])]
    plan = batches([len(t) for t in tokens], a.batch, rnd)
    by_set = {}
    for r, _, _ in rows:
        by_set[r.set] = by_set.get(r.set, 0) + 1
    print(f"{len(rows)} rows, {sum(map(len, tokens)) / len(tokens):.1f} tokens a row, {len(plan)} steps, {by_set}", flush=True)

    teacher = Teacher(a.teacher) if a.teacher else None
    model = Model.load(a.init, a.layers).train()
    averaged = copy.deepcopy(model).eval()
    groups = parameter_groups(model, a)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8, fused=True)
    start, seen, running = time.time(), 0, None
    for step, batch in enumerate(plan):
        progress = step / len(plan)
        factor = min((progress + 1 / len(plan)) / a.warm, max(0.0, (1 - progress) / (1 - a.warm)))
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * factor
        ids, mask = pad([tokens[j] for j in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16()):
            logits = model(ids, mask, a.dropout)
        logits = {k: v.float() for k, v in logits.items()}
        loss = losses(logits, [rows[j][0] for j in batch], [rows[j][1] for j in batch], [rows[j][2] for j in batch], a.smoothing)
        if teacher:
            loss = (1 - a.soft) * loss + a.soft * teacher.losses(logits, [rows[j][0] for j in batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 10 == 9:
            with torch.no_grad():
                torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), 1 - min(a.average ** 10, (step + 1) / (step + 100)))
        seen += len(batch)
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 100 == 0 or step == len(plan) - 1:
            spent = time.time() - start
            print(f"step {step + 1}/{len(plan)} loss {running:.4f} {seen / spent:.1f} rows/s, {spent / (step + 1) * (len(plan) - step - 1):.0f} s left", flush=True)
    save(averaged, a.out, a.init)
    print("saved", a.out, flush=True)


if __name__ == "__main__":
    main()
