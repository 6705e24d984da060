"""Codebooks in files of every format."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from backend.corpus.codebook_files import named, read_codebook, write_codebook
from backend.corpus.tables.table import TableError
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import CodebookError, UnknownCodebookError
from labelstudio_config.library import load, names, to_yaml
from labelstudio_config.sheet import write
from labelstudio_config.xml import to_xml
from tests.labelstudio_config.test_sheet import sayable

TABLES = ("csv", "tsv", "xlsx")


@pytest.mark.parametrize("ending", TABLES)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(book=sayable())
def test_a_spreadsheet_is_read_and_written_again_the_same(
    ending: str, book: Codebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("books")
    first, second = folder / f"mood.{ending}", folder / f"again.{ending}"
    write_codebook(book, first, overwrite=False)
    found = read_codebook(first).codebook
    assert found == replace(book, key="mood", title="mood")
    write_codebook(found, second, overwrite=False)
    assert write(read_codebook(second).codebook) == write(book)


@pytest.mark.parametrize("ending", [*TABLES, "yaml", "yml"])
def test_as_the_next_state_of_itself_nothing_changes(ending: str, tmp_path: Path) -> None:
    for name in names():
        book, path = load(name), tmp_path / f"{name}.{ending}"
        write_codebook(book, path, overwrite=False)
        assert read_codebook(path, book).codebook == book


def test_the_ending_decides(tmp_path: Path) -> None:
    humor = load("humor")
    for ending, text in (("yaml", to_yaml(humor)), ("xml", to_xml(humor))):
        path = tmp_path / f"h.{ending}"
        assert write_codebook(humor, path, overwrite=False) == ()
        assert path.read_text(encoding="utf-8") == text
        with pytest.raises(TableError, match="--overwrite"):
            write_codebook(humor, path, overwrite=False)
    assert read_codebook(tmp_path / "h.yaml").codebook == named(str(tmp_path / "h.yaml")).codebook == humor
    assert read_codebook(tmp_path / "h.xml", humor).codebook == humor
    assert named("humor").codebook == humor
    (lost,) = write_codebook(humor, tmp_path / "h.csv", overwrite=False)
    assert lost == "A table cannot say: where it comes from. Write YAML to keep all of it."
    with pytest.raises(UnknownCodebookError, match="Did you mean 'humor'"):
        named("humour")


def test_a_yaml_that_knows_no_ids_keeps_those_there_are(tmp_path: Path) -> None:
    humor = load("humor")
    (question,) = humor.questions
    mine = replace(
        humor,
        questions=(replace(question, labels=tuple(replace(x, id=f"x{n}") for n, x in enumerate(question.labels))),),
    )
    (tmp_path / "h.yaml").write_text(to_yaml(humor), encoding="utf-8")
    found = read_codebook(tmp_path / "h.yaml", replace(mine, key="posts", title="Posts")).codebook
    assert found == replace(mine, key="posts", title="Posts")


def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mood.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["question", "label", "kind"], ["mood", "a\nb", ""], ["", "c", "scale"]])
    with pytest.raises(CodebookError, match=r"mood\.csv, line 4, column 'kind': 'scale' is not known"):
        read_codebook(path)
    path.write_text("question,label\nmood,a,more,cells\n,b\n", encoding="utf-8")
    with pytest.raises(CodebookError, match=r"mood\.csv, line 2: .* a codebook is taken whole or not at all"):
        read_codebook(path)
