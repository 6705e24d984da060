"""Sync against a live Label Studio: the proof in small, and webhooks that are taken apart and put together again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import httpx
import pytest

from backend.corpus import wiring
from db import jobs, projects
from scripts import environment, proof_sync
from tests.real.coding import connected, posts
from tests.real.command import Command, serving
from tests.real.label_studio import Server

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("sync"), label_studio) as command:
        yield command


def sync(socialite: Command, key: str) -> dict[str, object]:
    return dict(json.loads(socialite.run("sync", "--project", key, "--json")))


def test_the_proof_in_small(label_studio: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.command_of(environment.label_studio(), "label-studio").exists() or os.environ.get("CI")
    assert proof_sync.main(["--quick", "--json", "--seed", "1"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["differences"], report["table_differences"]) == (0, 0)
    assert (report["backend_kills"], report["label_studio_restarts"]) == (2, 2)
    assert report["done"]["answers"] >= 100
    assert report["repairs"]["answers"] > 0
    assert report["events"]["dropped"] > 0
    assert report["events"]["doubled"] > 0


def test_webhooks_and_what_is_shown(socialite: Command, owner: httpx.Client, label_studio: Server) -> None:
    project = connected(socialite, "mended", posts(12), "--audit", "4", "--control", "2")
    assert sync(socialite, "mended")["sentence"] == "Nothing was missing."
    with socialite.store.reading() as s:
        last = jobs.last(s, "sync", project.id)
    assert last is not None
    assert (last.state, last.message) == ("done", "Nothing was missing.")
    assert last.finished_at is not None
    with label_studio.client() as client:
        (mine,), (blind,) = client.webhooks(project.assisted), client.webhooks(project.audit)
        client.patch_webhook(mine["id"], headers={}, send_payload=False)
        client.delete_webhook(blind["id"])
        client.create_webhook(project.assisted, mine["url"], {})
        theirs = client.create_webhook(project.assisted, "http://127.0.0.1:9/theirs", {})
        release = client.project(project.assisted)["model_version"]
        client.patch_project(project.assisted, model_version="")
        found = sync(socialite, "mended")
        assert [found[name] for name in ("made", "mended", "doubled", "left", "shown")] == [1, 1, 1, 0, 1]
        hooks = client.webhooks(project.assisted)
        assert sorted(hook["url"] for hook in hooks) == sorted([mine["url"], theirs["url"]])
        assert client.project(project.assisted)["model_version"] == release
        with socialite.store.reading() as s:
            rows = {row.ls_id: row for row in projects.ls_projects(s, project.id)}
        for number, row in rows.items():
            assert any(wiring.fits(hook, row.secret_hash) for hook in client.webhooks(number))
        (backend,) = client.backends(project.assisted)
        client.delete_backend(backend["id"])
        assert len(client.webhooks(project.assisted)) == 2, "Label Studio leaves it behind"
        for left in (1, 0):
            assert sync(socialite, "mended")["left"] == left
        assert [hook["url"] for hook in client.webhooks(project.assisted)] == [theirs["url"]]
        socialite.run("connect", "--project", "mended", "--backend", socialite.url, "--audit", "4", "--control", "2")
        assert sync(socialite, "mended")["sentence"] == "Nothing was missing."
        assert len(client.webhooks(project.assisted)) == 2
