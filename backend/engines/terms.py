"""Words and pairs of words as features, hashed: an adapter then holds numbers and no word of anybody's text."""

from __future__ import annotations

import itertools
import re
import zlib
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 18
TOKEN = re.compile(r"\w+|[^\w\s]")  # a punctuation mark or an emoji is a word of its own
READ = 20_000  # characters


def counts(text: str, field: int) -> Counter[int]:
    """How often each hashed word or pair of words occurs in the text of a field."""
    tokens = [token.encode("utf-8", "replace") for token in TOKEN.findall(text[:READ].lower())]
    pairs = [first + b" " + second for first, second in itertools.pairwise(tokens)]
    return Counter(zlib.crc32(term, field) % BUCKETS for term in tokens + pairs)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms a head knows: `buckets` int64 [V] ascending, `idf` float32 [V]."""

    buckets: NDArray[np.int64]
    idf: NDArray[np.float32]

    def values(self, text: str, field: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Columns and TF-IDF values (logarithmic counts, length 1) of the known terms of a text."""
        found = counts(text, field) if len(self.buckets) else {}
        hashed = np.fromiter(found, dtype=np.int64, count=len(found))
        times = np.fromiter(found.values(), dtype=np.float32, count=len(found))
        place = np.searchsorted(self.buckets, hashed)
        place[place == len(self.buckets)] = 0
        known = np.flatnonzero(self.buckets[place] == hashed)
        columns = place[known]
        values = (1 + np.log(times[known])) * self.idf[columns]
        length = float(np.linalg.norm(values))
        return columns, (values / length if length else values).astype(np.float32)
