"""Any JSON to any route gives JSON: an answer, or a sentence; never a fault of the server's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backend.api.conftest import Site
from tests.payloads import CONFIG, NAME, annotation, created, deleted, project, task

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from([NAME, "7", CONFIG, "<View/>", 2**63, 2**64, -1, "\x00", "\ud83d", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENTS = [
    created(annotation(1, 10)),
    created(annotation(2, 11), action="ANNOTATION_UPDATED"),
    deleted(1, 2),
    {"action": "ANNOTATIONS_CREATED", "annotation": [annotation(3, 12)], "task": [task(12)], "project": project()},
    {"action": "TASKS_CREATED", "tasks": [task(5), task(6)], "project": project()},
    {"action": "TASKS_DELETED", "tasks": [{"id": 5}], "project": project()},
    {"action": "PROJECT_UPDATED", "project": project()},
    {"action": "START_TRAINING", "project": project()},
]
WELL_FORMED: list[tuple[str, dict[str, Any]]] = [
    ("/setup", {"project": NAME, "schema": CONFIG, "hostname": "http://localhost:8080", "extra_params": None}),
    ("/predict", {"tasks": [task(1), task(2)], "project": NAME, "label_config": CONFIG, "params": {"context": None}}),
    *[("/webhook", event) for event in EVENTS],
]
often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def altered(draw: st.DrawFn, value: Any) -> Any:
    """A well-formed body in which something, at any depth, is something else, or missing."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 5)) == 0:
            return {name: inner for name, inner in value.items() if name != key}
        return value | {key: draw(altered(value[key]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [draw(altered(value[0])), *value[1:]]
    return draw(ODD)


@pytest.fixture
def connected(site: Site) -> Site:
    site.connect()
    return site


def post(site: Site, path: str, body: Any) -> None:
    answer = site.client.post(path, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    said = answer.json()
    assert answer.status_code < 500, (path, said)
    if answer.status_code >= 400:
        assert set(said) == {"error", "what_to_do"}
        assert all(isinstance(sentence, str) and sentence.endswith(".") for sentence in said.values())


@pytest.mark.parametrize("base", ["", "/ls/tones"])
@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
@often
@given(body=ODD)
def test_any_json(connected: Site, base: str, path: str, body: Any) -> None:
    post(connected, base + path, body)


@pytest.mark.parametrize("base", ["", "/ls/tones"])
@pytest.mark.parametrize(("path", "body"), WELL_FORMED)
@often
@given(data=st.data())
def test_almost_what_label_studio_sends(
    connected: Site, base: str, path: str, body: dict[str, Any], data: st.DataObject
) -> None:
    post(connected, base + path, data.draw(altered(body)))
    connected.work()
    assert not [row.error for row in connected.inbox() if row.error and "not foreseen" in row.error]
