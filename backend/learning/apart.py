"""Keeping the audit out of what a model learns from: its texts, what is tied to them, and what nearly says the same.

Texts of a group or of a draw's cluster are tied already. Texts that came after the draw were compared with nothing, and
so all are compared here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.assist.near_duplicates import clusters
from backend.assist.ties import Ties
from backend.learning.entry import places
from db import snapshots
from db.snapshots import Known
from db.texts import bodies
from labelstudio_config.codebook import Codebook, Question


@dataclass(frozen=True, slots=True)
class Corpus:
    """A project's texts: what ties each, and the words of those that may be trained on and of the audit's.

    `bodies`: text id -> fields; erased texts are not in it.
    """

    known: Mapping[int, Known]
    bodies: Mapping[int, tuple[str, ...]]

    @property
    def audit(self) -> list[int]:
        return [text.id for text in self.known.values() if text.stream == "audit"]


def corpus(s: Session, project_id: int, candidates: Iterable[int]) -> Corpus:
    """What the store knows, for `Apart`."""
    known = {text.id: text for text in snapshots.known(s, project_id)}
    audit = {text.id for text in known.values() if text.stream == "audit"}
    return Corpus(known, bodies(s, sorted(audit.union(candidates))))


class Apart:
    """Which texts belong together, and which of them belong to the audit.

    Slow (seconds for 20,000 texts): made outside of any transaction.
    """

    def __init__(self, found: Corpus, book: Codebook) -> None:
        self._corpus, self._book = found, book
        groups: dict[str, list[int]] = defaultdict(list)
        tied = Ties(found.known)
        for text in found.known.values():
            if text.group_key is not None:
                groups[text.group_key].append(text.id)
            if text.cluster is not None:
                tied.tie(text.id, text.cluster)
        for members in groups.values():
            tied.tie_all(members)
        _tie_near(tied, found.bodies)
        self._tied = tied.roots()
        whole = tuple(range(len(book.fields)))
        self._roots: dict[tuple[int, ...], Mapping[int, int]] = {whole: self._tied}

    def clusters(self, question: Question, candidates: Iterable[int]) -> dict[int, int]:
        """Candidate -> its cluster, of those that have nothing to do with the audit.

        A question about some of the codebook's texts must not see the audit in those either.
        """
        roots = self._of(tuple(sorted(places(self._book, question))))
        audit = {roots[text] for text in self._corpus.audit}
        return {text: roots[text] for text in candidates if roots[text] not in audit}

    def _of(self, asked: tuple[int, ...]) -> Mapping[int, int]:
        if asked not in self._roots:
            tied = Ties()
            for text, root in self._tied.items():
                tied.tie(text, root)
            right = {i: fields for i, fields in self._corpus.bodies.items() if len(fields) == len(self._book.fields)}
            shown = {i: tuple(fields[place] for place in asked) for i, fields in right.items()}
            _tie_near(tied, {i: fields for i, fields in shown.items() if all(field.strip() for field in fields)})
            self._roots[asked] = tied.roots()
        return self._roots[asked]


def _tie_near(tied: Ties, fields_by_id: Mapping[int, Sequence[str]]) -> None:
    """Tie near-duplicates among texts with the same number of fields."""
    by_number: dict[int, dict[int, Sequence[str]]] = defaultdict(dict)
    for text, fields in fields_by_id.items():
        by_number[len(fields)][text] = fields
    for same_number in by_number.values():
        for text, root in clusters(same_number).items():
            tied.tie(text, root)
