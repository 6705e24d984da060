"""A table that people coded, with the codebook that they coded it by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from backend.assist.near_duplicates import clusters
from backend.corpus.codebook_files import named
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import Table
from backend.paper.csv_folder import LABEL, columns_of, terms
from backend.paper.gathering import Gathering
from backend.paper.known_books import names_of
from backend.paper.offer import Caps, Gathered, How, Offer, SourceError
from backend.paper.spelling import Spelling
from backend.paper.splits import held_out
from labelstudio_config.codebook import Codebook, Kind, Question

TESTED = 0.2  # share of the texts that is the test part


@dataclass(frozen=True)
class CodedTable:
    """A table in any format that can be opened, and the name or file of a codebook.

    Each question's labels are in the column of its name, or in `label` where the codebook has one question. A part of
    the texts, near-duplicates together and each label with its share, is held out as the test, by the seed.
    """

    path: Path
    codebook: str

    @cached_property
    def _book(self) -> Codebook:
        return named(self.codebook).codebook

    @cached_property
    def _table(self) -> Table:
        return open_table(self.path)

    def offers(self) -> list[Offer]:
        book = self._book
        asked = [book.standalone(question) for question in book.questions if question.kind is not Kind.NUMBER]
        found = [question for question in asked if self._column(question)]
        if not found:
            wanted = ", ".join(f"'{question.name}'" for question in asked) or "no question with labels"
            raise SourceError(
                f"{self.path.name} has no column with labels for the codebook '{self.codebook}' ({wanted}). Its "
                f"columns are: {', '.join(self._table.columns)}. Name a column as the question"
                + (f", or '{LABEL}'." if len(book.questions) == 1 else ".")
            )
        return [self._offer(question) for question in found]

    def read(self, wanted: Sequence[Offer], how: How) -> list[Gathered]:
        return [self._read(offer, how) for offer in wanted]

    def _offer(self, question: Question) -> Offer:
        one = len(self._book.questions) == 1
        called = (*names_of(self._book), self.path.stem) if one else (question.id, f"{self._book.key}-{question.id}")
        return Offer(self._book.key if one else f"{self._book.key}-{question.id}", question, called)

    def _column(self, question: Question) -> str:
        """The column of the question's labels; empty where there is none."""
        for name in (question.name, question.id):
            if name in self._table.columns:
                return name
        return LABEL if LABEL in self._table.columns and len(self._book.questions) == 1 else ""

    def _read(self, offer: Offer, how: How) -> Gathered:
        table, question = self._table, offer.question
        licence = terms(self.path.parent) or "the table's own"
        into = Gathered(offer.name, question, str(self.path), licence, remarks=table.said(shown=3))
        gathering = Gathering(into, Spelling(question), replace(how, caps=Caps()))
        places, label = columns_of(table, question), table.column(self._column(question))
        for cells in table.rows():
            gathering.add("train", tuple(cells[place] for place in places), cells[label])
        return _tested(gathering.done(), how.seed)


def _tested(all_: Gathered, seed: int) -> Gathered:
    """Its texts with a part of them as the test."""
    rows = all_.rows["train"]
    roots = clusters({place: item for place, (item, _) in enumerate(rows)}) if rows else {}
    kept, tested = held_out(rows, [roots[place] for place in range(len(rows))], TESTED, seed)
    all_.rows |= {"train": kept, "test": tested}
    all_.remarks.append(
        f"{len(tested):,} of {len(rows):,} texts, near-duplicates together, were held out as the test with seed {seed}."
    )
    return all_
