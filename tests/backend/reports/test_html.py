from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from lxml import html as parser

from backend.findings.report import Cell, Column, Report, Section
from backend.learning.estimate import Estimate
from backend.reports.html import html
from tests.backend.reports import made

REPORTS = (made.rich, made.thirty, made.one_label, made.one_coder, made.no_data, made.empty)


def parsed(report: Report) -> parser.HtmlElement:
    return parser.document_fromstring(html(report))


def only(cells: tuple[tuple[Cell, ...], ...], *columns: Column, **given: object) -> parser.HtmlElement:
    rows = tuple(f"row {n}" for n in range(len(cells)))
    table = replace(made.table("t", columns, rows, cells), **given)  # type: ignore[arg-type]
    return parsed(Report("R", {}, (Section("s", "S", tables=(table,)),)))


def words(element: parser.HtmlElement) -> str:
    return " ".join(element.text_content().split())


@pytest.mark.parametrize("make", REPORTS)
def test_the_page_needs_nothing_and_does_nothing(make: object) -> None:
    page = parsed(make())  # type: ignore[operator]
    assert page.xpath("//script | //iframe | //object | //img | //form") == []
    assert page.xpath("//@src | //link/@href") == ["data:,"]
    assert [name for name in page.xpath("//@*/..") if any(key.startswith("on") for key in name.attrib)] == []
    assert all(link.startswith("#") for link in page.xpath("//a/@href"))
    assert "url(" not in page.xpath("string(//style)") and "@import" not in page.xpath("string(//style)")


@pytest.mark.parametrize("make", REPORTS)
def test_headings_are_in_order_and_every_name_is_there_once(make: object) -> None:
    page = parsed(make())  # type: ignore[operator]
    levels = [int(heading.tag[1]) for heading in page.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise(levels))
    names = page.xpath("//@id")
    assert len(names) == len(set(names))
    assert {link[1:] for link in page.xpath("//nav//a/@href")} <= set(names)
    assert set(page.xpath("//@aria-labelledby")) <= set(names)
    assert page.get("lang") == "en" and len(page.xpath("//main")) == len(page.xpath("//header")) == 1


def test_contents_lead_to_every_section() -> None:
    page = parsed(made.rich())
    links = [(link.get("href"), words(link)) for link in page.xpath("//nav//a")]
    assert links == [(f"#{section.key}", section.title) for section in made.rich().sections]


def test_every_table_has_a_caption_heads_and_its_origin() -> None:
    page = parsed(made.rich())
    tables = [table for section in made.rich().sections for table in section.tables]
    leaves = page.find_class("leaf")
    assert len(leaves) == len(tables)
    for leaf, table in zip(leaves, tables, strict=True):
        assert words(leaf.xpath(".//caption")[0]) == table.title
        assert {head.get("scope") for head in leaf.xpath(".//th")} == {"col", "row"}
        assert words(leaf.find_class("origin")[0]) == f"Origin: {made.BLIND}"
        wide = {sum(int(cell.get("colspan", 1)) for cell in row) for row in leaf.xpath(".//tr")}
        assert len(wide) == 1, table.key


def test_texts_are_escaped_wherever_they_stand() -> None:
    attack = made.MARKUP
    column = Column(attack, "share")
    table = replace(
        made.table("t", (column, Column(attack)), (attack,), ((Estimate(3, missing=attack), attack),)),
        title=attack,
        question=attack,
        head=attack,
        origin=attack,
        notes=(attack,),
    )
    drawn = [replace(table, drawn=kind) for kind in ("intervals", "time", "reliability", "confusion")]
    withheld = replace(table, cells=((Estimate(12, 0.5, missing=attack), attack),), drawn="time")
    section = Section("s", attack, (attack,), (table, *drawn, withheld), (made.examples(),), attack)
    told = html(Report(attack, {attack: attack}, (section,)))
    page = parser.document_fromstring(told)
    assert "<script" not in told and page.xpath("//b[not(ancestor::p)]") == []
    assert words(page.xpath("//h1")[0]) == words(page.xpath("//title")[0]) == attack
    assert told.count("&lt;script&gt;") > 30 and "{{ 7 * 7 }}" in told and "49" not in page.xpath("string(//main)")
    assert attack in page.xpath("//svg/@aria-label")[0]


def test_a_command_in_a_sentence_is_shown_as_one() -> None:
    page = parsed(Report("R", {}, (Section("s", "S", ("Run `socialite push` first then.",)),)))
    assert [code.text for code in page.xpath("//code")] == ["socialite push"]


