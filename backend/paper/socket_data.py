"""SocKET, the benchmark that most of the published tasks come from: its files on the hub.

`SOCKET_DATA/TASK/` holds `train`, `val` and `test` as two files each, `_text.txt` and `_labels.txt`, a text and a label
a line. A label is the number of a class, in the order of the benchmark's own list, or a rating (Choi et al. 2023, "Do
LLMs Understand Social Knowledge?", and the dataset's loading script).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from backend.engines import hub
from backend.paper import pairs, polarity
from backend.paper.gathering import Gathering
from backend.paper.known_books import books, names_of, question_of
from backend.paper.numbers import ORDER, RATINGS
from backend.paper.offer import Gathered, How, Offer, SourceError, each
from backend.paper.spelling import Spelling

NAME, DATASET, FOLDER = "socket", "Blablablab/SOCKET", "SOCKET_DATA"
SPLITS = {"train": "train", "val": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class SocketData:
    """SocKET's files, of a revision or the newest."""

    revision: str | None = None

    def offers(self) -> list[Offer]:
        """The published tasks that are SocKET's."""
        return [
            Offer(book.key, question_of(book), names_of(book), book.provenance.socket)
            for book in books()
            if book.provenance.socket in (*ORDER, *RATINGS)
        ]

    def read(self, wanted: Sequence[Offer], how: How) -> list[Gathered]:
        if not wanted:
            return []
        patterns = [f"{FOLDER}/{offer.key}/{split}_*.txt" for offer in wanted for split in SPLITS]
        folder = hub.fetched(DATASET, self.revision, patterns, kind="dataset")
        revision = hub.commit(folder) or self.revision or ""
        how.say(absent())
        return each(wanted, lambda offer: _read(folder / FOLDER / offer.key, offer, revision, how), how)


def absent() -> str:
    """Which of the published tasks SocKET does not have."""
    missing = [book.provenance.task for book in books() if book.provenance.socket not in (*ORDER, *RATINGS)]
    return f"SocKET has no {', '.join(missing)}: take them from the authors' data, or give a folder of your own."


def _read(folder: Path, offer: Offer, revision: str, how: How) -> Gathered:
    question = offer.question
    licence = f"{question.provenance.licence} See also {hub.page(DATASET)}"
    into = Gathered(offer.name, question, f"{NAME} ({DATASET}@{revision[:12]}, {offer.key})", licence)
    if offer.key in RATINGS:
        return _rated(folder, into, how)
    plain = how.plain and polarity.turned(question)
    if polarity.turned(question):
        into.remarks.append(polarity.remark(question, plain=how.plain))
    order = ORDER[offer.key]
    if plain:
        words = {word: id_ for id_, word in question.verbalisers}
        order = tuple(words[next(x.wording for x in question.labels if x.id == id_)] for id_ in order)
    gathering = Gathering(into, Spelling(question, verbalised=plain, numbers=order), how)
    for name, split in SPLITS.items():
        for text, label in _lines(folder, name):
            gathering.add(split, pairs.split(text, question.fields), label)
    return gathering.done()


def _rated(folder: Path, into: Gathered, how: How) -> Gathered:
    """Ratings cut in two: above the median of the training texts' ratings is high."""
    ratings = [rating for _, label in _lines(folder, "train") if (rating := _rating(label)) is not None]
    if not ratings:
        raise SourceError(f"{folder} has no ratings for its training texts, so there is no median to cut them at.")
    middle = median(ratings)
    low, high = into.question.label_ids
    into.remarks.append(
        f"Its labels are ratings: above {middle:g}, the median of {len(ratings):,} training texts, is '{high}', the "
        f"others are '{low}'."
    )
    gathering = Gathering(into, Spelling(into.question), how)
    for name, split in SPLITS.items():
        for text, label in _lines(folder, name):
            rating = _rating(label)
            if rating is None:
                gathering.lose("have no rating")
            else:
                gathering.add(split, pairs.split(text, into.question.fields), high if rating > middle else low)
    return gathering.done()


def _rating(label: str) -> float | None:
    try:
        rating = float(label)
    except ValueError:
        return None
    return rating if math.isfinite(rating) else None


def _lines(folder: Path, split: str) -> Iterator[tuple[str, str]]:
    """Texts and labels, line by line. A text may hold a carriage return: a line ends so that there are as many texts as
    labels."""
    texts, labels = folder / f"{split}_text.txt", folder / f"{split}_labels.txt"
    if not texts.is_file() or not labels.is_file():
        raise SourceError(
            f"'{DATASET}' has no {FOLDER}/{folder.name}/{split}_text.txt and {split}_labels.txt any more. Use another "
            "source of labelled texts."
        )
    number = _count(labels, None)
    for newline in ("\n", None):
        if _count(texts, newline) == number:
            with texts.open(encoding="utf-8", newline=newline) as some, labels.open(encoding="utf-8") as others:
                for text, label in zip(some, others, strict=True):
                    yield text.strip(), label.strip()
            return
    raise SourceError(
        f"{texts} has {_count(texts, chr(10)):,} texts and {number:,} labels. Remove the file from the hub's cache, "
        "and try again."
    )


def _count(path: Path, newline: str | None) -> int:
    with path.open(encoding="utf-8", newline=newline) as lines:
        return sum(1 for _ in lines)
