"""Texts on which people and the release differ, to be read by a person: of those that may be shown.

Before the test is opened these are texts that were coded with the suggestion in sight; then those of the test, too.
Gate texts are never shown, since later releases will be chosen by them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.findings.facts import Facts
from backend.findings.fit import TEST, Fit
from backend.findings.report import Example, Examples
from backend.findings.words import listed
from backend.learning.judge import marked
from backend.learning.rule import Value, resolve
from backend.learning.vote import Ballot
from db.models import Unit
from db.texts import bodies
from labelstudio_config.codebook import Question

A_CELL, IN_ALL = 5, 30
NOTHING = "none"
Cell = tuple[str, str]  # accepted, suggested
Cells = Mapping[Cell, Sequence[int]]  # cell -> text ids, ascending

_CHOSEN = (
    f"At most {A_CELL} texts of each confusion, the most frequent ones first, in the order of the corpus: they are "
    "there to be read, and no sample to count in."
)
_SEEN = (
    "Coders had a suggestion before them, and the model may have learned from these very texts: it differs from people "
    "less often here than on texts that are new to it."
)


def differing(
    s: Session, facts: Facts, helped: Mapping[str, Mapping[int, Ballot]], fits: Mapping[str, Sequence[Fit]]
) -> tuple[Examples, ...]:
    """`helped`: `assisted.ballots`; `fits`: `fit.fits`, which has the test only where it was opened."""
    found: list[tuple[str, tuple[str, ...], Question, Cells]] = [
        ("Coded with suggestions in sight", (_CHOSEN, _SEEN), question, _assisted(facts, question, helped[question.id]))
        for question in facts.book.questions
        if question.id in facts.scores
    ]
    if facts.opened is not None:
        found += [("Of the opened test", (_CHOSEN,), one.question, _blind(one)) for one in fits.get(TEST, ())]
    found = [each for each in found if each[-1]]
    most = max(1, IN_ALL // max(1, len(found)))
    chosen = [_chosen(cells, most) for *_, cells in found]
    ids = sorted({text for pairs in chosen for text, _ in pairs})
    words, names = bodies(s, ids), _names(s, ids)
    made = []
    for (title, notes, question, _), pairs in zip(found, chosen, strict=True):
        texts = tuple(
            Example(names[text], words[text], {"coders": accepted, "model": suggested})
            for text, (accepted, suggested) in pairs
            if text in words and text in names
        )
        if texts:
            made.append(Examples(title, question.id, texts, notes))
    return tuple(made)


def _assisted(facts: Facts, question: Question, ballots: Mapping[int, Ballot]) -> Cells:
    """What coders accepted by the project's rule, one coder being enough, against what the release says now."""
    values = {text: resolve(question, one, facts.project.gold_rule, 1) for text, one in ballots.items()}
    accepted = {text: value.labels for text, value in values.items() if isinstance(value, Value)}
    scores, ids = facts.scores[question.id], np.array(list(accepted), dtype=np.int64)
    there, places = scores.at(ids)
    said = marked(scores.raw[places], scores.family)
    truth = [[label in accepted[text] for label in question.label_ids] for text in ids[there].tolist()]
    return _cells(question, ids[there].tolist(), truth, said)


def _blind(one: Fit) -> Cells:
    return _cells(one.question, one.ids.tolist(), one.truth, one.said)


def _cells(
    question: Question, ids: Sequence[int], truth: Iterable[Iterable[bool]], said: Iterable[Iterable[bool]]
) -> Cells:
    """Only cells of texts on which the two differ."""
    cells: dict[Cell, list[int]] = defaultdict(list)
    for text, accepted, suggested in zip(ids, truth, said, strict=True):
        cell = _told(question, accepted), _told(question, suggested)
        if cell[0] != cell[1]:
            cells[cell].append(text)
    return cells


def _told(question: Question, given: Iterable[bool]) -> str:
    codes = [label.code for label, there in zip(question.labels, given, strict=True) if there]
    return listed(codes) if codes else NOTHING


def _chosen(cells: Cells, most: int) -> list[tuple[int, Cell]]:
    """Texts of the most frequent cells first."""
    ordered = sorted(cells.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [(text, cell) for cell, texts in ordered for text in texts[:A_CELL]][:most]


def _names(s: Session, ids: Sequence[int]) -> dict[int, str]:
    """Text id -> the name of the first row that shows it."""
    found: dict[int, str] = {}
    for text, name in s.execute(select(Unit.text_id, Unit.external_id).where(Unit.text_id.in_(ids)).order_by(Unit.id)):
        found.setdefault(text, name)
    return found
