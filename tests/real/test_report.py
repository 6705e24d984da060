"""The report in a real browser: at 400 and at 1600 pixels, in light and in dark, on paper, and for a screen reader."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from backend.findings.report import Report
from backend.reports.html import html
from tests.backend.reports import made
from tests.real.browser import FLAGS, PATIENCE, chromium

pytestmark = pytest.mark.real

REPORTS: tuple[Callable[[], Report], ...] = (
    made.rich,
    made.thirty,
    made.one_label,
    made.one_coder,
    made.no_data,
    made.empty,
)
SCREENS = [(400, "light"), (400, "dark"), (1000, "light"), (1600, "light"), (1600, "dark")]
# Pairs of neighbours whose boxes meet in more than a pixel, and boxes that stick out of the page.
OVERLAPS = """
const found = [];
const name = (e) => `${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 30)}"`;
const boxes = (parent) => [...parent.children]
  .filter((e) => !['SCRIPT', 'STYLE', 'LINE', 'CIRCLE'].includes(e.tagName.toUpperCase()))
  .map((e) => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width > 0 && r.height > 0);
for (const parent of document.querySelectorAll('body, body *:not(svg)')) {
  const all = boxes(parent);
  for (let i = 0; i < all.length; i++) for (let j = i + 1; j < all.length; j++) {
    const [a, p] = all[i], [b, q] = all[j];
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (wide > 1 && high > 1 && getComputedStyle(a).display !== 'inline' && getComputedStyle(b).display !== 'inline')
      found.push(`${name(a)} | ${name(b)}: ${wide.toFixed(1)} x ${high.toFixed(1)}`);
  }
}
return found;
"""
OUTSIDE = """
const wide = document.documentElement.clientWidth;
const scrolls = (e) => e.parentElement && (e.parentElement.closest('.scroll') !== null);
return [...document.querySelectorAll('body *')].filter((e) => !scrolls(e))
  .filter((e) => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.right > wide + 1 || r.left < -1); })
  .map((e) => `${e.tagName}.${e.className}`);
"""
SPILLED = """
return [...document.querySelectorAll('th, td, dd, p, .title, figcaption, blockquote')]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
  .map((e) => `${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 40)}" ${e.scrollWidth} > ${e.clientWidth}`);
