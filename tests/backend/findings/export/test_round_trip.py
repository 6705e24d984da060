"""What is exported, taken into a new project in another store and exported again, is the same file, in every format."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from backend.corpus.long_rows import long_corpus
from backend.corpus.long_table import NONE, joined
from backend.corpus.tables.cells import Cell
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import Column, Kind, new_table
from backend.corpus.take_in import place, take_in
from backend.corpus.tally import Tally
from backend.findings.export.table import Order, export
from db import projects, revisions
from db.store import Store, open_store, sqlite_url
from labelstudio_config.codebook import Codebook, Control, Field, Label, Question
from labelstudio_config.codebook import Kind as QuestionKind
from labelstudio_config.xml import to_xml

FORMATS = ("csv", "tsv", "xlsx", "jsonl", "parquet", "dta")
KEY = "round"
TEXT, SECOND = Field("one", "Text"), Field("two", "label")
CODES = ("=no", "a|b", NONE, "\\", "005", 'ja, "nein"', "été")
LABELS = tuple(Label(f"l{n}", code, f"wording {n}") for n, code in enumerate(CODES))
BOOK = Codebook(
    "round",
    "Round",
    (
        Question("tone", "tone", QuestionKind.SINGLE, Control.CHOICES, (TEXT,), LABELS),
        Question("topics", "topics", QuestionKind.MULTIPLE, Control.CHOICES, (TEXT, SECOND), LABELS),
        Question("degree", "degree", QuestionKind.ORDINAL, Control.CHOICES, (SECOND,), LABELS[:3]),
        Question("year", "year", QuestionKind.NUMBER, Control.NUMBER, (TEXT,)),
    ),
)
LONG = "a long text"  # in place of which stands one of 100,000 characters
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEED = ("project", "source", "id", "row", "text", "label_2", "x_party", "x_n", "x_share", "x_note", "x_v")
ANSWER = ("question", "coder", "label", "number", "origin", "phase", "ground_truth", "skipped")
TIMES = ("answered_at", "updated_at", "lead_time")

HARD = (
    *("=1+1", "'=1", "-5", "+a", "@x", "\ta", "a\r\nb\rc\nd", '""', "a\x00b", "\N{GRINNING FACE}", LONG),
    *("\u05e9\u05dc\u05d5\u05dd \u202eabc", "007", " blanks ", "NaN", "NA", "null", "TRUE", "1e5", "2026-01-01"),
    *("_x000D_", '{"a": 1}', "\ufeffa", "e\u0301", "1.0", "-0", "123456789012345678"),
)
hard = st.sampled_from(HARD)
letters = st.characters(exclude_categories=("Cs",))
word = hard | st.text(letters, max_size=20)
body = word.filter(lambda text: bool(text.replace("\x00", "").strip()))
name = word.map(lambda text: text.replace("\x00", "")).filter(bool)
moments = st.integers(0, 10**9).map(lambda ms: START + timedelta(milliseconds=ms))
labels = st.lists(st.sampled_from(CODES), unique=True)


@st.composite
def answers(draw: st.DrawFn, coder: str) -> list[dict[str, Cell]]:
    """The rows of one answer: to some questions, or to all by a skip."""
    skipped = draw(st.booleans()) and draw(st.booleans())
    answered = draw(moments)
    same: dict[str, Cell] = {
        "coder": coder,
        "origin": draw(st.sampled_from(["human", "imported", "adjudicated"])),
        "phase": draw(st.sampled_from(["training", "pilot", "production"])),
        "ground_truth": draw(st.booleans()),
        "skipped": skipped,
        "answered_at": answered,
        "updated_at": answered + timedelta(milliseconds=draw(st.integers(0, 10**6))),
        "lead_time": draw(st.none() | st.floats(0, 1e6, allow_nan=False)),
    }
    given: dict[str, dict[str, Cell]] = {
        "tone": {"label": draw(st.sampled_from(CODES))},
        "topics": {"label": joined(draw(labels))},
        "degree": {"label": draw(st.sampled_from(CODES[:3]))},
        "year": {"number": draw(st.floats(-1e12, 1e12, allow_nan=False))},
    }
    keys = draw(st.lists(st.sampled_from(sorted(given)), unique=True, min_size=1))
    return [same | {"question": key} | ({} if skipped else given[key]) for key in given if skipped or key in keys]


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Cell]]:
    """The rows of a long table as an export writes one."""
    rows: list[dict[str, Cell]] = []
    ids = draw(st.lists(name, unique=True, min_size=1, max_size=5))
    numeric = draw(st.booleans())
    for number, one in enumerate(ids, 1):
        unit: dict[str, Cell] = {
            "project": KEY, "source": "corpus.csv", "id": one, "row": number, "text": draw(body),
            "label_2": draw(body), "x_party": draw(word), "x_n": str(draw(st.integers(-999, 999))),
            "x_share": repr(draw(st.floats(-10, 10, allow_nan=False))) if numeric else draw(word),
            "x_note": "", "x_v": draw(st.sampled_from(["1", "2.5", ""])),
        }  # fmt: skip
        coders = draw(st.lists(st.sampled_from(["coder-1", "coder-2", "coder-10"]), unique=True))
        said = [row for coder in coders for row in draw(answers(coder))]
        rows += [unit | row for row in said] or [unit]
    return rows


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds a project without rows, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    store = open_store(sqlite_url(folder))
    with store.writing() as s:
        project = projects.create(s, KEY, "Round", 1, {"audit": 0, "control": 0, "coders": 2})
        revisions.register(s, project.id, BOOK, to_xml(BOOK))
    store.close()
    return folder


@contextmanager
def copied(empty: Path, folder: Path) -> Iterator[Store]:
    shutil.copytree(empty, folder)
    store = open_store(sqlite_url(folder))
    try:
        yield store
    finally:
        store.close()


def taken(store: Store, path: Path) -> Tally:
    """What became of the rows of a long table."""
    with store.reading() as s:
        project = projects.by_key(s, KEY)
    return take_in(place(store, project), long_corpus(open_table(path), BOOK, None), lambda done, total: None)


def written(store: Store, path: Path) -> None:
    with store.reading() as s:
        export(s, KEY, Order(path), lambda done, total: None)


def first(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The table that the first project is made of."""
    names = (*SEED, *ANSWER, *TIMES)
    kinds = dict.fromkeys(TIMES[:2], Kind.TIME) | {"number": Kind.NUMBER, "lead_time": Kind.NUMBER, "row": Kind.INTEGER}
    kinds |= dict.fromkeys(ANSWER[-2:], Kind.TRUTH)
    with new_table(path, [Column(one, kinds.get(one, Kind.TEXT)) for one in names], overwrite=False) as writer:
        for row in rows:
            cells = [row.get(one) for one in names]
            writer.writerow(["x" * 100_000 if cell == LONG else cell for cell in cells])


