"""The section on what of the audit stays without an accepted label."""

from __future__ import annotations

import pytest

from backend.findings.nonresponse import section
from backend.findings.report import Section, Table
from backend.learning.estimate import Estimate
from tests.backend.findings.corpus_of import Corpus, code, drawn
from tests.backend.findings.world import open_test, read
from tests.backend.learning.coding import Coding


@pytest.fixture
def corpus(coding: Coding) -> Corpus:
    """40 gate texts of which 36 are coded and 4 skipped; 40 test texts, all coded."""
    made = drawn(coding, 100, audit=80, seed=11)
    code(made, [k for k in range(80) if k % 20])
    for k in range(0, 80, 20):
        coding.answer(made.ids[k], 1, cancelled=True)
    return made


def table(found: Section, key: str) -> Table:
    return next(one for one in found.tables if one.key == key and one.question in ("", "humor"))


def values(row: tuple[object, ...]) -> list[float | None]:
    return [cell.value if isinstance(cell, Estimate) else cell for cell in row]  # type: ignore[misc]


def test_the_missing_are_counted_by_reason(corpus: Corpus) -> None:
    found = table(section(read(corpus.coding)), "nonresponse")
    told = dict(zip(found.rows, found.cells, strict=True))
    assert told["humor: in the sample"] == (40, 40)
    assert told["humor: of them without a value"] == (4, 0)
    assert told["humor: skipped"] == (4, 0)


def test_bounds_hold_whatever_the_missing_are(corpus: Corpus) -> None:
    found = section(read(corpus.coding))
    coded = [k for k in range(80) if k % 20]
    yes = int(corpus.true[coded].sum())
    assert values(table(found, "nonresponse-shares").cells[1]) == pytest.approx([yes / 76, yes / 80, (yes + 4) / 80])
    gate = [k for k in coded if k % 2 == 0]
    right = int((corpus.true[gate] == corpus.model[gate]).sum())
    accuracy = table(found, "nonresponse-accuracy")
    assert accuracy.rows == ("humor, gate",), "nothing is said of the test before it is opened"
    assert values(accuracy.cells[0]) == pytest.approx([right / 36, right / 40, (right + 4) / 40])
    open_test(corpus.coding, corpus.release)
    assert table(section(read(corpus.coding)), "nonresponse-accuracy").rows == ("humor, gate", "humor, test")


def test_an_edited_texts_old_version_is_not_missed(corpus: Corpus) -> None:
    new = corpus.coding.edit(corpus.ids[2], "another text")
    corpus.coding.answer(new, 1, humor="yes")
    told = table(section(read(corpus.coding)), "nonresponse")
    assert told.cells[told.rows.index("humor: of them without a value")] == (4, 0)


def test_before_anything_is_coded_it_says_so(coding: Coding) -> None:
    drawn(coding, 20, audit=10)
    assert "as soon as the audit is coded" in section(read(coding)).missing
