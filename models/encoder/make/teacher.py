"""What several trained folders say on average of every text that may teach: DATA=public-sets python teacher.py OUT.npz FOLDER...

`keys` are FNV-1a (64 bits) of the texts as their files have them; beside them the mean logits of each head, in half precision.
"""
import argparse

import numpy as np
import torch

import data
from evaluate import averaged
from soft_labels import texts


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out")
    p.add_argument("folders", nargs="+")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    some = texts()
    print(len(some), "texts", flush=True)
    logits = averaged(a.folders, [data.clean(t) for t in some])
    keys = np.array([data.fnv1a(t) for t in some], dtype=np.uint64)
    np.savez(a.out, keys=keys, **{head: values.astype(np.float16) for head, values in logits.items()})


if __name__ == "__main__":
    main()