def every() -> list[dict[str, Cell]]:
    """A row for each of the hard words, which is its text, a cell beside it, and its name."""
    unit: dict[str, Cell] = {"project": KEY, "source": "=corpus", "x_n": "1", "x_note": "", "x_v": ""}
    where = ("text", "label_2", "x_party", "x_share")
    return [unit | dict.fromkeys(where, one) | {"id": one.replace("\x00", ""), "row": n} for n, one in enumerate(HARD)]


@settings(max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@example(rows=every())
@given(rows=tables())
def test_what_comes_back_is_the_same_file(empty: Path, rows: list[dict[str, Cell]]) -> None:
    with TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        first(folder / "first.jsonl", rows)
        with copied(empty, folder / "a") as store:
            tally = taken(store, folder / "first.jsonl")
            assert tally.bad.n == 0
            for ending in FORMATS:
                written(store, folder / f"one-{ending}.{ending}")
        assert open_table(folder / "one-csv.csv").n == len(rows)
        for ending in FORMATS:
            with copied(empty, folder / ending) as store:
                assert taken(store, folder / f"one-{ending}.{ending}").bad.n == 0
                written(store, folder / f"two-{ending}.{ending}")
            one, two = (folder / f"{which}-{ending}.{ending}" for which in ("one", "two"))
            assert content(one) == content(two), ending


def content(path: Path) -> object:
    """All that is in the file but the time at which it was written."""
    if path.suffix == ".xlsx":
        with ZipFile(path) as packed:
            return {each: packed.read(each) for each in packed.namelist()}
    return re.sub(rb"<timestamp>.*?</timestamp>", b"", path.read_bytes(), flags=re.DOTALL)