def test_numbers_are_read_in_their_units() -> None:
    columns = (Column("a", "share"), Column("b", "difference"), Column("c", "coefficient"), Column("d", "count"))
    page = only(((Estimate(40, 0.5, 0.25, 0.755), Estimate(40, -0.041, -0.1, 0.02), 0.714, 12345),), *columns)
    heads, cells = page.xpath("//thead//th"), page.xpath("//tbody//td")
    assert [words(head) for head in heads] == ["label", "a %", "b points", "c", "d", "n"]
    told = ["50.0 [25.0, 75.5]", "−4.1 [−10.0, +2.0]", "0.71", "12,345", "40"]
    assert [words(cell) for cell in cells] == told


def test_n_stands_beside_where_it_differs_in_a_row_and_once_where_it_does_not() -> None:
    columns = (Column("a", "share"), Column("b", "share"))
    differs = only(((Estimate(40, 0.5, 0.4, 0.6), Estimate(30, 0.5, 0.4, 0.6)),), *columns)
    assert [words(cell) for cell in differs.xpath("//td")] == ["50.0 [40.0, 60.0] n = 40", "50.0 [40.0, 60.0] n = 30"]
    counted = only(((Estimate(40, 0.5, 0.4, 0.6), 40),), Column("a", "share"), Column("texts", "count"))
    assert [words(cell) for cell in counted.xpath("//td")] == ["50.0 [40.0, 60.0]", "40"]


def test_a_withheld_interval_has_its_reason_below() -> None:
    page = only(((Estimate(12, 0.5, missing=made.WITHHELD),),), Column("a", "share"))
    assert [words(cell) for cell in page.xpath("//td")] == ["50.0 a", "12"]
    assert words(page.find_class("below")[0]).startswith(f"a {made.WITHHELD}")


def test_no_number_is_its_reason_said_once_for_neighbours() -> None:
    missing = Estimate(6, missing=made.FEW)
    page = only(((missing, missing, Estimate(6, 0.5, 0.4, 0.6)),), *(Column(name, "share") for name in "abc"))
    first, second, third = page.xpath("//td")
    assert (words(first), first.get("colspan")) == (made.FEW, "2")
    assert (words(second), words(third)) == ("50.0 [40.0, 60.0]", "6")


@pytest.mark.parametrize("make", REPORTS)
def test_no_cell_is_empty(make: object) -> None:
    page = parsed(make())  # type: ignore[operator]
    assert [cell for cell in page.xpath("//td | //th") if not words(cell)] == []


def test_intervals_are_drawn_beside_their_numbers() -> None:
    columns = (Column("a", "share"),)
    page = only(((Estimate(40, 0.5, 0.3, 1.0),), (Estimate(9, 0.25, missing="too few"),)), *columns, drawn="intervals")
    (whisker,) = page.find_class("whisker")
    assert (whisker.get("x1"), whisker.get("x2")) == ("30.0%", "100.0%")
    assert [dot.get("cx") for dot in page.find_class("dot")] == ["50.0%", "25.0%"]
    assert [dot.get("class") for dot in page.find_class("dot")] == ["dot", "dot open"]
    assert all(svg.get("aria-hidden") == "true" for svg in page.xpath("//svg"))


def test_figures_over_time_and_of_reliability_have_a_text() -> None:
    page = parsed(made.rich())
    said = page.xpath("//svg[@role='img']/@aria-label")
    assert "macro F1 from 2026-03-01 to 2026-03-06; the numbers are in the table above." in said
    assert "right over mean probability; the numbers are in the table above." in said


def test_a_confusion_is_shaded_by_its_part_of_the_row() -> None:
    page = only(((3, 1), (0, 0)), Column("a", "count"), Column("b", "count"), drawn="confusion")
    assert [cell.get("style") for cell in page.xpath("//td")] == [
        "--part:0.75",
        "--part:0.25",
        "--part:0.0",
        "--part:0.0",
    ]


def test_a_table_without_rows_says_so() -> None:
    for drawn in ("", "intervals", "time", "reliability", "confusion"):
        page = only((), Column("a", "share"), Column("b", "share"), drawn=drawn)
        assert words(page.xpath("//td")[0]) == "There is no row to show."


def test_rows_without_a_head_have_a_corner_that_is_no_head() -> None:
    page = only(((0.5,),), Column("a", "share"), head="")
    assert [(cell.tag, words(cell)) for cell in page.xpath("//thead//tr/*")] == [("td", ""), ("th", "a %")]


def test_a_report_without_sections_says_so() -> None:
    assert "There is nothing to report on yet." in words(parsed(made.empty()))
