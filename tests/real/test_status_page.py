"""The status page in a real browser: narrow and wide, light and dark, on paper, and for a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from axe_core_python.selenium import Axe

from backend.reports.board import board
from db.counts import ProjectStatus
from db.summaries import Place
from db.work import Ended, Refused, Task, Work
from tests.real.test_report import OUTSIDE, OVERLAPS, SCREENS, SPILLED, Reader

pytestmark = pytest.mark.real

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = "Unterstützungsleistungsempfängerinnen" * 3
SITES = (
    Place("http://label-studio.example:8080", 7, "assisted"),
    Place("http://label-studio.example:8080", 8, "audit"),
)
RUNNING = Work(
    now=(
        Task("push", "running", 1500, 10_000, AT - timedelta(minutes=1), 25.0, 340.0),
        Task("sync", "queued", 0, None, None, None, None),
    ),
    last_sync=Ended("sync", AT, "Repaired: 12 answers recorded, 3 new tasks, 0 deleted tasks."),
    failed=(Ended("retrain", AT, f"The process that tuned ended with code 9 at {LONG}."),),
    refused=(Refused(1200, "The project has no codebook yet: open it in Label Studio once."),),
)
BUSY = ProjectStatus(
    key="moods-2026",
    title="Moods in posts, a title that is rather long, as those of studies are " * 2,
    phase="production",
    texts={"audit": 500, "control": 200, "work": 9_300},
    coded={"audit": 500, "control": 20, "work": 123},
    answers={"human": 1000, "kept": 200},
    coders=4,
    release="encoder-0123456789",
    release_since=AT,
    pushed=9_300,
    last_event_at=AT,
    places=SITES,
    work=RUNNING,
    training={"run": 3, "stage": "emotion: LoRA", "done": 12, "steps": 40, "seconds_left": 130.0, "broken_off": False},
    last_run={"run": 2, "state": "done", "finished_at": None, "outcome": "keep", "sentence": "It is not better."},
)
NEW = ProjectStatus(key="new", title="مشروع جديد", phase="training")
WORD = ProjectStatus(key="k" * 60, title=LONG, phase="pilot", texts={"unplaced": 3}, places=SITES)
AWAY = ProjectStatus(key="old", title="Old", phase="production", texts={"work": 1}, archived_at=AT)
PAGES = ([], [NEW], [BUSY, NEW, WORD, AWAY], [AWAY])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    one = Reader(tmp_path_factory.mktemp("reader"))
    yield one
    one.driver.quit()


def show(reader: Reader, found: list[ProjectStatus], width: int, scheme: str) -> None:
    """The page before a reader, with what is folded away unfolded."""
    reader.show(board(found, AT, again=10), width, scheme)
    reader.found("for (const e of document.querySelectorAll('details')) e.open = true")


@pytest.mark.parametrize("found", PAGES)
@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nothing_overlaps_or_sticks_out(reader: Reader, found: list[ProjectStatus], width: int, scheme: str) -> None:
    show(reader, found, width, scheme)
    assert reader.found("return document.documentElement.scrollWidth") <= width
    assert reader.found(OUTSIDE) == []
    assert reader.found(OVERLAPS) == []
    assert reader.found(SPILLED) == []


@pytest.mark.parametrize("found", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1600, "dark")])
def test_axe_finds_nothing_serious(reader: Reader, found: list[ProjectStatus], width: int, scheme: str) -> None:
    show(reader, found, width, scheme)
    reader.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    told = Axe().run(reader.driver)
    assert len(told["passes"]) > 5
    serious = [one for one in told["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in serious] == []
    assert {one["id"] for one in told["incomplete"]} - {"color-contrast"} == set()


def test_it_asks_the_network_for_nothing_and_runs_no_script(reader: Reader) -> None:
    for what in ("browser", "performance"):
        reader.logged(what)
    reader.show(board([BUSY], AT, again=None))
    assert reader.logged("browser") == []
    assert reader.found("return document.scripts.length") == 0
    asked = [one["message"] for one in reader.logged("performance") if "requestWillBeSent" in one["message"]]
    assert asked and not any('"url":"http' in message for message in asked)


def test_archived_projects_are_folded_away_until_asked_for(reader: Reader) -> None:
    reader.show(board([BUSY, AWAY], AT, again=None))
    shown = "return [...document.querySelectorAll('h2')].map((e) => e.checkVisibility())"
    assert reader.found(shown) == [True, False]
    reader.found("document.querySelector('summary').click()")
    assert reader.found(shown) == [True, True]


def test_it_can_be_printed(reader: Reader) -> None:
    reader.show(board([BUSY, NEW], AT, again=None), scheme="dark")
    assert reader.printed().startswith(b"%PDF-")
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert reader.found("return getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
