"""The validation part of a snapshot: whole clusters, and the same ones whenever it is drawn."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

FEWEST = 40  # texts; of fewer, all are needed to learn from


def held(clusters: Iterable[str], *, seed: int, validation: float) -> set[str]:
    """The clusters that are held out, given each text's cluster by its name: about `validation` of all.

    Chance depends on the seed and the name alone, so that a cluster stays where it is when others come. A cluster that
    is larger than the part is to be is never held out.
    """
    sizes = Counter(clusters)
    texts = sizes.total()
    if texts < FEWEST:
        return set()
    return {name for name, n in sizes.items() if n <= validation * texts and _chance(seed, name) < validation}


def _chance(seed: int, name: str) -> float:
    """A number from 0 to 1, evenly spread."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8]) / 2**64
