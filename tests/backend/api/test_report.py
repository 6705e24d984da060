"""The report over HTTP: in which formats, to whom, and what is said where there is none."""

from __future__ import annotations

import csv
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backend.api import people
from backend.findings.facts import FindingsError
from backend.findings.report import Report
from tests.backend.api.conftest import Opener, Site
from tests.backend.reports import made

REPORT = "/projects/tones/report"


@pytest.fixture
def rich(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Every report is the one made by hand; what was asked for."""
    asked: list[tuple[Any, ...]] = []

    def build(_: Any, *wanted: Any) -> Report:
        asked.append(wanted)
        return made.rich()

    monkeypatch.setattr(people, "build", build)
    return asked


@pytest.mark.parametrize(
    ("query", "accept", "media"),
    [
        ("", "*/*", "text/html"),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("", "application/json", "application/json"),
        ("", "text/markdown", "text/markdown"),
        ("", "text/csv", "text/csv"),
        ("?format=csv", "text/html", "text/csv"),
        ("?format=md", "*/*", "text/markdown"),
        ("?format=json", "*/*", "application/json"),
        ("?format=html", "application/json", "text/html"),
    ],
)
def test_it_comes_in_the_format_that_is_asked_for(
    site: Site, rich: object, query: str, accept: str, media: str
) -> None:
    site.connect()
    answer = site.client.get(REPORT + query, headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media)
    assert "vary" in answer.headers and answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    )


def test_each_format_holds_the_report(site: Site, rich: object) -> None:
    told = {name: site.client.get(REPORT, params={"format": name}) for name in ("html", "json", "md", "csv")}
    assert "<h1" in told["html"].text and "<script" not in told["html"].text
    assert told["json"].json()["title"] == "Report of posts"
    assert told["md"].text.startswith("## Report of posts")
    assert len(list(csv.DictReader(io.StringIO(told["csv"].text, newline="")))) > 100


def test_phase_and_columns_are_passed_on(site: Site, rich: list[tuple[Any, ...]]) -> None:
    site.client.get(REPORT, params={"phase": "pilot", "by": ["year", "source"]})
    site.client.get(REPORT)
    assert rich == [("tones", "pilot", ["year", "source"]), ("tones", "production", [])]


def test_a_project_that_was_just_connected_has_a_report(site: Site) -> None:
    site.connect()
    answer = site.client.get(REPORT)
    assert answer.status_code == 200 and "<h1" in answer.text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/projects/none/report", 404, "There is no project of this key."),
        (f"{REPORT}?phase=trial", 404, "There is no phase 'trial'. The phases are: training, pilot, production."),
        (f"{REPORT}?format=docx", 400, "A report has no such format."),
    ],
)
def test_what_is_not_there_is_a_sentence(site: Site, path: str, status: int, said: str) -> None:
    site.connect()
    answer = site.client.get(path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "what_to_do"} and answer.json()["error"] == said


def test_a_column_that_is_not_there_is_a_sentence(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: Any) -> Report:
        raise FindingsError("The corpus has no column 'yaer'. Its columns are: year.")

    monkeypatch.setattr(people, "build", build)
    answer = site.client.get(f"{REPORT}?by=yaer")
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "The corpus has no column 'yaer'. Its columns are: year.",
    )


def test_it_is_for_people_only(open_site: Opener, rich: object) -> None:
    assert open_site(client="10.0.0.3").client.get(REPORT).status_code == 403
    site = open_site(client="10.0.0.3", token="people")
    assert site.client.get(REPORT).status_code == 401
    assert site.client.get(REPORT, headers={"Authorization": "Bearer people"}).status_code == 200
    moved = site.client.get(f"{REPORT}?token=people&by=a&by=b", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (303, f"{REPORT}?by=a&by=b")
    assert site.client.get(REPORT).status_code == 200  # by its cookie


def test_one_is_made_at_a_time_and_others_are_answered_meanwhile(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.connect()
    begun, go, at_once = threading.Semaphore(0), threading.Event(), []
    running = threading.Semaphore(1)

    def build(*_: Any) -> Report:
        at_once.append(running.acquire(blocking=False))
        begun.release()
        go.wait(30)
        running.release()
        return made.no_data()

    monkeypatch.setattr(people, "build", build)
    with ThreadPoolExecutor(8) as askers:
        asked = [askers.submit(lambda: site.client.get(REPORT).status_code) for _ in range(7)]
        assert begun.acquire(timeout=30)
        assert site.client.get("/health").status_code == 200
        while sum(one.done() for one in asked) < 7 - 1 - people.WAITING:
            assert site.client.get("/status").status_code == 200
        go.set()
        codes = sorted(one.result(30) for one in asked)
    assert codes == [200] * (1 + people.WAITING) + [503] * (6 - people.WAITING)
    assert at_once == [True] * (1 + people.WAITING)
