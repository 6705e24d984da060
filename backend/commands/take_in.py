"""`socialite import`: from what was typed to a table and a project, and from what became of the table to words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.corpus.intake import Corpus, Labels
    from backend.corpus.tables.table import Table
    from backend.corpus.take_in import Place
    from backend.corpus.tally import Tally
    from db.models import Project
    from db.store import Store
    from labelstudio_config.codebook import Codebook, Question

    Named = tuple[Codebook, str]  # a codebook and its configuration

SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}  # as a person may type one
GOLD, DEFAULT = "gold", "training"  # what labels are: the truth; and unless told otherwise
MEANING = {
    "training": "They teach the model, and are in no figure of how well anybody codes.",
    "pilot": "They teach the model, and belong to the pilot, which no figure of the production counts.",
    "gold": "They teach the model as the truth; no estimate counts them, since nobody knows what their coders saw.",
}


class ImportOrderError(Exception):
    """The options do not go together, or one is missing."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command, as typed."""

    table: Path
    key: str
    title: str | None = None
    codebook: str | None = None
    config: Path | None = None
    text_column: str | None = None
    pair_column: str | None = None
    id_column: str | None = None
    group_column: str | None = None
    label_column: str | None = None
    coder_column: str | None = None
    question: str | None = None
    time_column: str | None = None
    labels_are: str | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    source: str | None = None
    dry_run: bool = False


def run(wishes: Wishes) -> None:
    """Take the table in, or say what that would do."""
    from backend.corpus.site import check_key
    from backend.corpus.take_in import take_in

    _check(wishes)
    check_key(wishes.key)
    table = _opened(wishes)
    for remark in table.remarks:
        say(remark)
    with _store(wishes.dry_run) as store:
        project, book, named = _there(wishes, store)
        corpus = _corpus(wishes, table, book)
        where = _place(wishes, store, project, book, named)
        if project is None:
            say(f"The project '{wishes.key}' {'would be made' if wishes.dry_run else 'is made'}: {_asks(book)}.")
        began = time.monotonic()
        with bars() as bar:
            report = bar("Looking" if wishes.dry_run else "Importing", "rows")
            tally = take_in(where, corpus, report, write=not wishes.dry_run)
    _tell(wishes, corpus, tally, time.monotonic() - began)


def _check(wishes: Wishes) -> None:
    if wishes.codebook and wishes.config:
        raise ImportOrderError("Give either --codebook or --config, not both.")
    given = {
        "--coder-column": wishes.coder_column,
        "--time-column": wishes.time_column,
        "--question": wishes.question,
        "--labels-are": wishes.labels_are,
    }
    alone = [name for name, value in given.items() if value and not wishes.label_column]
    if alone:
        raise ImportOrderError(f"{alone[0]} says something of labels. Name the column that holds them: --label-column.")


def _opened(wishes: Wishes) -> Table:
    from backend.corpus.tables.reading import open_table

    separator = SEPARATORS.get((wishes.separator or "").lower(), wishes.separator or "")
    return open_table(wishes.table, encoding=wishes.encoding or "", separator=separator, sheet=wishes.sheet or "")


@contextmanager
def _store(dry_run: bool) -> Iterator[Store | None]:
    """The store; for a dry run only one that is there, since nothing is to be written."""
    from db.store import Store, open_store

    url = settings.load().database_url
    store: Store | None
    if dry_run:
        store = Store(url, create=False) if _is_there(url) else None
    else:
        store = open_store(url)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _is_there(url: str) -> bool:
    from sqlalchemy.engine import make_url

    address = make_url(url)
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()


def _there(wishes: Wishes, store: Store | None) -> tuple[Project | None, Codebook, Named | None]:
    """The project, if it is there; the codebook that answers are read with; and, where the project has none yet, the
    one that was named.
    """
    from backend.corpus.site import check_codebook, codebook_of
    from db import projects

    project = None
    if store is not None:
        with store.reading() as s:
            project = projects.find(s, wishes.key)
    known = codebook_of(store, project) if store is not None and project is not None else None
    named = _named(wishes, project.title if project is not None else wishes.title or wishes.key)
    if known is not None:
        if named is not None:
            check_codebook(wishes.key, known[1], *named)
        return project, known[0], None
    if named is None:
        raise ImportOrderError(
            f"'{wishes.key}' has no codebook yet. Name one with --config, or with --codebook: built-in names such as "
            "emotion,humor, or a file."
        )
    return project, named[0], named


def _named(wishes: Wishes, title: str) -> Named | None:
    """The codebook that was named, and its configuration."""
    from backend.corpus import codebooks
    from labelstudio_config.xml import to_xml

    if wishes.config:
        return codebooks.configuration(wishes.config, wishes.key, title), codebooks.xml_text(wishes.config)
    if wishes.codebook:
        book = codebooks.together(codebooks.several(wishes.codebook), wishes.key, title)
        return book, to_xml(book)
    return None