"""


class Reader:
    """One reader before one screen."""

    def __init__(self, folder: Path) -> None:
        browser, driver = chromium()
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.driver.set_script_timeout(PATIENCE)
        self.folder = folder

    def open(self, report: Report, width: int = 1000, scheme: str = "light") -> None:
        self.show(html(report), width, scheme)

    def show(self, page: str, width: int = 1000, scheme: str = "light") -> None:
        file = self.folder / "report.html"
        file.write_text(page, encoding="utf-8")
        scheme_of_page = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme_of_page)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.get(file.as_uri())

    def found(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def logged(self, what: str) -> list[dict[str, Any]]:
        return list(self.driver.get_log(what))  # type: ignore[no-untyped-call]

    def printed(self) -> bytes:
        """The page as a PDF file."""
        made = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
        return base64.b64decode(made["data"])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    one = Reader(tmp_path_factory.mktemp("reader"))
    yield one
    one.driver.quit()


@pytest.mark.parametrize("make", REPORTS)
@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nothing_overlaps_or_sticks_out(reader: Reader, make: Callable[[], Report], width: int, scheme: str) -> None:
    reader.open(make(), width, scheme)
    assert reader.found("return window.innerWidth") == width
    assert reader.found("return document.documentElement.scrollWidth") <= width
    assert reader.found(OUTSIDE) == []
    assert reader.found(OVERLAPS) == []
    assert reader.found(SPILLED) == []


def test_an_overlap_would_be_seen(reader: Reader) -> None:
    reader.open(made.rich(), 400)
    reader.found("document.querySelector('h1').style.marginBottom = '-3rem'")
    assert reader.found(OVERLAPS) != []
    reader.found("document.querySelector('h1').style.width = '900px'")
    assert reader.found(OUTSIDE) != []


@pytest.mark.parametrize("make", REPORTS)
@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1600, "dark")])
def test_axe_finds_nothing_serious(reader: Reader, make: Callable[[], Report], width: int, scheme: str) -> None:
    reader.open(make(), width, scheme)
    reader.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    found = Axe().run(reader.driver)
    assert len(found["passes"]) > 5
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in serious] == []
    unclear = {one["id"] for one in found["incomplete"]} - {"color-contrast"}
    assert unclear == set()


def test_light_and_dark_differ(reader: Reader) -> None:
    paper = "return getComputedStyle(document.documentElement).backgroundColor"
    reader.open(made.rich(), scheme="light")
    light = reader.found(paper)
    reader.open(made.rich(), scheme="dark")
    dark = reader.found(paper)
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (light, dark)]
    assert brightness[0] > 700 and brightness[1] < 120


def test_it_says_nothing_to_the_console_and_asks_the_network_for_nothing(reader: Reader) -> None:
    for what in ("browser", "performance"):
        reader.logged(what)
    reader.open(made.rich())
    assert reader.logged("browser") == []
    events = " ".join(entry["message"] for entry in reader.logged("performance"))
    asked = set(re.findall(r'"method":"Network\.requestWillBeSent".*?"url":"([^"]*)"', events))
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert sum(url.startswith("file") for url in asked) == 1


def test_wide_tables_can_be_scrolled_by_keyboard(reader: Reader) -> None:
    reader.open(made.thirty(), 400)
    wide = "[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth)"
    assert reader.found(f"return {wide}.length") > 0
    assert reader.found(f"return {wide}.every((e) => e.tabIndex === 0 && e.getAttribute('aria-labelledby'))")


def test_row_names_stay_in_sight_when_a_table_is_scrolled(reader: Reader) -> None:
    reader.open(made.thirty(), 400)
    moved = (
        "const box = [...document.querySelectorAll('.scroll')].find((e) => e.scrollWidth > e.clientWidth);"
        "box.scrollLeft = 200; const cell = box.querySelector('tbody th').getBoundingClientRect();"
        "return [box.scrollLeft, cell.left - box.getBoundingClientRect().left]"
    )
    assert reader.found(moved) == [200, 0]


def test_right_to_left_texts_run_from_the_right(reader: Reader) -> None:
    reader.open(made.rich())
    direction = (
        "return getComputedStyle([...document.querySelectorAll('{}')].find((e) => e.textContent === {!r})).direction"
    )
    assert reader.found(direction.format("p.prose", made.ARABIC)) == "rtl"
    assert reader.found(direction.format("tbody th bdi", made.HEBREW)) == "rtl"
    assert reader.found(direction.format("tbody th bdi", "joy")) == "ltr"


@pytest.mark.parametrize("make", REPORTS)
def test_it_can_be_printed(reader: Reader, make: Callable[[], Report]) -> None:
    reader.open(make(), scheme="dark")
    file = reader.printed()
    assert file.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type\s*/Page\b", file))
    assert pages > 0
    parts = re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", file, re.S)
    streams = [zlib.decompressobj().decompress(part) for part in parts]
    assert sum(len(re.findall(rb"\bT[jJ]\b", stream)) for stream in streams) >= pages  # texts are drawn as texts


def test_table_heads_are_repeated_on_paper_and_rows_are_whole(reader: Reader) -> None:
    reader.open(made.thirty())
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    of = "return getComputedStyle(document.querySelector('{}')).{}"
    assert reader.found(of.format("thead", "display")) == "table-header-group"
    assert reader.found(of.format("tbody tr", "breakInside")) == "avoid"
    assert reader.found(of.format(".scroll", "overflowX")) == "visible"
    assert reader.found(of.format("html", "backgroundColor")) == "rgb(255, 255, 255)"
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
