"""The columns of a long table of answers, which `socialite export` writes and `socialite import` reads back.

A row is what one coder said to one question about one row of the corpus. A row of the corpus that nobody answered
stands there once, without coder and question. Who reads a table back needs to know:

- `source`, `id` and `row` are those of the row of the corpus, whatever the name of the file; no end of an id is cut.
- The texts follow `row`, under `text_names`; then come the corpus' other columns, whose names begin with `OTHER`. Taken
  in without that beginning they get the same names when they are written again.
- The rows of one answer have the same id, coder, times and phase, and stand together; a question that was left blank
  has an empty `label`, and an answer may have nothing else. Two answers of a coder to a text differ in their times.
- `coder` is the coder's name in this project, a pseudonym; it is empty where nobody knows who it was.
- `label` holds a code; of a question that may have several labels, what `joined` makes of their codes. `number` holds
  the answer to a question that asks for one.
- `skipped` says that the coder refused the whole text; `label` and `number` are empty then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from backend.corpus.tables.names import Names
from labelstudio_config.codebook import Codebook

BEFORE = ("project", "source", "id", "row")  # the texts and the corpus' other columns follow
AFTER = (
    *("question", "coder", "label", "number", "origin", "phase", "ground_truth", "skipped", "adjudicated"),
    *("answered_at", "updated_at", "lead_time", "revision", "release", "exposure"),
    *("stream", "role", "sampling_probability", "accepted", "accepted_by"),
)
OTHER = "x_"
MARKS = frozenset(("id", "question", "coder", "label", "phase"))  # a table with these columns is a long one
BETWEEN, NONE = "|", "(none)"  # the codes in the cell of a question that may have several, and where it has none
_PIECES = re.compile(r"\\.|.", re.DOTALL)  # a backslash and what it keeps, or a character


def names() -> Names:
    """The names that the columns of a long table have whatever the project; its own columns get others."""
    given = Names()
    for name in (*BEFORE, *AFTER):
        given.fresh(name)
    return given


def text_names(book: Codebook, given: Names | None = None) -> tuple[str, ...]:
    """The columns of the codebook's texts, in its order: each named as its field's column, as far as that is a name."""
    given = given or names()
    return tuple(given.fresh(field.column) for field in book.fields)


def joined(codes: Iterable[str]) -> str:
    """The labels of a question that may have several, as one cell; a bar or a backslash of a code gets a backslash."""
    cells = [code.replace("\\", "\\\\").replace(BETWEEN, f"\\{BETWEEN}") for code in codes]
    if cells == [NONE]:
        return f"\\{NONE}"
    return BETWEEN.join(cells) or NONE


def parted(cell: str) -> tuple[str, ...]:
    """The codes that `joined` made this cell of."""
    if cell in ("", NONE):
        return ()
    parts = [""]
    for piece in _PIECES.findall(cell):
        if piece == BETWEEN:
            parts.append("")
        else:
            parts[-1] += piece[1:] if len(piece) > 1 else piece
    return tuple(part for part in parts if part)
