"""Raw log-probabilities, stored once a text, question and scorer; and who was shown what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from db.content import content_hash
from db.dialect import chunks, fetch, insert_new
from db.models import Exposure, Prediction

Values = NDArray[np.float64]
TEXTS = 500  # looked up by one statement


def pack(array: Values) -> bytes:
    """A vector of float64 as little-endian bytes."""
    return np.asarray(array, dtype="<f8").tobytes()


def unpack(data: bytes) -> Values:
    return np.frombuffer(data, dtype="<f8").astype(np.float64, copy=False)


def lookup(
    s: Session, scorer_id: int, question_ids: Sequence[int], text_ids: Sequence[int]
) -> dict[tuple[int, int], Values]:
    """What is stored: (text id, question id) -> log-probabilities [K], in the label order of the scored revision."""
    found: dict[tuple[int, int], Values] = {}
    for part in chunks(text_ids, TEXTS):
        rows = fetch(s, _LOOKUP, scorer=scorer_id, texts=part, questions=list(question_ids))
        found.update(((text, question), unpack(data)) for text, question, data in rows)
    return found


_LOOKUP = """
SELECT text_id, question_id, log_probabilities FROM prediction
WHERE text_id IN [texts] AND question_id IN [questions] AND scorer_id = :scorer
"""


def store(s: Session, scorer_id: int, rows: Sequence[tuple[int, int, Values, int]]) -> int:
    """Store (text id, question id, log-probabilities [K], tokens cut off); what is there stays. The number stored.

    For more than 1,000 rows: `store.write_in_chunks(rows, lambda s, part: predictions.store(s, scorer_id, part))`.
    """
    new = [
        {"text_id": text, "question_id": question, "log_probabilities": pack(values), "cut": int(cut)}
        for text, question, values, cut in rows
    ]
    return insert_new(s, Prediction, new, scorer_id=scorer_id)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the store knows of one text.

    `text_id`, `stream` and `rank` (of its cluster in the draw) are None where there is none; `scores` by question id.
    """

    text_id: int | None
    stream: str | None
    scores: dict[int, Values]
    rank: int | None = None


def recall(
    s: Session, project_id: int, scorer_id: int, question_ids: Sequence[int], texts: Sequence[Sequence[str]]
) -> list[Recalled]:
    """Text, stream and scores of texts given by their fields, in order: all that a request needs, in one statement."""
    hashes = [content_hash(fields) for fields in texts]
    known: dict[str, Recalled] = {}
    for part in chunks(hashes, TEXTS):
        rows = fetch(s, _RECALL, project=project_id, hashes=part, scorer=scorer_id, questions=list(question_ids))
        for content, text_id, stream, rank, question, data in rows:
            recalled = known.setdefault(content, Recalled(text_id, stream, {}, rank))
            if data is not None:
                recalled.scores[question] = unpack(data)
    return [known.get(content) or Recalled(None, None, {}) for content in hashes]


_RECALL = """
SELECT text.content_hash, text.id, placement.stream, placement.rank,
    prediction.question_id, prediction.log_probabilities
FROM text
LEFT JOIN placement ON placement.text_id = text.id
LEFT JOIN prediction ON prediction.text_id = text.id
    AND prediction.question_id IN [questions] AND prediction.scorer_id = :scorer
WHERE text.project_id = :project AND text.content_hash IN [hashes]
"""


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """A text's suggestion that may have been seen. `channel`: predict | interactive | push | found."""

    text_id: int
    release_id: int
    ls_task_id: int | None
    channel: str


def expose(s: Session, rows: Sequence[ExposureRow]) -> None:
    """Note that these suggestions are handed out; before they are."""
    new = [
        {"text_id": r.text_id, "release_id": r.release_id, "ls_task_id": r.ls_task_id, "channel": r.channel}
        for r in rows
    ]
    insert_new(s, Exposure, new)
