"""What several trained folders say on average of every text that may teach: DATA=public-sets python teacher.py OUT.npz FOLDER...

`keys` are FNV-1a (64 bits) of the texts as their files have them; beside them the mean logits of each head, in half precision.
"""
import numpy as np

import data
from soft_labels import asked


def main():
    out, some, logits = asked()
    keys = np.array([data.fnv1a(t) for t in some], dtype=np.uint64)
    np.savez(out, keys=keys, **{head: values.astype(np.float16) for head, values in logits.items()})


if __name__ == "__main__":
    main()
