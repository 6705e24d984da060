"""GET /: the status page for a person, JSON for a program, and nothing for who may not see it."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from html.parser import HTMLParser

from sqlalchemy import event, update

from backend.api import directory, people
from db import inbox, jobs, projects
from db.base import now
from db.inbox import ATTEMPTS, Event
from db.models import Job
from tests.backend.api.conftest import BASIC, IDENTITY, PASSWORD, USER, Opener, Site
from tests.payloads import CONFIG, NAME, annotation, created, task

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Page(HTMLParser):
    """The links and the words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value and tag == "a"]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def page(site: Site, path: str = "/") -> Page:
    answer = site.client.get(path, headers=BROWSER)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    return Page(answer.text)


def archive(site: Site, key: str) -> None:
    with site.store.writing() as s:
        projects.archive(s, projects.by_key(s, key).id)


def test_a_person_sees_each_project_and_where_to_read_on(site: Site) -> None:
    site.connect()
    site.connect("other", identity=(8, 1795384072))
    seen = page(site)
    assert "Status of all projects" in seen.text and "tones" in seen.text and "other" in seen.text
    assert {"/projects/tones/report", "/projects/tones/report?format=csv", "http://localhost:8080/projects/7"} <= set(
        seen.links
    )
    assert "script" not in seen.tags


def test_it_needs_nothing_and_nobody_may_keep_or_frame_it(site: Site) -> None:
    answer = site.client.get("/", headers=BROWSER)
    assert answer.headers["content-security-policy"] == people.PAGE["content-security-policy"]
    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("no-store", "accept")
    assert "There is no project yet." in Page(answer.text).text


def test_a_program_gets_what_status_says(site: Site) -> None:
    site.connect()
    for headers in ({"accept": "application/json"}, {"accept": "*/*"}, {}):
        answer = site.client.get("/", headers=headers)
        assert answer.json() == site.client.get("/status").json() and answer.json()["projects"][0]["key"] == "tones"


def test_head_has_no_body(site: Site) -> None:
    answer = site.client.head("/", headers=BROWSER)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/html")


def test_it_is_for_people_only(open_site: Opener) -> None:
    elsewhere = open_site(client="10.0.0.3")
    assert elsewhere.client.get("/", headers=BROWSER).status_code == 403
    site = open_site(client="10.0.0.3", token="people")
    assert site.client.get("/", headers=BROWSER).status_code == 401
    assert site.client.get("/", headers=BROWSER | {"Authorization": "Bearer people"}).status_code == 200
    moved = site.client.get("/?token=people", headers=BROWSER, follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (303, "/")
    assert site.client.get("/", headers=BROWSER).status_code == 200  # by its cookie


def test_label_studio_is_told_at_the_root_that_the_server_is_there(open_site: Opener) -> None:
    site = open_site(client="10.0.0.3", basic_user=USER, basic_password=PASSWORD)
    assert site.client.get("/", headers=BASIC).json()["status"] == "UP"
    assert site.client.get("/").status_code == 403
    site.connect()
    for path in ("/health", "/versions"):
        assert site.client.get(path, headers=BASIC).status_code == 200
    asked = {"tasks": [task(1)], "project": NAME, "label_config": CONFIG}
    assert site.client.post("/setup", json={"project": NAME, "schema": CONFIG}, headers=BASIC).status_code == 200
    assert len(site.client.post("/predict", json=asked, headers=BASIC).json()["results"]) == 1


def test_a_job_that_runs_is_shown_with_its_rate_and_the_page_is_read_anew(site: Site) -> None:
    site.connect()
    assert "refresh" not in site.client.get("/", headers=BROWSER).headers
    with site.store.writing() as s:
        number = jobs.enqueue(s, "push", projects.by_key(s, "tones").id)
        jobs.claim(s, "w")
        jobs.progress(s, number, 500, 2000)
        s.execute(update(Job).where(Job.id == number).values(started_at=now() - timedelta(seconds=50)))
    people_wait()
    answer = site.client.get("/", headers=BROWSER)
    assert answer.headers["refresh"] == "10"
    assert re.search(r"push: 500 of 2,000, (9\.\d|10\.0) a second, (2|3) min left", Page(answer.text).text)
    assert 'value="25.0"' in answer.text
    assert "refresh" not in site.client.get("/?refresh=no", headers=BROWSER).headers


def people_wait(seconds: float = people.FRESH) -> None:
    """Until what was read before is too old, on a busy machine too."""
    time.sleep(seconds + 3)


def test_what_went_wrong_is_told_with_what_to_do(site: Site) -> None:
    site.connect()
    with site.store.writing() as s:
        project = projects.by_key(s, "tones").id
        number = jobs.enqueue(s, "sync", project)
        jobs.claim(s, "w")
        jobs.fail(s, number, "Label Studio <b>refused</b> the token.")
        inbox.append(s, [Event(project, "K", None, {})])
        for _ in range(ATTEMPTS):
            inbox.failed(s, inbox.pending(s, 9)[0].id, "It has no codebook.")
    answer = site.client.get("/", headers=BROWSER)
    seen = Page(answer.text)
    assert "Label Studio <b>refused</b> the token." in seen.text and "<b>refused" not in answer.text
    assert "socialite sync --project tones tries again" in seen.text.replace("  ", " ")
    assert "1 events from Label Studio could not be applied: It has no codebook." in seen.text


def test_archived_projects_are_folded_away(site: Site) -> None:
    site.connect()
    archive(site, "tones")
    seen = page(site)
    assert "There is no project in use yet." in seen.text and "Archived projects (1)" in seen.text
    assert "details" in seen.tags
    assert site.client.get("/", headers={"accept": "application/json"}).json() == {"projects": []}
    assert site.client.get("/status").json() == {"projects": []}
    assert [one["key"] for one in site.client.get("/status?archived=true").json()["projects"]] == ["tones"]


def test_an_archived_project_suggests_nothing_and_keeps_what_is_coded(site: Site) -> None:
    site.connect()
    body = {"tasks": [task(1), task(2)], "project": NAME, "label_config": CONFIG}
    release = site.client.post("/setup", json={"project": NAME, "schema": CONFIG}).json()["model_version"]
    assert all("result" in one for one in site.client.post("/ls/tones/predict", json=body).json()["results"])
    archive(site, "tones")
    people_wait(directory.FRESH)
    for path in ("/ls/tones/predict", "/predict"):
        answer = site.client.post(path, json=body)
        assert (answer.status_code, answer.json()["results"]) == (200, [{}, {}])
    for path in ("/ls/tones/setup", "/setup"):
        answer = site.client.post(path, json={"project": NAME, "schema": CONFIG})
        assert (answer.status_code, answer.json()) == (200, {"model_version": release})
    assert site.client.get("/ls/tones/health").json()["status"] == "UP"
    assert site.client.post("/ls/tones/webhook", json=created(annotation(1, 10))).status_code == 202
    site.work()
    assert [row.error for row in site.inbox()] == [None] and site.inbox()[0].applied_at is not None


def test_twenty_projects_are_read_in_a_fixed_number_of_queries_each(site: Site) -> None:
    """One that slows down with the number of texts would show in the plan; one per text would show here."""
    for n in range(20):
        site.connect(f"p{n}", identity=(IDENTITY[0] + n, IDENTITY[1]))
    asked: list[str] = []
    numbers = people.Numbers(site.store)
    engine = site.store._reader
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert len(numbers()) == 20
    n = len(asked)
    assert n <= 20 * 21
    numbers()
    assert len(asked) == n  # who asks at once is given the same
