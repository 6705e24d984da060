"""A report that is built from a store, in every format."""

from __future__ import annotations

import csv
import io
import json

import pytest
from lxml import html as parser

from backend.findings.build import build
from backend.findings.report import Report
from backend.reports.formats import FORMATS
from backend.reports.written import text
from labelstudio_config.codebook import Codebook, Control, Kind, Label, Question
from tests.backend.assist.world import TEXT
from tests.backend.findings.conftest import coding
from tests.backend.findings.world import open_test, score
from tests.backend.learning.coding import Coding
from tests.backend.reports.made import ARABIC, HEBREW, MARKUP

__all__ = ["coding"]

CODES = ("joy", HEBREW, ARABIC, "<b>bold</b>", *(f"label {n}" for n in range(26)))
LABELS = tuple(Label(f"l{n}", code, code) for n, code in enumerate(CODES))
MANY = Codebook("posts", MARKUP, (Question("tone", MARKUP, Kind.SINGLE, Control.CHOICES, (TEXT,), LABELS),))


def report(coding: Coding) -> Report:
    with coding.store.reading() as s:
        return build(s, coding.world.key)


@pytest.fixture
def odd(coding: Coding) -> Report:
    """Thirty labels and texts full of markup, coded by three people, with an opened test."""
    coding.revise(MANY)
    said = {}
    for n in range(60):
        place = {"stream": "audit", "rank": n, "role": ("gate", "test")[n % 2]} if n < 40 else {"stream": "work"}
        one = coding.text(f"{n} {MARKUP} {ARABIC}", **place)  # type: ignore[arg-type]
        said[one] = {"tone": tuple(0.42 if k == n % 29 else 0.02 for k in range(30))}
        for coder in (1, 2, 3):
            coding.answer(one, coder, tone=LABELS[(n + (coder == 3) * (n % 5 == 0)) % 30].id)
    open_test(coding, score(coding, said))
    return report(coding)


def test_every_format_holds_a_project_full_of_markup(odd: Report) -> None:
    told = {name: form.written(odd) for name, form in FORMATS.items()}
    page = parser.document_fromstring(told["html"])
    assert page.xpath("//script | //main//b[not(ancestor::p)] | //img") == []
    assert "&lt;script&gt;" in told["html"] and len(page.xpath("//table")) > 8
    assert len(page.xpath("//table[@class='confusion']//thead//th")) >= 31
    assert [cell for cell in page.xpath("//tbody//td | //th") if not cell.text_content().strip()] == []
    assert json.loads(told["json"])["facts"]["project"] == "posts" and "NaN" not in told["json"]
    rows = list(csv.DictReader(io.StringIO(told["csv"], newline="")))
    assert len(rows) > 100 and all((row["value"] or row["missing"]) and row["origin"] for row in rows)
    assert "\\<script" in told["md"] and "<script" not in told["md"].replace("\\<", "")
    assert text(odd)


def test_every_format_holds_a_project_without_data(coding: Coding) -> None:
    empty = report(coding)
    assert all(form.written(empty) for form in FORMATS.values())
    page = parser.document_fromstring(FORMATS["html"].written(empty))
    assert len(page.find_class("missing")) == len(empty.sections)


def test_one_coder_has_a_report(coding: Coding) -> None:
    for n in range(3):
        coding.answer(coding.text(f"text {n}", "audit", rank=n, role="gate"), 1, humor="yes")
    found = report(coding)
    assert all(form.written(found) for form in FORMATS.values())
