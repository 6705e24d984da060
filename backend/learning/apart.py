"""Keeping the audit out of what a model learns from: its texts, what is tied to them, and what nearly says the same.

Texts that came after the draw were compared with nothing then, and so all texts of the project are compared here, as a
draw does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.assist import streams
from backend.assist.near_duplicates import clusters
from backend.assist.ties import Ties
from backend.learning.entry import places
from db import snapshots
from db.snapshots import Known
from db.texts import bodies
from labelstudio_config.codebook import Codebook, Question


@dataclass(frozen=True, slots=True)
class Corpus:
    """A project's texts, and which belong together.

    `tied`: text id -> the smallest id of its cluster, by group, draw, and as near-duplicates of each other, over any
    number of steps. `bodies`: the fields of the texts that may be trained on and of the audit's, but of erased ones.
    """

    known: Mapping[int, Known]
    tied: Mapping[int, int]
    bodies: Mapping[int, tuple[str, ...]]

    @property
    def audit(self) -> list[int]:
        return [text.id for text in self.known.values() if text.stream == "audit"]


def corpus(s: Session, project_id: int, candidates: Iterable[int]) -> Corpus:
    """What the store knows, for `Apart`. Slow (seconds for 20,000 texts) and read only: call it outside a write."""
    known = {text.id: text for text in snapshots.known(s, project_id)}
    audit = {text.id for text in known.values() if text.stream == "audit"}
    return Corpus(known, streams.ties(s, project_id, known), bodies(s, sorted(audit.union(candidates))))


class Apart:
    """Which texts are tied to the audit, question by question."""

    def __init__(self, found: Corpus, book: Codebook) -> None:
        self._corpus, self._book = found, book
        self._roots = {tuple(range(len(book.fields))): found.tied}

    def clusters(self, question: Question, candidates: Iterable[int]) -> dict[int, int]:
        """Candidate -> its cluster, of those that have nothing to do with the audit.

        A question about some of the codebook's texts must not see the audit in those either.
        """
        asked = tuple(sorted(places(self._book, question)))
        if asked not in self._roots:
            self._roots[asked] = self._tied_in(asked)
        roots = self._roots[asked]
        audit = {roots[text] for text in self._corpus.audit}
        return {text: roots[text] for text in candidates if roots[text] not in audit}

    def _tied_in(self, asked: tuple[int, ...]) -> Mapping[int, int]:
        """The clusters when near-duplicates in these of the codebook's texts belong together too."""
        tied = Ties()
        for text, root in self._corpus.tied.items():
            tied.tie(text, root)
        number = len(self._book.fields)
        bodies = {i: fields for i, fields in self._corpus.bodies.items() if len(fields) == number}
        shown = {i: tuple(fields[place] for place in asked) for i, fields in bodies.items()}
        worded = {i: fields for i, fields in shown.items() if all(field.strip() for field in fields)}
        for text, root in clusters(worded).items():
            tied.tie(text, root)
        return tied.roots()
