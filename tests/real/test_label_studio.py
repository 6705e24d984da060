"""The client against a live Label Studio: both kinds of tokens, and what it says when it is refused."""

from __future__ import annotations

import base64
import json
import time

import pytest

from backend.corpus.label_studio import GoneError, LabelStudio, LabelStudioError, NotReachableError, created_at
from backend.corpus.label_studio_errors import BlockedAddressError
from tests.real.label_studio import Server

pytestmark = pytest.mark.real

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="humor" toName="text" choice="single">'
    '<Choice value="Funny"/><Choice value="Not funny"/></Choices></View>'
)


@pytest.mark.parametrize("kind", ["legacy", "personal"])
def test_both_kinds_of_tokens(label_studio: Server, kind: str) -> None:
    token = label_studio.token if kind == "legacy" else label_studio.personal
    with label_studio.client(token) as client:
        assert client.token_kind == kind
        assert client.whoami()["email"] == "owner@example.org"
        assert client.version().startswith("1.")


def test_a_project_with_tasks_and_suggestions(label_studio: Server) -> None:
    with label_studio.client() as client:
        project = client.create_project(title="Client", label_config=CONFIG, maximum_annotations=2)
        posted = [
            {"data": {"text": f"text {i}"}, "meta": {"socialite": {"source": "a.csv", "id": str(i)}}} for i in range(5)
        ]
        ids = client.import_tasks(project["id"], posted)
        region = {
            "id": "q",
            "from_name": "humor",
            "to_name": "text",
            "type": "choices",
            "value": {"choices": ["Funny"]},
        }
        sent = client.import_predictions(
            project["id"], [{"task": i, "result": [region], "score": 0.5, "model_version": "v1"} for i in ids]
        )
        (total, page), *more = client.tasks(project["id"])
        assert (sent, total, [task["id"] for task in page], more) == (5, 5, ids, [])
        assert [task["predictions"][0]["model_version"] for task in page] == ["v1"] * 5
        assert [task["meta"]["socialite"]["id"] for task in page] == ["0", "1", "2", "3", "4"]
        client.delete_tasks(project["id"], ids[:2])
        assert client.task(ids[0]) is None
        assert [task["id"] for _, page in client.tasks(project["id"], full=False) for task in page] == ids[2:]
        assert created_at(client.project(project["id"])) == created_at(project)
        assert project["id"] in [p["id"] for p in client.projects()]
        client.delete_project(project["id"])
        with pytest.raises(GoneError):
            client.project(project["id"])
        assert client.annotation(123456) is None


def test_refusals_say_what_to_do(label_studio: Server, strict_label_studio: Server) -> None:
    with (
        pytest.raises(LabelStudioError, match="does not accept this legacy token"),
        label_studio.client("0" * 40) as client,
    ):
        client.whoami()
    with (
        pytest.raises(LabelStudioError, match="Organization > Access Token Settings"),
        strict_label_studio.client() as client,
    ):
        client.whoami()
    with strict_label_studio.client(strict_label_studio.personal) as client:
        project = client.create_project(title="Strict", label_config=CONFIG)
        with pytest.raises(BlockedAddressError, match="SSRF_PROTECTION_ENABLED=false and ML_BLOCK_LOCAL_IP=false"):
            client.create_webhook(project["id"], "http://127.0.0.1:9/webhook", {})
        with pytest.raises(BlockedAddressError):
            client.create_backend(project["id"], "http://127.0.0.1:9", "v1", None)
        with pytest.raises(LabelStudioError, match=r"400.*at least 3 characters"):
            client.create_project(title="x", label_config=CONFIG)
    with (
        pytest.raises(NotReachableError, match="does not answer"),
        LabelStudio("http://127.0.0.1:9", "0" * 40) as client,
    ):
        client.version()


def test_a_coder_signs_up(label_studio: Server) -> None:
    token = label_studio.coder("first@example.org")
    with label_studio.client(token) as client:
        assert client.whoami()["email"] == "first@example.org"


@pytest.mark.parametrize("kind", ["legacy", "personal"])
def test_pages_of_either_token_and_an_access_token_that_ends_under_way(
    label_studio: Server, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.corpus.label_studio.PAGE", 2)
    monkeypatch.setattr("backend.corpus.label_studio.LISTED", 2)
    token = label_studio.token if kind == "legacy" else label_studio.personal
    with label_studio.client(token) as client:
        project = client.create_project(title=f"Pages, {kind}", label_config=CONFIG)["id"]
        ids = client.import_tasks(project, [{"data": {"text": f"text {i}"}} for i in range(5)])
        used = []
        for _, page in client.overview(project):
            used.append([task["id"] for task in page])
            _end_access(client, len(used))
        assert used == [ids[:2], ids[2:4], ids[4:]]
        assert [task["id"] for task in client.chosen(project, [ids[0], ids[4], 10**9])] == [ids[0], ids[4]]
        assert client.chosen(project, [ids[3], 10**9], full=False) == [{"id": ids[3]}]
        assert client.chosen(project, [10**9]) == []
        client.delete_project(project)


def _end_access(client: LabelStudio, turn: int) -> None:
    """End the access token of a personal one: by the clock, then as the server does, which no longer knows it."""
    tokens = client._tokens
    if tokens._use_legacy_token:
        return
    ends = int(time.time()) + (-3600 if turn == 1 else 3600)
    parts = [{"alg": "HS256", "typ": "JWT"}, {"exp": ends, "token_type": "access"}]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    foreign = ".".join([*coded, "c2lnbmVkLWJ5LW5vYm9keQ"])
    tokens._access_token = foreign
    assert client.whoami()["email"] == "owner@example.org"
    assert tokens._access_token != foreign
