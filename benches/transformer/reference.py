"""The encoder by transformers and torch, for the bench `transformer`: batches of 32 as they come, padded to the longest, one thread, 32 bits.

    python reference.py models/encoder

Standard input: a line with the token ids of all texts, then a line for each round. Standard output: a line on what runs, then for each round the CPU seconds it took.
Takes torch, transformers, safetensors and numpy.
"""
import json
import os
import sys
import time

import torch
import transformers
from safetensors import safe_open
from transformers import BertConfig, BertModel

BATCH = 32


def weights(folder):
    """All tensors in 32 bits; tables of 8 bits times the scales of their rows."""
    tensors = {}
    with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
        for name in file.keys():
            if not name.endswith(".scale"):
                tensor = file.get_tensor(name).float()
                tensors[name] = tensor * file.get_tensor(name + ".scale").float()[:, None] if name + ".scale" in file.keys() else tensor
    return tensors


def main():
    folder = sys.argv[1]
    torch.set_num_threads(1)
    texts = json.loads(sys.stdin.readline())
    tensors = weights(folder)
    config = BertConfig.from_pretrained(folder)
    bert = BertModel(config, add_pooling_layer=False).eval()
    bert.load_state_dict({name[len("bert."):]: tensor for name, tensor in tensors.items() if name.startswith("bert.")}, strict=False)
    heads = [(tensors[f"heads.{head}.weight"], tensors[f"heads.{head}.bias"]) for head in ("sentiment", "anger", "obstacle", "signals")]

    @torch.inference_mode()
    def run():
        for at in range(0, len(texts), BATCH):
            some = texts[at : at + BATCH]
            longest = max(map(len, some))
            ids = torch.tensor([text + [config.pad_token_id] * (longest - len(text)) for text in some])
            mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in some])
            hidden = bert(ids, mask).last_hidden_state
            weight = mask[:, :, None].float()
            mean = (hidden * weight).sum(1) / weight.sum(1)
            for matrix, bias in heads:
                torch.nn.functional.linear(mean, matrix, bias).tolist()

    run()
    print(f"Python: torch {torch.__version__}, transformers {transformers.__version__}", flush=True)
    for _ in sys.stdin:
        begun = time.process_time()
        run()
        print(time.process_time() - begun, flush=True)


main()