def _place(wishes: Wishes, store: Store | None, project: Project | None, book: Codebook, named: Named | None) -> Place:
    """Where the table goes. Unless this is a dry run, a new project is made, with the codebook that was named."""
    from backend.corpus.site import founded, give_codebook
    from backend.corpus.take_in import nowhere, place

    if store is None or (wishes.dry_run and (project is None or named is not None)):
        return nowhere(store, book)
    if project is None or named is not None:
        with store.writing() as s:
            project = project or founded(s, wishes.key, wishes.title or wishes.key)
            if named is not None:
                give_codebook(s, project, *named)
    return place(store, project)


def _asks(book: Codebook) -> str:
    names = ", ".join(f"'{question.id}'" for question in book.questions)
    return f"its codebook '{book.title}' asks {names}"


def _corpus(wishes: Wishes, table: Table, book: Codebook) -> Corpus:
    from backend.corpus.intake import Columns, read_corpus, text_columns
    from backend.corpus.long_rows import is_long, long_corpus

    named = (wishes.text_column, wishes.pair_column, wishes.id_column, wishes.group_column, wishes.label_column)
    if is_long(table) and not any(named):
        say(f"{table.path.name} is a table that `socialite export` wrote; its texts, answers and coders are taken in.")
        return long_corpus(table, book, wishes.source)
    columns = Columns(
        texts=text_columns(book, table, wishes.text_column, wishes.pair_column),
        id=table.column(wishes.id_column, option="--id-column") if wishes.id_column else None,
        group=table.column(wishes.group_column, option="--group-column") if wishes.group_column else None,
        labels=_labels(wishes, table, book) if wishes.label_column else None,
    )
    return read_corpus(table, columns, wishes.source)


def _labels(wishes: Wishes, table: Table, book: Codebook) -> Labels:
    from backend.corpus.intake import Labels

    assert wishes.label_column is not None
    kind = wishes.labels_are or DEFAULT
    return Labels(
        question=_question(wishes.question, book),
        label=table.column(wishes.label_column, option="--label-column"),
        coder=table.column(wishes.coder_column, option="--coder-column") if wishes.coder_column else None,
        time=table.column(wishes.time_column, option="--time-column") if wishes.time_column else None,
        phase="production" if kind == GOLD else kind,
        ground_truth=kind == GOLD,
    )


def _question(name: str | None, book: Codebook) -> Question:
    known = ", ".join(question.id for question in book.questions)
    if name is None:
        if len(book.questions) > 1:
            raise ImportOrderError(f"Which question do the labels answer? Say --question with one of: {known}.")
        return book.questions[0]
    try:
        return book.question(name)
    except KeyError:
        raise ImportOrderError(f"The codebook has no question '{name}'. Say --question with one of: {known}.") from None


def _tell(wishes: Wishes, corpus: Corpus, tally: Tally, seconds: float) -> None:
    for sentence in tally.sentences(corpus.table.path.name):
        say(sentence)
    for sentence in _answers(wishes, tally):
        say(sentence)
    per_second = f", {tally.rows / seconds:,.0f} rows a second" if seconds > 1 else ""
    if wishes.dry_run:
        say(f"A dry run: nothing was written. {_stored(tally, 'would be')}{per_second}.")
    elif tally.nothing:
        say(f"Nothing is new: all of it was in '{wishes.key}' before.")
    else:
        say(f"{_stored(tally, 'are')} in '{wishes.key}'{per_second}.")
        say(f"Next: socialite connect --project {wishes.key} --audit N draws texts and brings them to Label Studio.")


def _stored(tally: Tally, verb: str) -> str:
    known = f"; {tally.known:,} rows were there before" if tally.known else ""
    return f"{tally.new:,} rows with {tally.new_texts:,} new texts {verb} stored{known}"


def _answers(wishes: Wishes, tally: Tally) -> Iterator[str]:
    n = tally.answers + tally.versions + tally.same
    if not n:
        if wishes.label_column:
            yield f"No row has a label in '{wishes.label_column}'."
        return
    told = [f"{tally.answers:,} new", *([f"{tally.versions:,} changed"] if tally.versions else [])]
    told += [f"{tally.same:,} there before"] if tally.same else []
    who = f" by {tally.coders:,} coders" if tally.coders else ""
    yield f"{n:,} answers{who}: {', '.join(told)}."
    if wishes.label_column:
        yield f"These labels are {wishes.labels_are or DEFAULT}. {MEANING[wishes.labels_are or DEFAULT]}"
