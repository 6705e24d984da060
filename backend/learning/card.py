"""The card of a run: what it learned from, how far people agree, how well the old and the new labels fit the blind
gate texts, and what was decided.

It holds numbers only, never a text, and nothing that was found on test texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.learning.agreed import Agreed, agreed
from backend.learning.ceiling import ceilings
from backend.learning.estimate import LEVEL
from backend.learning.measured import DRAWS, LabelScores, Measure, Predicted, compared
from labelstudio_config.codebook import Codebook, Kind, Question

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from backend.learning.accepted import Accepted, Resolved
    from backend.learning.gate import Decision
    from backend.tuners.training import Labelled

CHAMPION, CHALLENGER, ZERO_SHOT, TFIDF = "champion", "challenger", "zero-shot", "tfidf"
WHO = (ZERO_SHOT, TFIDF, CHAMPION, CHALLENGER)
FORMAT = 1
NOT_SCORED = "not scored"


class CardError(Exception):
    """There is no such card."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run was. `date` is aware; hashes are sha256; `adapter` is the bundle's digest."""

    project: str
    run: int
    date: datetime
    tuner: str
    base: str
    seed: int
    snapshot: str
    revision: int  # number of the codebook's revision
    codebook: str  # its content hash
    champion: str  # names of releases
    challenger: str
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """The texts that one question was learned from. `labels`: label id -> texts; `unresolved`: reason -> texts that
    people answered and that teach nothing.
    """

    train: int
    validation: int
    labels: Mapping[str, int]
    coders: int
    unresolved: Mapping[str, int]

    @property
    def texts(self) -> int:
        return self.train + self.validation


@dataclass(frozen=True, slots=True)
class Gold:
    """The gate texts of one question that have an accepted value: the yardstick.

    `by`: how it was accepted -> texts. `coders`: coders a text -> texts. `unresolved`: reason -> gate texts without.
    """

    n: int
    by: Mapping[str, int]
    coders: Mapping[int, int]
    unresolved: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Part:
    """One question of the card. `used` is None where nothing was learned."""

    question: str
    name: str
    kind: Kind
    used: Used | None
    gold: Gold
    agreement: Agreed
    measures: tuple[Measure, ...]
    labels: tuple[LabelScores, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision: `delta` is challenger minus champion, between bounds at `level`."""

    outcome: str
    sentence: str
    look: int
    n: int
    delta: float | None
    lower: float | None
    upper: float | None
    level: float
    needed: int | None


@dataclass(frozen=True, slots=True)
class Card:
    """Intervals are at `level`, from `draws` bootstrap resamples that start from `seed`."""

    facts: Facts
    questions: tuple[Part, ...]
    decision: Verdict
    level: float
    draws: int
    seed: int
    format: int = FORMAT

    def plain(self) -> dict[str, Any]:
        """A dictionary that JSON can hold, and that `from_plain` reads."""
        found: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return found


def from_plain(plain: Mapping[str, Any]) -> Card:
    """The card that `Card.plain` gave; CardError where another version of this program wrote it."""
    from pydantic import ValidationError

    if plain.get("format") != FORMAT:
        raise CardError(f"This card has the format {plain.get('format')}; this program reads {FORMAT}. Retrain anew.")
    try:
        return _adapter().validate_python(plain)
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, one["loc"][:3])) for one in error.errors()}))
        raise CardError(f"This card cannot be read ({wrong}). Retrain to get a new one.") from None


@cache
def _adapter() -> TypeAdapter[Card]:
    from pydantic import TypeAdapter

    return TypeAdapter(Card)


def used(question: Question, labelled: Labelled, coders: int, unresolved: Mapping[str, int]) -> Used:
    """What a snapshot holds of a question; `coders` are all who gave one of its labels."""
    held = int(labelled.held.sum())
    counts = Counter(label for answer in labelled.answers for label in answer)
    labels = {label: counts[label] for label in question.label_ids}
    return Used(len(labelled) - held, held, labels, coders, dict(unresolved))


def build(
    facts: Facts,
    learned: Mapping[str, Used],
    gate: Resolved,
    book: Codebook,
    predictions: Mapping[str, Mapping[str, Predicted]],
    texts: Sequence[int],
    clusters: Mapping[int, int],
    decision: Decision,
) -> Card:
    """The card of a run; pure, equal arguments give equal cards.

    `learned`: question key -> what was learned from. `gate`: `audit_labels(..., "gate")`. `predictions`: who of `WHO`
    -> question key -> labels [n, K] of the gate texts, rows in the order of `texts` [n] (text ids) and columns in that
    of `Question.labels`; or a sentence why there are none, such as a `TrainingError`'s. Every text with an accepted
    value must be in `texts`; ValueError if not. `clusters`: text id -> `Text.cluster`; texts of one cluster are
    resampled together, and one that is not named is tied to none.
    """
    place = {text: row for row, text in enumerate(texts)}
    parts = []
    for question in book.questions:
        mine = [one for one in gate.accepted if one.question == question.id]
        lost = [one.text_id for one in mine if one.text_id not in place]
        if lost:
            raise ValueError(f"{len(lost)} gate texts of '{question.id}' are not among the texts that were scored.")
        rows = np.array([place[one.text_id] for one in mine], dtype=np.intp)
        said = {who: predictions.get(who, {}).get(question.id, NOT_SCORED) for who in WHO}
        said = {who: one if isinstance(one, str) else one[rows] for who, one in said.items()}
        tied = np.array([clusters.get(one.text_id, one.text_id) for one in mine], dtype=np.int64)
        votes = {text: cast for (text, key), cast in gate.votes.items() if key == question.id}
        people = ceilings(question, votes, clusters, decision.seed)
        measures, labels = compared(question, _truth(question, mine), said, tied, people, decision.seed)
        parts.append(
            Part(
                question.id,
                question.name,
                question.kind,
                learned.get(question.id),
                _gold(mine, gate.unresolved.get(question.id, Counter())),
                agreed(question, votes, clusters, decision.seed),
                measures,
                labels,
            )
        )
    return Card(facts, tuple(parts), _verdict(decision), LEVEL, DRAWS, decision.seed)


def _truth(question: Question, mine: Sequence[Accepted]) -> NDArray[np.bool_]:
    """Which labels [n, K] were accepted."""
    return np.array([[x in one.labels for x in question.label_ids] for one in mine], dtype=np.bool_).reshape(
        len(mine), len(question.labels)
    )


def _gold(mine: Sequence[Accepted], unresolved: Mapping[str, int]) -> Gold:
    by, coders = Counter(one.by for one in mine), Counter(one.coders for one in mine)
    return Gold(len(mine), dict(by), dict(sorted(coders.items())), dict(unresolved))


def _verdict(decision: Decision) -> Verdict:
    told = decision.plain()
    return Verdict(**{name: told[name] for name in Verdict.__dataclass_fields__})
