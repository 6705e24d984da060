"""The button 'Start Training' of a live Label Studio: what coders said becomes what is suggested."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from backend.engines.encoder import EncoderEngine
from tests.real.coding import Coder, arrived, changed, connected, fresh, kept, posts, predictions
from tests.real.command import Command, serving, until
from tests.real.label_studio import Server

pytestmark = pytest.mark.real
MINUTES = 5  # that a run may take on a busy machine
LEFT = 8  # texts that nobody codes


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("retrain"), label_studio, "encoder") as command:
        yield command


def taste() -> dict[str, str]:
    """Text -> the label for humor of coders who have a taste of their own: it has nothing to do with the codebook, but
    much with what the texts are about.
    """
    texts = posts(150)
    both, _ = EncoderEngine().embedder.embed(texts)
    spread = both - both.mean(axis=0)
    along = spread @ np.linalg.svd(spread, full_matrices=False)[2][0]
    return {text: "humorous" if x > 0 else "non-humorous" for text, x in zip(texts, along, strict=True)}


def assisted(task: dict[str, Any], truth: dict[str, str]) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """Kept where the suggestion is to the coder's taste, else changed."""
    (suggested,) = [x for x in task["predictions"][0]["result"] if x["from_name"] == "humor"]
    right = suggested["value"]["choices"][0] == truth[task["data"]["text"]]
    return (*kept(task), "kept") if right else (*changed(task), "changed")


def blind(task: dict[str, Any], truth: dict[str, str]) -> list[dict[str, Any]]:
    humor, _ = fresh()
    return [humor | {"value": {"choices": [truth[task["data"]["text"]]]}}]


def test_start_training_has_what_coders_said_suggested(socialite: Command, label_studio: Server) -> None:
    """Blind in the audit, and with the suggestions in the assisted project."""
    truth = taste()
    with label_studio.http() as owner, label_studio.http(label_studio.coder("ida@example.org")) as http:
        more = ("--audit", "110", "--coders-per-audit-text", "1")
        project = connected(socialite, "loop", posts(150), *more, questions=("humor",))
        auditor, coder = Coder(http), Coder(http)
        while task := auditor.next(project.audit):
            auditor.submit(task, blind(task, truth), "human")
        for _ in range(40 - LEFT):
            seen = coder.next_suggested(project.assisted)
            assert seen is not None
            result, parent, origin = assisted(seen, truth)
            coder.submit(seen, result, origin, **parent)
        arrived(socialite, project, auditor.given | coder.given)
        before = socialite.status("loop")
        (backend,) = owner.get("/api/ml", params={"project": project.assisted}).json()
        for _ in range(3):  # impatience makes one run, or one and another that waits
            owner.post(f"/api/ml/{backend['id']}/train", json={}).raise_for_status()

        end = time.monotonic() + 60 * MINUTES
        while socialite.status("loop")["last_run"] is None and time.monotonic() < end:
            time.sleep(1)
        status = socialite.status("loop")
        assert (status["last_run"] or {}).get("outcome") == "promote", status["last_run"]
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
