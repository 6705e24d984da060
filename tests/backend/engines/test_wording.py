from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backend.engines import cache, instructions
from backend.engines.instructions import Instructions
from backend.engines.prompts import Ours
from backend.engines.protocol import EngineError
from backend.engines.wording import Authors, labels_of_tasks, remarks, wording
from labelstudio_config import library
from labelstudio_config.codebook import Question

FOUND = Instructions("r1", {"EMOTION": "Which feeling?", "HUMOR": "Is it a joke?"})


def builtin(name: str) -> Question:
    book = library.load(name)
    return book.standalone(book.questions[0])


def test_the_authors_instruction_belongs_to_their_task_with_its_labels() -> None:
    used = Authors(FOUND, verbalised=False)
    emotion, hyperbole = builtin("emotion"), builtin("hyperbole")
    assert used.instruction(emotion) == "Which feeling?"
    assert used.words(emotion) == Ours().words(emotion) == ("anger", "joy", "optimism", "sadness")
    assert used.instruction(hyperbole) == Ours().instruction(hyperbole)
    fewer = replace(emotion, labels=emotion.labels[:3])
    assert used.instruction(fewer) == Ours().instruction(fewer)
    assert [("hyperbole" in said, "codebook's words" in said) for said in remarks(used, [emotion, hyperbole])] == [
        (True, True)
    ]
    assert remarks(Ours(), [hyperbole]) == []


def test_the_digest_says_all_that_decides_the_prompt() -> None:
    digests = {
        Authors(FOUND, verbalised=False).digest,
        Authors(FOUND, verbalised=True).digest,
        Authors(Instructions("r2", FOUND.of), verbalised=False).digest,
        Authors(Instructions("r1", {"EMOTION": "Which?"}), verbalised=False).digest,
        Ours().digest,
    }
    assert len(digests) == 5
    assert Authors(FOUND, verbalised=True).digest == Authors(FOUND, verbalised=True).digest


def test_verbalisers_stay_a_switch_of_their_own() -> None:
    question = replace(builtin("emotion"), verbalisers=(("joy", "sadness"), ("sadness", "joy")))
    assert Authors(FOUND, verbalised=True).words(question) == ("anger", "sadness", "optimism", "joy")
    assert Authors(FOUND, verbalised=False).words(question) == ("anger", "joy", "optimism", "sadness")


def test_the_source_is_chosen_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    assert wording("ours", verbalised=True) == Ours(verbalised=True)
    with pytest.raises(EngineError, match="--instructions ours"):
        wording("authors", verbalised=False)
    kept = {"revision": FOUND.revision, "instructions": dict(FOUND.of)}
    cache.write_json(tmp_path / instructions.FILE, kept)
    assert wording("authors", verbalised=False).digest == Authors(FOUND, verbalised=False).digest


def test_every_task_of_a_codebook_is_known_with_its_labels() -> None:
    assert labels_of_tasks()["EMOTION"] == ("anger", "joy", "optimism", "sadness")
    assert {"HUMOR", "HYPERBOLE", "OFFENSIVE"} <= labels_of_tasks().keys()
