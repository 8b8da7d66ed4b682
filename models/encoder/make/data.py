"""The labelled texts the encoder learns from and is measured on.

A `Row` is one text with what its set says about it. A head that a set says nothing about gets `None`, so that no set teaches
what it does not know. Only sets whose licence allows shipped weights may be read through `training_rows`; the others are
named in `EVALUATION_ONLY` and refused.
"""
import dataclasses
import fnmatch
import glob
import gzip
import html
import json
import os
import re
import tomllib

DATA = os.environ.get("DATA", "data")
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CORPUS = os.path.join(MODELS, "corpus")

SENTIMENTS = ("negative", "neutral", "positive")
SIGNALS = (
    "human_request", "bot_loop", "repeat_contact", "handoff", "waiting", "unresolved", "churn_threat", "legal_threat",
    "harm_threat", "abuse", "billing_dispute", "outage", "fraud", "praise", "resolved", "information_request",
)
LANGUAGES = ("es", "en", "pt", "fr", "de", "it")

# Licences that allow shipped weights (models/README.md names them).
TRAINABLE = {
    "umsab", "semeval2017a", "goemotions", "xed", "chile-valence", "uci-sentences", "banking77", "tweeteval-emotion",
    "tweeteval-irony", "tweeteval-offensive", "corpus",
}
EVALUATION_ONLY = {
    "airline", "alexa-reviews", "bankapp-reviews", "brighter", "complaints-acl19", "cuba-hotels", "emoevent", "intertass2017", "isear",
    "m-absa", "maia-dqe", "meld", "reclamacoes", "sanders-brands", "semeval2018-ec", "sxsw-brands", "tass-general", "tass2020",
}

POLAR = {"negative": 0, "neutral": 1, "positive": 2}
ANGER_OF = {
    "goemotions": {"anger", "annoyance", "disappointment", "disgust"},
    "xed": {"anger", "disgust"}, "emoevent": {"anger", "disgust"}, "brighter": {"anger", "disgust"},
    "tweeteval-emotion": {"anger"},
}
OBSTACLE_OF = {"maia-dqe": {"frustration", "anger", "disappointment"}, "complaints-acl19": {"complaint"}}
GOEMOTIONS_POSITIVE = {
    "admiration", "amusement", "approval", "caring", "excitement", "gratitude", "joy", "love", "optimism", "pride", "relief",
}
GOEMOTIONS_NEGATIVE = {
    "anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment", "fear", "grief", "nervousness", "remorse", "sadness",
}


@dataclasses.dataclass
class Row:
    text: str
    set: str
    language: str
    sentiment: int | None = None
    anger: int | None = None
    obstacle: int | None = None
    signals: frozenset | None = None
    key: int = 0   # of the text as its file has it


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def clean(text):
    """What the network sees: HTML entities undone, links as `http`, mentions as `@user`, spaces single."""
    text = html.unescape(text)
    text = re.sub(r"https?://\S+|\bt\.co/\S+|\bwww\.\S+", "http", text)
    text = re.sub(r"@\s?<?\w+>?(?!\w)", "@user", text)
    return re.sub(r"\s+", " ", text).strip()


def table(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        head = next(lines).rstrip("\n").split("\t")
        return [dict(zip(head, line.rstrip("\n").split("\t"))) for line in lines]


def goemotions_sentiment(labels):
    positive, negative = labels & GOEMOTIONS_POSITIVE, labels & GOEMOTIONS_NEGATIVE
    if labels == {"neutral"}:
        return 1
    if positive and not negative:
        return 2
    if negative and not positive:
        return 0
    return None


def labelled(text, kind, language, label, obstacles=None):
    labels = set(label.split(","))
    row = Row(clean(text), kind, language, key=fnv1a(text))
    if kind in ANGER_OF:
        row.anger = int(bool(labels & ANGER_OF[kind]))
    if kind in OBSTACLE_OF:
        row.obstacle = int(bool(labels & OBSTACLE_OF[kind]))
    if kind == "goemotions":
        row.sentiment = goemotions_sentiment(labels)
    elif kind == "banking77":
        row.obstacle = obstacles.get(label) if obstacles else None
        row.sentiment = 1 if row.obstacle == 0 else None
    elif label in POLAR and kind != "xed":
        row.sentiment = POLAR[label]
    return row


def files(pattern):
    """The files anywhere below DATA whose names match; names are `<set>.<language>.<split>.tsv.gz`."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(DATA) for name in fnmatch.filter(names, pattern)]
    if not found:
        raise SystemExit(f"no file below {DATA} has the name {pattern}; set DATA to the folder of the public sets")
    names = [os.path.basename(path) for path in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SystemExit(f"{', '.join(sorted(twice))}: more than one file below {DATA} has that name; keep one")
    return sorted(found, key=os.path.basename)


def teaching_files():
    """The files of public sets whose texts may teach."""
    def may_teach(path):
        kind, language, split = os.path.basename(path).split(".")[:3]
        return kind in TRAINABLE and language[:2] in LANGUAGES and split in ("train", "all")
    return [path for path in files("*.*.*.tsv.gz") if may_teach(path)]


def read_set(pattern, obstacles=None, unlabelled=False):
    """Rows of every file whose name matches.

    `unlabelled` keeps the rows whose labels mean nothing to any head."""
    rows = []
    for path in files(pattern):
        kind, language = os.path.basename(path).split(".")[:2]
        rows += [labelled(r["text"], kind, language[:2], r["label"], obstacles) for r in table(path) if r["text"]]
    return [r for r in rows if unlabelled or any(x is not None for x in (r.sentiment, r.anger, r.obstacle))]


def banking77_obstacles():
    """Which intents of BANKING77 tell an obstacle: the same table as the embedded scorer's recipe."""
    with open(os.path.join(MODELS, "recipe.toml"), "rb") as f:
        labels = tomllib.load(f)["sets"]["banking77"]["labels"]
    return {name: int(v["frustrated"]) for name, v in labels.items() if "frustrated" in v}


def corpus(split):
    """The project's own messages of one split, customers' turns only."""
    rows = []
    for path in sorted(glob.glob(os.path.join(CORPUS, "*.jsonl"))):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                r = json.loads(line)
                if r["author"] != "customer" or r["split"] != split or r["language"] not in LANGUAGES:
                    continue
                rows.append(Row(clean(r["text"]), "corpus", r["language"], POLAR[r["sentiment"]], None,
                                int(r["frustrated"]), frozenset(r["signals"]), fnv1a(r["text"])))
    return rows


def bank_stream():
    """The bank messages: evaluation only."""
    out = []
    for r in table(files("bank.es.tsv.gz")[0]):
        if r["author"] == "customer":
            signals = frozenset(s for s in r["signals"].split(",") if s != "-")
            out.append(Row(clean(r["text"]), "bank", "es", POLAR[r["sentiment"]], None, int(r["frustrated"]), signals))
    return out


def airline_stream():
    return [Row(clean(r["text"]), "airline", "en", POLAR[r["sentiment"]]) for r in table(files("airline.en.tsv.gz")[0])]
