"""Texts that say the same but for small edits, and so must not be split over streams.

Two texts are near-duplicates when the Jaccard index of their character 5-grams is at least `SIMILAR` in every field
(Broder 1997, "On the resemblance and containment of documents"). MinHash bands propose the pairs, the exact index
decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zlib import crc32

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from backend.assist.ties import Ties

SIMILAR = 0.7
WIDTH = 5  # characters a shingle
BANDS, ROWS = 25, 4  # a pair at 0.7 shares a band with probability 1 - (1 - 0.7**4)**25 = 0.999
SLACK = 0.15  # more than three standard errors of the index as 100 MinHash values estimate it

_LINK_OR_NAME = re.compile(r"(?:https?://|www\.)\S+|@\w+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")

Key = tuple[str, ...]
Numbers = NDArray[np.int32]
Places = NDArray[np.intp]


def clusters(fields_by_id: Mapping[int, Sequence[str]], similar: float = SIMILAR) -> dict[int, int]:
    """Every id with the smallest id of its cluster; a text without near-duplicates is a cluster of one.

    `fields_by_id` holds one string a field, the same number of fields for all. Case, punctuation, white space, links
    and user names do not tell texts apart unless a field holds nothing else.
    """
    ties = Ties(fields_by_id)
    ids_of: dict[Key, list[int]] = defaultdict(list)
    for i, fields in fields_by_id.items():
        ids_of[tuple(map(_key, fields))].append(i)
    for same in ids_of.values():
        ties.tie_all(same)
    if len(ids_of) > 1:
        _Search(list(ids_of), [same[0] for same in ids_of.values()], similar).into(ties)
    return ties.roots()


def _key(field: str) -> str:
    """What is compared of a field."""
    folded = unicodedata.normalize("NFKC", field).casefold()
    words = _BETWEEN_WORDS.sub(" ", _LINK_OR_NAME.sub(" ", folded)).strip()
    return words or folded.strip()


def _shingles(key: str) -> set[str]:
    return {key[i : i + WIDTH] for i in range(max(1, len(key) - WIDTH + 1))}


class _Search:
    """The search among distinct keys; `ids[k]` is the text id that stands for the k-th key."""

    def __init__(self, keys: Sequence[Key], ids: Sequence[int], similar: float) -> None:
        self.ids, self.similar = ids, similar
        vocabulary: dict[tuple[int, str], int] = {}
        self.rows: list[list[Numbers]] = [[] for _ in keys[0]]  # [field][key]: the numbers of its shingles
        for key in keys:
            for field, words in enumerate(key):
                numbers = [vocabulary.setdefault((field, shingle), len(vocabulary)) for shingle in _shingles(words)]
                self.rows[field].append(np.array(numbers, np.int32))
        self.marked = np.zeros(len(vocabulary), dtype=bool)
        self.sketches = self._sketched(vocabulary)

    def into(self, ties: Ties) -> None:
        """Tie the ids of every pair of near-duplicates that shares a band."""
        for bucket in self._buckets():
            self._within(bucket, ties)

    def _sketched(self, vocabulary: Iterable[tuple[int, str]]) -> NDArray[np.uint64]:
        """The MinHash values of every key: [n, BANDS * ROWS]."""
        hashes = np.array([crc32(f"{f} {x}".encode("utf-8", "surrogatepass")) for f, x in vocabulary], np.uint32)
        joint = (hashes[np.concatenate(fields)].tolist() for fields in zip(*self.rows, strict=True))
        sketches = MinHash.generator(joint, num_perm=BANDS * ROWS, seed=1, hashfunc=int)
        return np.stack([sketch.hashvalues for sketch in sketches])

    def _buckets(self) -> Iterator[Places]:
        """Keys that agree in all rows of one band, band after band."""
        for band in np.split(self.sketches, BANDS, axis=1):
            order = np.lexsort(band.T)
            new = np.any(np.diff(band[order], axis=0), axis=1)
            for bucket in np.split(order, np.flatnonzero(new) + 1):
                if len(bucket) > 1:
                    yield bucket

    def _within(self, bucket: Places, ties: Ties) -> None:
        """Compare each key of a bucket with those it is not tied to yet, until the bucket is one cluster."""
        roots = np.array([ties.root(self.ids[k]) for k in bucket])
        sketches = self.sketches[bucket]
        for place, k in enumerate(bucket):
            apart = place + np.flatnonzero(roots[place:] != roots[place])
            if len(apart):
                agreeing = np.mean(sketches[apart] == sketches[place], axis=1)
                alike = self._alike(k, bucket[apart[agreeing >= self.similar - SLACK]])
                for other in alike:
                    ties.tie(self.ids[k], self.ids[other])
                roots[np.isin(roots, roots[np.isin(bucket, alike)])] = roots[place]
            elif not place:
                return

    def _alike(self, k: int, others: Places) -> Places:
        """Those of the others that are near-duplicates of the key in every field."""
        for rows in self.rows:
            if len(others):
                others = others[self._jaccard(rows[k], [rows[other] for other in others]) >= self.similar]
        return others

    def _jaccard(self, one: Numbers, others: Sequence[Numbers]) -> NDArray[np.float64]:
        """Jaccard index of one set with each of the others: float64 [len(others)]."""
        sizes = np.array([len(other) for other in others])
        self.marked[one] = True
        common = np.add.reduceat(self.marked[np.concatenate(others)], np.cumsum(sizes) - sizes, dtype=np.int64)
        self.marked[one] = False
        index: NDArray[np.float64] = common / (sizes + len(one) - common)
        return index
