"""Folders of labelled texts: train.csv, test.csv and perhaps validation.csv with the columns text, label, and text2 for
pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.corpus.codebook_files import read_codebook
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import Table, TableError
from backend.engines.protocol import Item
from backend.paper import polarity
from backend.paper.gathering import Gathering
from backend.paper.known_books import named
from backend.paper.numbers import order_of
from backend.paper.offer import Gathered, How, Offer, SourceError
from backend.paper.spelling import Spelling
from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from labelstudio_config.ids import fresh_id, slug

FILES = {"train": ("train",), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}
BOOKS = ("codebook.yaml", "codebook.yml", "codebook.xml")
TERMS = ("LICENSE", "LICENCE", "LICENSE.txt", "LICENSE.md", "README.md", "README.txt", "README")
TEXT, SECOND, LABEL = "text", "text2", "label"
MOST = 50  # different labels of a question that is made of the data


@dataclass(frozen=True, slots=True)
class CsvFolder:
    """A folder of such folders, or one of them."""

    folder: Path

    def offers(self) -> list[Offer]:
        return [_offer(path) for path in self._folders()]

    def read(self, wanted: Sequence[Offer], how: How) -> list[Gathered]:
        return [_read(Path(offer.key), offer, how) for offer in wanted]

    def _folders(self) -> list[Path]:
        if _tables(self.folder):
            return [self.folder]
        found = [path for path in sorted(self.folder.iterdir()) if path.is_dir() and _tables(path)]
        if not found:
            raise SourceError(
                f"{self.folder} holds no labelled texts. What to do: give a folder with train.csv and test.csv in it "
                f"(columns {TEXT}, {LABEL}, and {SECOND} for pairs), or a folder of such folders."
            )
        return found


def _tables(folder: Path) -> dict[str, Path]:
    """Split -> its table; none in a folder that has neither train.csv nor test.csv."""
    found = {
        split: path
        for split, names in FILES.items()
        for name in reversed(names)
        if (path := folder / f"{name}.csv").is_file()
    }
    return found if "train" in found or "test" in found else {}


def _offer(folder: Path) -> Offer:
    own = next((folder / name for name in BOOKS if (folder / name).is_file()), None)
    if own is not None:
        book = read_codebook(own).codebook
        if len(book.questions) > 1:
            raise SourceError(
                f"{own} has {len(book.questions)} questions, and the labels of {folder.name} answer one. What to do: "
                "keep one question in it."
            )
        return Offer(folder.name, book.standalone(book.questions[0]), (book.key,), str(folder))
    found = named(folder.name)
    if found is None or not (found.exact or _fits(found.question, folder)):
        question = _made(folder)
        return Offer(folder.name, question, (), str(folder))
    return Offer(found.key, found.question, (*found.called, folder.name), str(folder))


def _read(folder: Path, offer: Offer, how: How) -> Gathered:
    into = Gathered(offer.name, offer.question, str(folder), offer.question.provenance.licence)
    into.remarks += _about(folder, offer)
    if polarity.turned(offer.question):
        into.remarks.append(polarity.UNTURNED)
    into.licence = into.licence or terms(folder) or terms(folder.parent)
    numbers = order_of(offer.question, _labels(folder)) if offer.question.provenance.socket else ()
    if numbers:
        order = ", ".join(f"{place} = {label}" for place, label in enumerate(numbers))
        into.remarks.append(f"Its labels are numbers, which are read in SocKET's order: {order}.")
    gathering = Gathering(into, Spelling(offer.question, numbers=numbers), how)
    for split, path in _tables(folder).items():
        table = open_table(path)
        into.remarks += table.said(shown=3)
        for item, label in _rows(table, offer.question):
            gathering.add(split, item, label)
    return gathering.done()


def _about(folder: Path, offer: Offer) -> list[str]:
    """What a person should know of how the folder came to its question."""
    if any((folder / name).is_file() for name in BOOKS):
        return []
    found = named(folder.name)
    if found is None or found.question.label_ids != offer.question.label_ids:
        labels = ", ".join(label.code for label in offer.question.labels)
        return [f"No codebook is known for the folder '{folder.name}': the question is made of its labels ({labels})."]
    if not found.exact:
        return [
            f"The folder '{folder.name}' is taken for other texts on the question of SOCIALITE's task "
            f"{offer.question.provenance.task}, by its name; that the released weights saw these is not assumed."
        ]
    return []


def _rows(table: Table, question: Question) -> Iterator[tuple[Item | None, str]]:
    places, label = columns_of(table, question), table.column(LABEL)
    for cells in table.rows():
        yield tuple(cells[place] for place in places), cells[label]


def columns_of(table: Table, question: Question) -> list[int]:
    """Where the question's texts stand: `text` and `text2`, or columns that are named as the codebook's."""
    own = [field.column for field in question.fields]
    if all(column in table.columns for column in own):
        return [table.column(column) for column in own]
    if len(own) > 2:
        raise TableError(f"{table.path} lacks one of the columns {', '.join(own)}. Add it.")
    return [table.column(name) for name in (TEXT, SECOND)[: len(own)]]


def _labels(folder: Path) -> list[str]:
    """The different labels of all splits."""
    found: dict[str, None] = {}
    for path in _tables(folder).values():
        table = open_table(path)
        place = table.column(LABEL)
        found |= dict.fromkeys(cells[place].strip() for cells in table.rows())
    return sorted(label for label in found if label)


def _fits(question: Question, folder: Path) -> bool:
    spelling = Spelling(question, numbers=order_of(question, _labels(folder)))
    return all(spelling.read(label) is not None for label in _labels(folder))


def _made(folder: Path) -> Question:
    """A single-choice question whose labels are those of the data."""
    labels = _labels(folder)
    if not 1 < len(labels) <= MOST:
        raise SourceError(
            f"The column '{LABEL}' of {folder} holds {len(labels):,} different labels. A question has 2 to {MOST}; put "
            f"a {BOOKS[0]} into the folder that says what its labels are."
        )
    ids: dict[str, None] = {}
    for label in labels:
        ids[fresh_id(label, ids)] = None
    first = open_table(next(iter(_tables(folder).values())))
    columns = (TEXT, SECOND) if SECOND in first.columns else (TEXT,)
    return Question(
        id=slug(folder.name),
        name=slug(folder.name),
        kind=Kind.SINGLE,
        control=Control.CHOICES,
        fields=tuple(Field(column, column) for column in columns),
        labels=tuple(Label(id_, label, label) for id_, label in zip(ids, labels, strict=True)),
    )


def terms(folder: Path) -> str:
    """Where a folder says the terms of what is in it; empty where it does not."""
    return next((f"see {folder / name}" for name in TERMS if (folder / name).is_file()), "")
