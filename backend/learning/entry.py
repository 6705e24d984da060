"""The labels of a snapshot as they are the same everywhere: on this machine, on another, and after ids have changed."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from operator import attrgetter

import numpy as np

from backend.engines.protocol import Item
from backend.tuners.training import Labelled
from labelstudio_config.codebook import Codebook, Question

TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True, slots=True)
class Entry:
    """A text's accepted labels on one question.

    `labels` are in the codebook's order, `shares` [K] too. `cluster` names texts that belong together by the smallest
    content hash among those with labels on the question. `split`: train | validation.
    """

    content_hash: str
    question: str
    labels: tuple[str, ...]
    shares: tuple[float, ...]
    split: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What the labels were made by: the codebook's content hash, the rule, and how the validation part was drawn."""

    codebook: str
    rule: str
    seed: int
    validation: float


def digest(entries: Iterable[Entry], terms: Terms) -> str:
    """sha256 of labels, splits and terms; the order of the entries is no matter."""
    content = [list(astuple(terms)), sorted(map(astuple, entries))]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def item(book: Codebook, question: Question, fields: Sequence[str]) -> Item | None:
    """The question's texts among those of the codebook; None where one is blank or there are not as many."""
    if len(fields) != len(book.fields):
        return None
    texts = tuple(fields[place] for place in places(book, question))
    return texts if all(text.strip() for text in texts) else None


def places(book: Codebook, question: Question) -> tuple[int, ...]:
    """Which of the codebook's texts the question is about."""
    return tuple(book.fields.index(field) for field in question.fields)


def labelled(book: Codebook, entries: Iterable[Entry], fields: Mapping[str, Sequence[str]]) -> dict[str, Labelled]:
    """What tuners are given, by question in the codebook's order: texts sorted by their content hash.

    `fields`: content hash -> the text's fields, for which the question must have an `item`.
    """
    by_question: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=attrgetter("content_hash")):
        by_question[entry.question].append(entry)
    found = {}
    for question in book.questions:
        mine = by_question.get(question.id)
        if mine:
            items = [item(book, question, fields[entry.content_hash]) for entry in mine]
            clusters = np.unique([entry.cluster for entry in mine], return_inverse=True)[1]
            found[question.id] = Labelled(
                items=[texts for texts in items if texts is not None],
                answers=[frozenset(entry.labels) for entry in mine],
                shares=np.array([entry.shares for entry in mine], dtype=np.float64),
                held=np.array([entry.split == VALIDATION for entry in mine], dtype=np.bool_),
                clusters=clusters.astype(np.int64),
            )
    return found
