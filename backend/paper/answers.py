"""What a system said of texts, and the files that keep it: label numbers and log-probabilities, never a text."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import Item
from backend.stats.f1 import Marks
from labelstudio_config.codebook import Codebook, Question

FORMAT = 1
CELLS = "answers"  # the folder of the files


@dataclass(frozen=True, slots=True)
class Answers:
    """Of n texts and K labels: which were said [n, K]; log-probabilities float64 [n, K], NaN where the system has none;
    tokens that were not read int64 [n]; whether an answer was none of the labels bool [n].
    """

    marks: Marks
    scores: NDArray[np.float64]
    cut: NDArray[np.int64]
    unparsed: NDArray[np.bool_]

    @classmethod
    def of(cls, marks: Marks) -> Answers:
        """Answers of a system that gives labels only."""
        n = len(marks)
        return cls(marks, np.full(marks.shape, np.nan), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_))


def joined(parts: Sequence[Answers]) -> Answers:
    """The answers to all texts of several parts."""
    return Answers(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Answers)))


def key(question: Question, items: Sequence[Item], depends: Mapping[str, Any], shown: Sequence[str] | None) -> str:
    """sha256 of all that answers to the items depend on: the question, the texts, what each was shown, and the system,
    as it says itself what it depends on.
    """
    book = Codebook("one", "one", (question,))
    parts = {
        "format": FORMAT,
        "question": [book.scoring_hash, question.provenance.task],
        "items": [_digest(item) for item in items],
        "shown": None if shown is None else [_digest(one) for one in shown],
        "depends": depends,
    }
    return _digest(parts)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Kept:
    """The files of one folder, each the answers to a slice of a cell, under their key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / CELLS
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str, n: int, k: int) -> Answers | None:
        """The answers to n texts, K labels; None where there are none, or no whole ones."""
        try:
            with self._path(key).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                found = Answers(*(arrays[one.name] for one in fields(Answers)))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        shapes = (found.marks.shape, found.scores.shape, found.cut.shape, found.unparsed.shape)
        return found if shapes == ((n, k), (n, k), (n,), (n,)) else None

    def put(self, key: str, answers: Answers) -> None:
        """Written whole, or not at all."""
        path = self._path(key)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                np.savez_compressed(file, **{one.name: getattr(answers, one.name) for one in fields(Answers)})
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key[:40]}.npz"
