"""Figures of a trained folder on the dev sets: DATA=public-sets python evaluate.py FOLDER... [--quick]

Several folders are averaged (their logits). Sentiment: macro-F1; frustration: ROC-AUC, and F1 at 0.5, of the head that fits the set.
"""
import argparse
import json
import os

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score
from tokenizers import Tokenizer

import data
from network import MAX_TOKENS, Model, has_bfloat16, pad


def logits_of(folder, texts, batch=128, exact=False):
    """Logits by head for each text, in order; `exact` computes in float32, else in bfloat16 where the processor is faster so."""
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokens = [e.ids for e in tokenizer.encode_batch(texts)]
    model = Model.load(folder).eval()
    order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
    out = {}
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=not exact and has_bfloat16()):
        for at in range(0, len(order), batch):
            some = order[at : at + batch]
            ids, mask = pad([tokens[i] for i in some])
            for head, values in model(ids, mask).items():
                out.setdefault(head, torch.empty(len(texts), values.shape[1]))[some] = values.float()
    return {head: values.numpy() for head, values in out.items()}


def averaged(folders, texts):
    parts = [logits_of(f, texts) for f in folders]
    return {head: np.mean([p[head] for p in parts], axis=0) for head in parts[0]}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def dev_sets(quick):
    sets = {f"umsab.{l}": data.read_set(f"umsab.{l}.val.tsv.gz") for l in data.LANGUAGES}
    sets["bank"] = data.bank_stream()
    sets["airline"] = data.airline_stream()
    sets["corpus"] = data.corpus("dev")
    if quick:
        return {k: v[:4000] for k, v in sets.items() if v}
    for name in ("tweeteval-sentiment.en.val", "tass2020.es.dev", "intertass2017.es.dev", "goemotions.en.dev", "emoevent.es.dev",
                 "brighter.es.dev", "maia-dqe.pt.val", "maia-dqe.en-mt.val", "complaints-acl19.en.val", "m-absa.es.dev", "cuba-hotels.es.val"):
        rows = data.read_set(f"{name}.tsv.gz") if "tweeteval-sentiment" not in name else [
            data.Row(data.clean(r["text"]), "tweeteval-sentiment", "en", data.POLAR[r["label"]]) for r in data.table(data.files(name + ".tsv.gz")[0])]
        sets[name] = rows
    return sets


def frustration_of(folder, rows, logits):
    """The calibrated probability of a shipped folder: the chance of an obstacle, or of open anger."""
    with open(os.path.join(folder, "latido.json"), encoding="utf-8") as f:
        languages = json.load(f)["calibration"]
    calibration = [languages.get(r.language, languages["other"]) for r in rows]
    part = lambda head: sigmoid(np.array([c[head]["factor"] for c in calibration]) * logits[head][:, 0] + np.array([c[head]["offset"] for c in calibration]))
    return 1 - (1 - part("obstacle")) * (1 - part("anger"))


def report(name, rows, logits, frustration=None):
    line = f"{name:28} {len(rows):6}"
    known = [i for i, r in enumerate(rows) if r.sentiment is not None]
    macro = None
    if known:
        truth = [rows[i].sentiment for i in known]
        guess = logits["sentiment"][known].argmax(1)
        each = f1_score(truth, guess, average=None, labels=[0, 1, 2])
        macro = each.mean()
        line += f"  sentiment {100 * macro:.1f} (" + " ".join(f"{100 * x:.0f}" for x in each) + ")"
    for head in ("anger", "obstacle"):
        known = [i for i, r in enumerate(rows) if getattr(r, head) is not None]
        if known:
            truth = np.array([getattr(rows[i], head) for i in known])
            p = sigmoid(logits[head][known, 0])
            line += f"  {head} AUC {100 * roc_auc_score(truth, p):.1f} F1 {100 * f1_score(truth, p >= 0.5):.1f}"
            other = "anger" if head == "obstacle" else "obstacle"
            line += f" (by {other} {100 * roc_auc_score(truth, logits[other][known, 0]):.1f})"
            if frustration is not None:
                p = frustration[known]
                line += f" both, calibrated: AUC {100 * roc_auc_score(truth, p):.1f} F1 {100 * f1_score(truth, p >= 0.5):.1f}"
    known = [i for i, r in enumerate(rows) if r.signals is not None]
    if known:
        scores = []
        for k, signal in enumerate(data.SIGNALS):
            truth = np.array([signal in rows[i].signals for i in known])
            if truth.sum() >= 8:
                scores.append((int(truth.sum()), signal, f1_score(truth, logits["signals"][known, k] > 0)))
        scores.sort(reverse=True)
        line += f"\n    signals, eight most frequent: {100 * np.mean([s for _, _, s in scores[:8]]):.1f}  " + " ".join(
            f"{s} {100 * f:.0f}" for _, s, f in scores)
    print(line, flush=True)
    return macro


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folders", nargs="+")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    macros = {}
    for name, rows in dev_sets(a.quick).items():
        if rows:
            logits = averaged(a.folders, [r.text for r in rows])
            shipped = len(a.folders) == 1 and os.path.exists(os.path.join(a.folders[0], "latido.json"))
            macros[name] = report(name, rows, logits, frustration_of(a.folders[0], rows, logits) if shipped else None)
    print(f"mean of six languages {100 * np.mean([macros[f'umsab.{l}'] for l in data.LANGUAGES]):.1f}")


if __name__ == "__main__":
    main()
