"""`predict` on tables that are not neat: every row comes out, in order, with what was said of it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.corpus.codebooks import several
from backend.corpus.predict import CHUNK, codings, predict
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import TableError
from backend.corpus.tables.writing import new_table
from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import EngineError, Item, Scores
from labelstudio_config.codebook import Codebook, Question

YAML = """
key: {key}
title: {key}
fields:{fields}
questions:
  - id: {key}
    name: {key}
    kind: {kind}
    labels:
      - {{id: joyful, code: joyful, wording: joyful happy glad}}
      - {{id: sad, code: "so, sad", wording: sad unhappy}}
  - id: {key}_strength
    name: {key}_strength
    kind: number
"""
ONE = "\n  - {name: text, column: text}"
PAIR = "\n  - {name: post, column: post}\n  - {name: reply, column: reply}"


def book(folder: Path, key: str, kind: str = "single", fields: str = ONE) -> Codebook:
    path = folder / f"{key}.yaml"
    path.write_text(YAML.format(key=key, kind=kind, fields=fields), encoding="utf-8")
    return several(str(path))[0]


def labelled(
    folder: Path, content: str, *books: Codebook, engine: KeywordEngine | None = None, limit: int | None = None
) -> list[dict[str, str]]:
    (folder / "in.csv").write_bytes(content.encode())
    table, scorer = open_table(folder / "in.csv"), engine or KeywordEngine()
    made, _ = codings(scorer, books, table, None, None)
    predict(table, made, scorer, folder / "out.csv", limit=limit, overwrite=True)
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_labels_probabilities_margin_and_release(tmp_path: Path) -> None:
    rows = labelled(tmp_path, "id,text\n1,I am so happy and glad\n2,sad and unhappy\n", book(tmp_path, "mood"))
    names = ["label", "p_joyful", "p_sad", "margin", "tokens_cut", "release"]
    assert list(rows[0]) == ["id", "text", *names]
    assert [row["label"] for row in rows] == ["joyful", "so, sad"]
    for row in rows:
        p = [float(row["p_joyful"]), float(row["p_sad"])]
        assert sum(p) == pytest.approx(1, abs=1e-4)
        assert float(row["margin"]) == pytest.approx(abs(p[0] - p[1]), abs=1e-4)
        assert row["release"].startswith("keyword-")
        assert row["tokens_cut"] == "0"


def test_ordered_labels_also_have_an_expected_value(tmp_path: Path) -> None:
    rows = labelled(tmp_path, "text\nhappy and glad\nsad\n", book(tmp_path, "mood", "ordinal"))
    names = ["label", "p_joyful", "p_sad", "expected_mood", "margin", "tokens_cut", "release"]
    assert list(rows[0]) == ["text", *names]
    for row in rows:
        assert float(row["expected_mood"]) == pytest.approx(float(row["p_joyful"]) + 2 * float(row["p_sad"]), abs=1e-4)
    assert float(rows[0]["expected_mood"]) < float(rows[1]["expected_mood"])
    several = labelled(tmp_path, "text\nhappy\n", book(tmp_path, "mood", "ordinal"), book(tmp_path, "tone", "ordinal"))
    assert {"expected_mood", "expected_tone"} <= set(several[0])


def test_every_row_comes_out_as_it_went_in(tmp_path: Path) -> None:
    content = 'text,note\n"a ""quote"", a comma\nand a line",1\n,empty\n   ,blank\nhappy 🎉 émoji,\n'
    rows = labelled(tmp_path, content, book(tmp_path, "mood"))
    assert [row["text"] for row in rows] == ['a "quote", a comma\nand a line', "", "   ", "happy 🎉 émoji"]
    assert [row["note"] for row in rows] == ["1", "empty", "blank", ""]
    assert [bool(row["label"]) for row in rows] == [True, False, False, True]
    assert [bool(row["release"]) for row in rows] == [True, False, False, True]


def test_more_rows_than_a_chunk_stay_in_order(tmp_path: Path) -> None:
    n = 2 * CHUNK + 7
    content = "text\n" + "".join(f"row {i} {'happy' if i % 3 else 'sad'}\n" for i in range(n))
    rows = labelled(tmp_path, content, book(tmp_path, "mood"))
    assert [row["text"].split()[1] for row in rows] == [str(i) for i in range(n)]
    assert [row["label"] == "so, sad" for row in rows] == [i % 3 == 0 for i in range(n)]
    assert len(labelled(tmp_path, content, book(tmp_path, "mood"), limit=5)) == 5


def test_several_codebooks_and_columns_that_are_there_already(tmp_path: Path) -> None:
    books = [book(tmp_path, "mood"), book(tmp_path, "tone", "multiple")]
    rows = labelled(tmp_path, "text,label,mood_label\nhappy sad,gold,old\n", *books)
    assert (rows[0]["label"], rows[0]["mood_label"]) == ("gold", "old")
    assert rows[0]["mood_label_2"] in ("joyful", "so, sad")
    assert rows[0]["tone_label"] == "joyful|so, sad"
    assert rows[0]["tone_release"] != rows[0]["mood_release"]
    (alone,) = labelled(tmp_path, "text,label\nhappy,gold\n", book(tmp_path, "mood"))
    assert (alone["label"], alone["mood_label"]) == ("gold", "joyful")


def test_a_pair_of_texts(tmp_path: Path) -> None:
    pair = book(tmp_path, "answer", fields=PAIR)
    rows = labelled(tmp_path, "post,reply\nhow are you,happy\nhow are you,\n", pair)
    assert [row["label"] for row in rows] == ["joyful", ""]
    (tmp_path / "in.csv").write_text("text,other\na,b\n", encoding="utf-8")
    table = open_table(tmp_path / "in.csv")
    with pytest.raises(TableError, match=r"no column 'reply'.*with --pair-column"):
        codings(KeywordEngine(), [pair], table, None, None)
    assert codings(KeywordEngine(), [pair], table, "text", "other")[0][0].cells == (0, 1)
    with pytest.raises(TableError, match="is about one text; leave out --pair-column"):
        codings(KeywordEngine(), [book(tmp_path, "mood")], table, None, "other")


def test_what_cannot_be_scored_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\na\n", encoding="utf-8")
    table, mood = open_table(tmp_path / "in.csv"), book(tmp_path, "mood")
    _, left_out = codings(KeywordEngine(), [mood], table, None, None)
    assert len(left_out) == 1
    assert "mood_strength" in left_out[0]
    numbers = Codebook("numbers", "numbers", mood.questions[1:])
    with pytest.raises(TableError, match="None of the questions can be answered"):
        codings(KeywordEngine(), [numbers], table, None, None)


class Faltering(KeywordEngine):
    """Fails on one text, reads only half of another, and doubts a third."""

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        if any("poison" in item[0] for item in items):
            raise EngineError("The engine does not take this.")
        scores = super().score(question, items, adapter, shown)
        cut = np.array([7 if "long" in item[0] else 0 for item in items])
        return Scores(scores.family, scores.log_probabilities, cut)

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        return ["The text is not English." if "fremd" in item[0] else None for item in items]


def test_one_text_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('text\nhappy\npoison\nlong\nfremd\n""\n', encoding="utf-8")
    table, engine = open_table(tmp_path / "in.csv"), Faltering()
    made, _ = codings(engine, [book(tmp_path, "mood"), book(tmp_path, "tone")], table, None, None)
    done: list[tuple[int, int]] = []
    summary = predict(table, made, engine, tmp_path / "out.csv", report=lambda n, total: done.append((n, total)))
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [bool(row["mood_label"]) for row in rows] == [True, False, True, True, False]
    assert [row["mood_tokens_cut"] for row in rows] == ["0", "", "7", "0", ""]
    assert (summary.rows, summary.empty, summary.cut) == (5, 1, 1)
    assert summary.problems == {"The engine does not take this.": 1}
    assert summary.warnings == {"The text is not English.": 1}
    assert done == [(0, 5), (5, 5)]


def test_new_columns_are_names_that_statistics_programs_take(tmp_path: Path) -> None:
    rows = labelled(tmp_path, "text\nhappy\n", book(tmp_path, "a-very-long-mood-of-a-person"), book(tmp_path, "tone"))
    new = [name for name in rows[0] if name != "text"]
    assert len(new) == len(set(new)) == 12
    assert all(name.isidentifier() and name.isascii() and len(name) <= 32 for name in new)


def test_every_kind_of_table_goes_in_and_comes_out(tmp_path: Path) -> None:
    """The columns of the input are as they were, the new ones typed; the same labels in every format."""
    texts = ["happy, glad", "=sad()", "", "'=unhappy", "a\r\nhappy \x01 \u05e9", "007"]
    found = []
    for ending in ("csv", "tsv", "xlsx", "jsonl", "parquet", "dta"):
        source, output = tmp_path / f"in.{ending}", tmp_path / f"out.{ending}"
        with new_table(source, ["text", "n"], overwrite=False) as writer:
            for n, text in enumerate(texts):
                writer.writerow([text, str(n)])
        table, engine = open_table(source), KeywordEngine()
        made, _ = codings(engine, [book(tmp_path, "mood", "ordinal")], table, None, None)
        predict(table, made, engine, output)
        again = open_table(output)
        assert [row[:2] for row in again.rows()] == [[text, str(n)] for n, text in enumerate(texts)]
        found.append((again.columns, [*again.rows()]))
    assert all(one == found[0] for one in found)
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert [str(schema.field(name).type) for name in ("label", "p_sad", "expected_mood", "tokens_cut")] == [
        *("string", "double", "double", "int64")
    ]
    assert schema.field("p_joyful").metadata == {b"meaning": b"probability of 'joyful'"}


def test_cells_of_a_csv_are_byte_for_byte_the_same_unless_a_spreadsheet_would_run_them(tmp_path: Path) -> None:
    cells = ["'=1", "''=1", "'-1", "-1", "'quoted'", "007", " x ", "1,5", "'@a"]
    content = "text,cell\n" + "".join(f'happy,"{cell}"\n' for cell in [*cells, "=1", "@b"])
    rows = labelled(tmp_path, content, book(tmp_path, "mood"))
    assert [row["cell"] for row in rows] == [*cells, "'=1", "'@b"]
    table, engine = open_table(tmp_path / "in.csv"), KeywordEngine()
    made, _ = codings(engine, [book(tmp_path, "mood")], table, None, None)
    (remark,) = predict(table, made, engine, tmp_path / "out.csv", overwrite=True).remarks
    assert "apostrophe" in remark
