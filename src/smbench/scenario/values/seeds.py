"""One seed, many independent streams: each use of chance has its own, so changing one leaves the others alone."""

import hashlib

import numpy as np


def stream(seed: int, use: str) -> np.random.Generator:
    """The generator for one use of chance, the same for ever for the same seed and name.

    Args:
        seed: The scenario's seed, or the dimension's own.
        use: A name such as `arrivals.0` or `faults.notices_lost`.
    """
    word = int.from_bytes(hashlib.sha256(use.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, word])))
