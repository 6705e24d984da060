"""The dataset that SOCIALITE-LLAMA was tuned on and measured with, task by task, read from the hub row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.engines import dataset, hub
from backend.engines.dataset import DATASET, INPUT_COLUMN, OUTPUT_COLUMN, TASK, WHOLE
from backend.engines.prompts import INPUT, OUTPUT
from backend.engines.protocol import Item
from backend.paper import pairs, polarity
from backend.paper.gathering import Gathering
from backend.paper.known_books import books, names_of, question_of
from backend.paper.offer import Gathered, How, Offer, SourceError, each
from backend.paper.spelling import Spelling
from labelstudio_config.codebook import Field

NAME = "authors"
SPLITS = {"test": "test", "valid": "validation", "train": "train"}  # as its files are called -> as splits are called


@dataclass(frozen=True, slots=True)
class SocialiteData:
    """The authors' dataset, of a revision or the newest."""

    revision: str | None = None

    def offers(self) -> list[Offer]:
        return [Offer(book.key, question_of(book), names_of(book), book.provenance.task) for book in books()]

    def read(self, wanted: Sequence[Offer], how: How) -> list[Gathered]:
        gatherings = {offer.key: _gathering(offer, how) for offer in wanted}
        if not gatherings:
            return []
        columns = _columns(wanted)
        revision, rows = self.revision, 0
        for name, split in SPLITS.items():
            revision, paths = dataset.tables(name, revision)
            for path in paths:
                for row in dataset.table(path, columns):
                    gathering = gatherings.get(str(row.get(TASK) or ""))
                    if gathering is not None:
                        rows += 1
                        item = _item(row, gathering.into.question.fields)
                        gathering.add(split, item, str(row.get(OUTPUT_COLUMN) or ""))
        if not rows:
            raise SourceError(
                f"'{DATASET}' holds no rows of {', '.join(gatherings)} with the columns '{TASK}', '{INPUT_COLUMN}' and "
                f"'{OUTPUT_COLUMN}' any more. Use another source of labelled texts."
            )
        return each(wanted, lambda offer: _done(gatherings[offer.key], offer, revision or ""), how)


def _gathering(offer: Offer, how: How) -> Gathering:
    question = offer.question
    into = Gathered(offer.name, question, NAME, f"{question.provenance.licence} See also {hub.page(DATASET)}")
    verbalised = how.plain and polarity.turned(question)
    if polarity.turned(question):
        into.remarks.append(polarity.remark(question, plain=how.plain))
    return Gathering(into, Spelling(question, verbalised=verbalised), how)


def _done(gathering: Gathering, offer: Offer, revision: str) -> Gathered:
    if not gathering.rows:
        raise SourceError(f"'{DATASET}' has no rows of '{offer.name}' ({offer.key}).")
    gathering.into.source = f"{NAME} ({DATASET}@{revision[:12]})"
    return gathering.done()


def _columns(wanted: Sequence[Offer]) -> list[str]:
    titles = [field.title for offer in wanted for field in offer.question.fields if field.title]
    return list(dict.fromkeys([TASK, INPUT_COLUMN, OUTPUT_COLUMN, WHOLE, *titles]))


def _item(row: Mapping[str, object], fields: Sequence[Field]) -> Item | None:
    """The texts of a row: in columns of their own, else in `Input`, else what follows the instruction in `Model Input`
    where that can be one thing only."""
    if len(fields) > 1:
        found = pairs.of_columns(row, fields)
        if found is not None:
            return found
    text = row.get(INPUT_COLUMN)
    if isinstance(text, str) and text.strip():
        return pairs.split(text, fields)
    inputs = list(_inputs(str(row.get(WHOLE) or "")))
    return pairs.split(inputs[0], fields) if len(inputs) == 1 else None


def _inputs(whole: str) -> Iterator[str]:
    """Every text that a whole prompt may be about."""
    body = whole.rstrip().removesuffix(OUTPUT.strip()).rstrip()
    start = body.find(INPUT)
    while start >= 0:
        yield body[start + len(INPUT) :]
        start = body.find(INPUT, start + 1)
