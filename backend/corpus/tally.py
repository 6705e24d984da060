"""What became of a table that was taken in, counted, and in words."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backend.corpus.tables.table import BadRow

SHOWN = 20  # rows that are named one by one


@dataclass(slots=True)
class Named:
    """Rows that something is the matter with: how many, and the first of them."""

    n: int = 0
    first: list[BadRow] = field(default_factory=list)

    def add(self, line: int, reason: str = "") -> None:
        self.n += 1
        insort(self.first, BadRow(line, reason), key=lambda row: row.line)
        del self.first[SHOWN:]

    @property
    def lines(self) -> str:
        """'3, 8, 9 and 12 more'."""
        more = self.n - len(self.first)
        return ", ".join(f"{row.line:,}" for row in self.first) + (f" and {more:,} more" if more else "")


@dataclass(slots=True)
class Tally:
    """Of the rows read: `new` and `known` rows of the corpus; `changed` ones, which had another text before and keep
    it; `empty` ones without a text, `bad` ones that cannot be taken in.

    `texts` are distinct, `new_texts` of them were not stored before; `repeated` rows have the text of an earlier row.
    Of the answers `answers` are new, `versions` say something else than before, `same` are there already. `removed` are
    characters that no database holds. `near`: texts that are near-duplicates of another one of the table, or of the
    `stored` ones; None where nobody looked.
    """

    rows: int = 0
    new: int = 0
    known: int = 0
    texts: int = 0
    new_texts: int = 0
    repeated: int = 0
    answers: int = 0
    versions: int = 0
    same: int = 0
    removed: int = 0
    near: int | None = None
    stored: int = 0
    coders: int = 0
    changed: Named = field(default_factory=Named)
    empty: Named = field(default_factory=Named)
    bad: Named = field(default_factory=Named)
    other: Sequence[str] = ()

    @property
    def nothing(self) -> bool:
        """All of it was there before."""
        return not (self.new or self.answers or self.versions)

    def sentences(self, name: str) -> Iterator[str]:
        """What a person should know of it; `name` is the table's."""
        yield f"{name} has {self.rows:,} rows and {self.texts:,} distinct texts."
        yield from self._texts()
        if self.other:
            yield f"Columns carried along: {', '.join(self.other)}."
        yield from self._left_out(name)

    def _texts(self) -> Iterator[str]:
        if self.repeated:
            yield f"{self.repeated:,} rows repeat the text of another row and share its task."
        if self.near is None:
            yield "Near-duplicates are looked for when texts are drawn: there are too many here to do it now."
        elif self.near:
            of = f", or of the {self.stored:,} stored before" if self.stored else ""
            yield f"{self.near:,} texts are near-duplicates of another one here{of}; a draw keeps them together."
        if self.removed:
            yield f"{self.removed:,} characters that a database cannot hold (NUL, halves of characters) were taken out."

    def _left_out(self, name: str) -> Iterator[str]:
        if self.empty.n:
            yield f"{self.empty.n:,} rows of {name} have no text and are left out (line {self.empty.lines})."
        if self.changed.n:
            yield (
                f"{self.changed.n:,} rows of {name} had another text before, which is kept (line "
                f"{self.changed.lines}). Give a row with a new text another id."
            )
        if self.bad.n:
            yield f"{self.bad.n:,} rows of {name} cannot be taken in; the others are."
            yield from (f"  {name}, line {row.line:,}: {row.reason}." for row in self.bad.first)
            if self.bad.n > len(self.bad.first):
                yield f"  ... and {self.bad.n - len(self.bad.first):,} more."
