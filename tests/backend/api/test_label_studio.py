"""What Label Studio asks and is answered, with the shapes that a request may have."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from db import texts
from db.models import Exposure, LsProject, LsServer, LsTask, Project, TextBody
from tests.backend.api.conftest import Opener, Site
from tests.payloads import CONFIG, NAME, PROJECT, TOKEN, project, task

SCHEMA = {"project": NAME, "schema": CONFIG, "hostname": "http://127.0.0.1:8085", "access_token": TOKEN}


def setup(site: Site, base: str = "", **more: Any) -> str:
    answer = site.client.post(f"{base}/setup", json={**SCHEMA, "extra_params": None, **more})
    assert answer.status_code == 200, answer.text
    version = answer.json()["model_version"]
    assert isinstance(version, str) and version
    return version


def predict(site: Site, tasks: Any, base: str = "", **more: Any) -> list[dict[str, Any]]:
    asked = {
        "tasks": tasks,
        "project": NAME,
        "label_config": CONFIG,
        "params": {"login": None, "context": None},
        **more,
    }
    answer = site.client.post(f"{base}/predict", json=asked)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert len(results) == len(tasks)
    return results


@pytest.mark.parametrize("base", ["", "/ls/tones"])
def test_one_version_everywhere(site: Site, base: str) -> None:
    site.connect()
    version = setup(site, base)
    assert setup(site, base) == version
    [result] = predict(site, [task(1)], base)
    assert result["model_version"] == version
    assert site.client.get(f"{base}/versions").json() == {"versions": [version]}
    assert setup(site, base) == version


def test_a_result_has_what_label_studio_needs(site: Site) -> None:
    site.connect()
    [result] = predict(site, [task(1, "How kind of you, Kind person.")])
    assert set(result) == {"result", "score", "model_version"}
    assert isinstance(result["score"], float) and 0 <= result["score"] <= 1
    regions = {region["from_name"]: region for region in result["result"]}
    assert regions["tone"]["value"] == {"choices": ["Kind"]}
    assert regions["tone"]["to_name"] == "text" and regions["tone"]["type"] == "choices"


def test_a_changed_screen_is_a_new_version_on_both_calls(site: Site) -> None:
    site.connect()
    before = setup(site)
    changed = CONFIG.replace("Harsh", "Rude")
    after = setup(site, schema=changed)
    assert after != before
    [result] = predict(site, [task(1)], label_config=changed)
    assert result["model_version"] == after
    assert setup(site) == before  # it was changed back
    assert site.client.get("/versions").json() == {"versions": [after, before]}


def test_health_comes_from_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.connect()
    assert site.client.get("/ls/tones/health").status_code == 200

    def fail(*_: object) -> None:
        raise AssertionError("the store was asked")

    monkeypatch.setattr("db.store.Store.reading", fail)
    for path in ("/health", "/ls/tones/health", "/ls/tones"):
        answer = site.client.get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] == "UP"


@pytest.mark.parametrize("path", ["/health", "", "/versions", "/setup", "/predict", "/webhook"])
def test_an_unknown_key_is_a_sentence(site: Site, path: str) -> None:
    method = "POST" if path in ("/setup", "/predict", "/webhook") else "GET"
    answer = site.client.request(method, f"/ls/none{path}", json={} if method == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["error"] == "There is no project of the key in this address."


def test_a_project_connected_meanwhile_is_known(site: Site) -> None:
    assert site.client.get("/ls/tones/health").status_code == 404
    site.connect()
    assert site.client.get("/ls/tones/health").status_code == 200


def test_a_connection_made_by_hand_is_taken_in_at_the_root(site: Site) -> None:
    version = setup(site)
    with site.store.reading() as s:
        made = s.scalars(select(Project)).one()
        ls_project = s.scalars(select(LsProject)).one()
        assert s.scalars(select(LsServer.url)).one() == "http://localhost:8085"
    assert (made.key, made.sampling_design) == ("ls-7-1795384072", {"audit": 0, "control": 0, "coders": 1})
    assert (ls_project.ls_id, ls_project.ls_created, ls_project.role) == (PROJECT, 1795384072, "assisted")
    assert setup(site, "/ls/ls-7-1795384072") == version
    assert predict(site, [task(1)])[0]["model_version"] == version
    setup(site, project="7.1795999999")  # the same id after a reset of Label Studio: another project
    with site.store.reading() as s:
        assert s.scalars(select(func.count(Project.id))).one() == 2


def test_a_connection_made_by_hand_under_a_key_belongs_to_it(site: Site) -> None:
    site.connect()
    setup(site, "/ls/tones", project="9.1795384099")
    with site.store.reading() as s:
        assert s.execute(select(LsProject.ls_id, LsProject.project_id)).all() == [(7, 1), (9, 1)]
        assert s.scalars(select(func.count(Project.id))).one() == 1


def test_a_screen_that_cannot_be_read_does_not_stop_the_connection(site: Site) -> None:
    assert setup(site, schema="<View></View>") == "no-codebook"
    assert predict(site, [task(1)], label_config="<View></View>") == [{}]
    assert setup(site).startswith("keyword-")  # it has questions now


@pytest.mark.parametrize("extra", [None, {"temperature": 0}, ["a", 1], "text", 5, True])
def test_extra_parameters_may_be_any_json(site: Site, extra: Any) -> None:
    assert setup(site, extra_params=extra)


@pytest.mark.parametrize(
    "params", [None, {}, [], "x", 5, {"context": None}, {"context": {"result": []}}, {"context": "x"}, {"login": "l"}]
)
def test_parameters_may_be_anything(site: Site, params: Any) -> None:
    site.connect()
    [result] = predict(site, [task(1)], params=params)
    assert result["result"]


def test_odd_tasks_are_left_out_and_fail_no_other(site: Site) -> None:
    site.connect()
    odd = [None, 5, "x", [], {}, {"id": 2}, {"id": 3, "data": None}, {"id": 4, "data": {"other": "x"}}]
    odd += [{"id": 5, "data": {"text": None}}, {"id": 6, "data": {"text": ["a"]}}, {"id": 7, "data": {"text": "  "}}]
    results = predict(site, [task(1), *odd, task(8)])
    assert results[1:-1] == [{}] * len(odd)
    assert results[0]["result"] and results[-1]["result"]


@pytest.mark.parametrize("data", [{"$undefined$": "A Kind text."}, {"text": 1999}, {"text": 1.5}])
def test_texts_under_no_name_and_numbers_are_read(site: Site, data: dict[str, Any]) -> None:
    site.connect()
    [result] = predict(site, [{"id": 1, "data": data}])
    assert result["result"]


def test_a_task_without_an_id_and_a_request_without_a_project(site: Site) -> None:
    site.connect()
    unnamed = {"data": {"text": "Some text."}}
    assert predict(site, [unnamed])[0]["result"]
    assert predict(site, [unnamed, task(1)], "/ls/tones", project=None)[0]["result"]
    assert predict(site, [unnamed], project=None) == [{}]
    assert predict(site, []) == []


def test_half_a_character_and_nan_are_read(site: Site) -> None:
    site.connect()
    body = f'{{"tasks": [{{"id": 1, "data": {{"text": "half \\ud83d", "n": NaN}}}}], "project": "{NAME}"}}'
    answer = site.client.post("/predict", content=body.encode())
    assert answer.status_code == 200
    assert answer.json()["results"][0]["result"]


def test_what_others_answered_is_not_looked_at(site: Site) -> None:
    site.connect()
    plain = predict(site, [task(1)])
    told = task(
        1, annotations=[{"result": [{"from_name": "tone", "value": {"choices": ["Harsh"]}}]}], predictions=[{"a": 1}]
    )
    assert predict(site, [told]) == plain


def test_an_interactive_request_is_noted_as_one(site: Site) -> None:
    site.connect()
    predict(site, [task(1)])
    predict(site, [task(1, drafts=[], allow_skip=True)])
    predict(site, [task(1)], params={"context": {"event": "x"}})
    with site.store.reading() as s:
        assert s.scalars(select(Exposure.channel).order_by(Exposure.id)).all() == [
            "predict",
            "interactive",
            "interactive",
        ]


def test_audit_texts_get_no_suggestion_by_any_way(site: Site) -> None:
    assisted = site.connect()
    site.connect(role="audit", identity=(8, 1795384072))
    with site.store.writing() as s:
        ls_project = s.get_one(LsProject, assisted)
        [(_, text)] = texts.remember_tasks(s, ls_project, [texts.TaskRow(50, "1/50", ("A secret text.",))])
        texts.place(s, [texts.PlacementRow(text, None, None, "audit", "test")])
    interactive = {"login": None, "context": {"result": []}}
    for asked in (
        task(50, "A secret text."),
        {"data": {"text": "A secret text."}},
        task(51, "A secret text.", drafts=[]),
    ):
        for params in (None, interactive):
            assert predict(site, [asked], params=params) == [{}]
            assert predict(site, [asked], "/ls/tones", params=params, project=None) == [{}]
    assert predict(site, [task(90, "Another text.")], project="8.1795384072") == [{}]
    with site.store.reading() as s:
        assert s.scalars(select(func.count(Exposure.id))).one() == 0


@pytest.mark.parametrize("role", ["audit", "adjudication"])
def test_the_screen_of_a_project_that_is_coded_blind_does_not_become_the_codebook(site: Site, role: str) -> None:
    site.connect()
    site.connect(role=role, identity=(8, 1795384072))
    version = setup(site)
    assert setup(site, project="8.1795384072", schema=CONFIG.replace("Harsh", "Rude")) == version
    assert predict(site, [task(90, "Another text.")], project="8.1795384072") == [{}]


def test_fifteen_hundred_tasks_at_once(site: Site) -> None:
    """Retrieve Predictions sends all selected tasks in one request."""
    site.connect()
    version = setup(site)
    results = predict(site, [task(n) for n in range(1, 1501)])
    assert {result["model_version"] for result in results} == {version}
    with site.store.reading() as s:
        assert s.scalars(select(func.count(LsTask.id))).one() == 1500
        assert s.scalars(select(func.count(TextBody.text_id))).one() == 1500


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
@pytest.mark.parametrize("content", [b"", b"{", b"nonsense", b"\xff\xfe", b"[" * 100_000, b'"\xc3"', b"1" * 5000])
def test_what_is_not_json_is_said(site: Site, path: str, content: bytes) -> None:
    answer = site.client.post(path, content=content)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "what_to_do"}


def test_a_store_that_fails_is_a_sentence(open_site: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    site = open_site()
    site.connect()
    assert site.client.get("/versions").status_code == 200

    def fail(*_: object) -> None:
        raise OSError(f"no room for {TOKEN}")

    monkeypatch.setattr("db.store.Store.inbox", fail)
    monkeypatch.setattr("db.releases.names", fail)
    answer = site.client.post("/webhook", json={"action": "START_TRAINING", "project": project()})
    assert answer.status_code == 503
    assert answer.json()["error"] == "The event could not be stored."
    answer = site.client.get("/versions")
    assert answer.status_code == 500
    assert TOKEN not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/predict", 405), ("POST", "/", 405), ("GET", "/docs", 404)]
)
def test_addresses_that_are_not_there(site: Site, method: str, path: str, status: int) -> None:
    answer = site.client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "what_to_do"}
