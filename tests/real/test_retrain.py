"""The button 'Start Training' of a live Label Studio: what coders said becomes what is suggested."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.engines.encoder import EncoderEngine
from labelstudio_config.library import load
from tests.real.coding import OTHER, Coder, arrived, changed, connected, fresh, posts, predictions
from tests.real.command import Command, serving, until
from tests.real.label_studio import Server

pytestmark = pytest.mark.real
MINUTES = 5  # that a run may take on a busy machine
LEFT = 8  # texts that nobody codes


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("retrain"), label_studio, "encoder") as command:
        yield command


def opposite() -> dict[str, str]:
    """Text -> the label for humor that the model does not give without any training."""
    question = load("humor").questions[0]
    texts = posts(150)
    scores = EncoderEngine().score(question, [(text,) for text in texts]).log_probabilities
    return {text: OTHER[question.labels[k].code] for text, k in zip(texts, scores.argmax(axis=1), strict=True)}


def blind(task: dict[str, Any], truth: dict[str, str]) -> list[dict[str, Any]]:
    humor, offensive = fresh()
    return [humor | {"value": {"choices": [truth[task["data"]["text"]]]}}, offensive]


def test_start_training_has_what_coders_said_suggested(socialite: Command, label_studio: Server) -> None:
    """Coders who see the opposite of what the codebook's words suggest: blind in the audit, and against suggestions."""
    truth = opposite()
    with label_studio.http() as owner, label_studio.http(label_studio.coder("ida@example.org")) as http:
        more = ("--audit", "110", "--coders-per-audit-text", "1")
        project = connected(socialite, "loop", posts(150), *more)
        auditor, coder = Coder(http), Coder(http)
        while task := auditor.next(project.audit):
            auditor.submit(task, blind(task, truth), "human")
        for _ in range(40 - LEFT):
            seen = coder.next_suggested(project.assisted)
            assert seen is not None
            result, parent = changed(seen)
            coder.submit(seen, result, "changed", **parent)
        arrived(socialite, project, auditor.given | coder.given)
        before = socialite.status("loop")
        (backend,) = owner.get("/api/ml", params={"project": project.assisted}).json()
        for _ in range(3):  # impatience makes one run, or one and another that waits
            owner.post(f"/api/ml/{backend['id']}/train", json={}).raise_for_status()

        end = time.monotonic() + 60 * MINUTES
        while socialite.status("loop")["last_run"] is None and time.monotonic() < end:
            time.sleep(1)
        status = socialite.status("loop")
        assert status["last_run"] is not None and status["last_run"]["outcome"] == "promote", status
        assert status["release"] != before["release"]
        _check_in_step(socialite, owner, project.assisted)
        _check_pushed(
            owner, project.assisted, {task["id"] for task in coder.served}, socialite.status("loop")["release"]
        )
        assert not any(predictions(owner, project.audit).values())
        assert "active" in socialite.run("adapters", "list", "--project", "loop")
        assert "promote" in socialite.run("card", "--project", "loop").lower()


def _check_in_step(socialite: Command, owner: httpx.Client, project: int) -> None:
    """Title, version and what was pushed, soon after the promotion."""

    def in_step() -> bool:
        status, there = socialite.status("loop"), owner.get(f"/api/projects/{project}").json()
        (backend,) = owner.get("/api/ml", params={"project": project}).json()
        return status["pushed"] >= LEFT and there["model_version"] == backend["title"] == status["release"]

    assert until(in_step)


def _check_pushed(owner: httpx.Client, project: int, coded: set[int], release: str) -> None:
    """The texts that are left have the new suggestion, and those that are coded need none."""
    held = predictions(owner, project)
    assert len(held) == 40 and len(coded) == 40 - LEFT
    for task, there in held.items():
        assert (release in {one["model_version"] for one in there}) == (task not in coded)
