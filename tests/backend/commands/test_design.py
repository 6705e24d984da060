"""`socialite design`, as the command runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from backend import cli
from backend.commands.design import DesignOrderError
from backend.corpus import servers
from backend.corpus.label_studio_errors import LabelStudioError
from backend.findings.plan import PlanError
from db.errors import ProjectNotFoundError
from tests.backend.learning.coding import Coding


def answer(*words: str) -> str:
    done = CliRunner().invoke(cli.app, ["design", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def found(*words: str) -> dict[str, Any]:
    return dict(json.loads(answer("--json", *words)))


AMPLE = ("--texts", "5000", "--coders", "3", "--hours", "40", "--rare", "0.1")


def test_people_get_a_table_of_three_plans_and_the_next_command() -> None:
    lines = answer(*AMPLE).splitlines()
    assert lines[0].startswith("5,000 texts, 3 coders, 40 hours in all: 7,200 texts coded by one person each.")
    assert lines[2].split() == ["half", "recommended", "double"]
    rows = {line[:24].strip(): line[24:].split("  ") for line in lines[3:19]}
    assert [cell for cell in rows["audit texts"] if cell.strip()][-1].strip() == "1,600"
    assert lines[-1] == "Next: socialite connect ... --audit 800 --control 186 --coders-per-audit-text 3"
    assert sum(line.startswith("- ") for line in lines) == 5
    assert any(line.startswith("Assumed: ") for line in lines)
    assert not any(line.startswith("Note: ") for line in lines)
    assert all(line == line.rstrip() for line in lines)


def test_too_few_hours_are_named_with_what_would_do() -> None:
    said = answer("--texts", "5000", "--coders", "3", "--hours", "5", "--rare", "0.1", "--per-text", "3")
    assert "at least 400 are needed where the rarest label has a share of 0.1" in said
    assert "hours in all would, or 10 hours with 2 coders a text instead of 3" in said


def test_programs_get_the_same_with_reasons() -> None:
    plan = found(*AMPLE)
    assert plan["means"] == {
        "texts": 5000,
        "coders": 3,
        "hours": 40.0,
        "labels": 2,
        "rarest": 0.1,
        "seconds": 20.0,
        "per_text": None,
        "minimum": 400,
    }
    chosen = plan["plans"]["recommended"]
    assert (chosen["audit"], chosen["gate"], chosen["test"], chosen["per_text"]) == (800, 400, 400, 3)
    assert chosen["buys"]["gate"]["better"] == pytest.approx(0.53, abs=0.1)
    assert 0.1 < chosen["buys"]["alpha"]["width"] < 0.16
    assert (plan["placed"], plan["applied"], plan["warnings"]) == (None, None, [])
    assert plan["connect"].startswith("socialite connect ... --audit 800")
    small = found("--texts", "100", "--hours", "5", "--labels", "4")["plans"]["recommended"]["buys"]
    assert small["rarest_f1"] == {"n": 25, "width": None, "missing": "too few: 6 of at least 10 texts"}


def test_equal_questions_get_equal_answers() -> None:
    assert answer(*AMPLE) == answer(*AMPLE)


def test_a_project_says_how_many_texts_and_labels_it_has(posts: Coding) -> None:
    for n in range(30):
        posts.text(f"text number {n}", stream="work", rank=n)
    plan = found("--project", "posts", "--hours", "1")
    assert (plan["means"]["texts"], plan["means"]["labels"]) == (30, 4)
    assert plan["placed"] == {"work": 30}
    assert "with --apply, before the suggestions are pushed" in answer("--project", "posts", "--hours", "1")


def test_an_audit_that_was_drawn_keeps_its_coders(posts: Coding) -> None:
    posts.change(sampling_design={"audit": 100, "control": 0, "coders": 3})
    for n in range(30):
        posts.text(f"text number {n}", stream="audit", rank=n)
    plan = found("--project", "posts", "--coders", "4", "--hours", "2")
    assert plan["plans"]["recommended"]["per_text"] == 3
    assert found("--project", "posts", "--hours", "2", "--per-text", "2")["plans"]["recommended"]["per_text"] == 2


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        ((), DesignOrderError, "Give --texts, or --project"),
        (("--texts", "100", "--apply"), DesignOrderError, "Name it with --project"),
        (("--project", "absent"), ProjectNotFoundError, "There is no project 'absent'"),
        (("--project", "posts"), PlanError, "'posts' has no texts yet"),
        (("--texts", "100", "--rare", "0.7"), PlanError, "Correct --rare or --labels"),
        (("--texts", "100", "--coders", "1", "--per-text", "2"), PlanError, "Correct --per-text or --coders"),
    ],
)
def test_what_does_not_go_together_is_said(
    posts: Coding, words: tuple[str, ...], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        answer(*words)


def test_apply_speaks_to_label_studio_with_the_token_that_was_named(
    posts: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does there is tested in `tests/backend/corpus/test_design.py`."""
    for n in range(30):
        posts.text(f"text number {n}", rank=n)
    given = []

    def client_for(*arguments: Any) -> None:
        given.append(arguments[3])
        raise LabelStudioError("Not today.")

    monkeypatch.setattr(servers, "client_for", client_for)
    monkeypatch.setenv("MY_TOKEN", "abc")
    with pytest.raises(LabelStudioError, match="Not today"):
        answer("--project", "posts", "--hours", "2", "--apply", "--api-key-env", "MY_TOKEN")
    assert given == ["abc"]
