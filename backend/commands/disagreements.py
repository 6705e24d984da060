"""`socialite disagreements`: what coders disagree on or skipped, and the project in Label Studio that decides it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import bars, say
from backend.corpus.tables.writing import check_output, new_table

if TYPE_CHECKING:
    from backend.corpus.adjudicate import Adjudication
    from backend.findings.disputes import Dispute
    from backend.settings import Settings
    from db.models import Project
    from db.store import Store
    from labelstudio_config.codebook import Codebook

COLUMNS = ("source", "id", "question", "stream", "reason", "waits")
SUSPECTS = ("source", "id", "question", "accepted", "p", "instead", "p_instead", "unseen")
STREAMS = {"audit": "audit, coded blind", "assisted": "assisted, by two coders or more"}


class DisagreementsError(Exception):
    """The disagreements of a project cannot be listed or pushed."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command, as typed."""

    key: str
    question: str | None
    push: bool
    api_key_env: str
    errors: bool
    as_json: bool
    output: Path | None
    overwrite: bool


def run(wishes: Wishes) -> None:
    """List what there is on standard output, or in the file named; with `push`, make the tasks first."""
    from db import projects
    from db.store import open_store

    if wishes.errors and wishes.push:
        raise DisagreementsError(
            "Likely label errors are a list for a person, and are not adjudicated. Give --errors or --push, not both."
        )
    if wishes.output is not None:
        check_output(wishes.output, overwrite=wishes.overwrite)
    in_force = settings.load()
    store = open_store(in_force.database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, wishes.key)
        book, xml = _codebook(store, project, wishes.question)
        if wishes.errors:
            _errors(store, project, wishes)
            return
        done = _pushed(store, in_force, project, book, xml, wishes) if wishes.push else None
        _list(_disputes(store, project, book, wishes.question), done, book, wishes)
    finally:
        store.close()


def _codebook(store: Store, project: Project, question: str | None) -> tuple[Codebook, str]:
    """The current codebook and its labelling configuration; DisagreementsError where the question is none of it."""
    from db import revisions

    with store.reading() as s:
        revision = revisions.current(s, project.id)
        if revision is None:
            raise DisagreementsError(
                f"'{project.key}' has no codebook yet. `socialite connect --project {project.key}` gives it one."
            )
        book = revisions.codebook(revision)
    known = [one.id for one in book.questions]
    if question is not None and question not in known:
        raise DisagreementsError(f"'{project.key}' has no question '{question}'. It has: {', '.join(known)}.")
    return book, revision.xml


def _disputes(store: Store, project: Project, book: Codebook, question: str | None) -> list[Dispute]:
    from backend.findings.disputes import disputes

    with store.reading() as s:
        return [one for one in disputes(s, project, book) if question in (None, one.question)]


def _pushed(
    store: Store, in_force: Settings, project: Project, book: Codebook, xml: str, wishes: Wishes
) -> Adjudication:
    """The tasks made of what is open now."""
    from backend.corpus import adjudicate
    from backend.corpus.servers import client_for
    from backend.corpus.site import Plan, Site
    from backend.findings.disputes import streams

    found = streams(_disputes(store, project, book, wishes.question))
    token = os.environ.get(wishes.api_key_env) or None
    with client_for(store, in_force, project.id, token) as client, bars() as bar:
        backend = adjudicate.address(client, store, project)
        plan = Plan(project.key, project.title, backend, None, audit=0, control=0)
        done = adjudicate.push(Site(store, client, plan, say, bar), project, book, xml, found)
        url = client.url
    if done.ls_id is None:
        say("Nothing is open, so there is no project for it.")
        return done
    say(f"{done.new:,} texts are new in the adjudication project: {url}/projects/{done.ls_id}/data")
    if done.erased:
        say(f"{done.erased:,} texts were erased, and cannot be shown.")
    say(
        "Let somebody decide who coded none of these texts, from the Label button: in the other projects everybody "
        "sees who said what. What is decided there is the accepted value; the coders' answers stay as they are."
    )
    return done


def _list(found: Sequence[Dispute], done: Adjudication | None, book: Codebook, wishes: Wishes) -> None:
    from backend.findings.disputes import counted

    counts = counted(found)
    rows = [(d.source, d.external_id, d.question, d.stream, d.reason, "yes" if d.waits else "no") for d in found]
    if wishes.output is not None:
        _write(wishes.output, COLUMNS, rows, wishes.overwrite)
    asked = [q.id for q in book.questions if wishes.question in (None, q.id)]
    if wishes.as_json:
        plain: dict[str, Any] = {
            "project": wishes.key,
            "questions": {q: {stream: dict(counts.get((q, stream), {})) for stream in STREAMS} for q in asked},
            "texts": [dict(zip(COLUMNS, row, strict=True)) | {"waits": row[-1] == "yes"} for row in rows],
        }
        if done is not None:
            plain["pushed"] = {"ls_project": done.ls_id, "new": done.new, "erased": done.erased}
        print(json.dumps(plain, ensure_ascii=False))  # noqa: T201
        return
    for question in asked:
        print(question)  # noqa: T201
        for stream, words in STREAMS.items():
            reasons = dict(counts.get((question, stream), {}))
            total = sum(reasons.values())
            why = ": " + ", ".join(f"{reason} {n:,}" for reason, n in sorted(reasons.items())) if reasons else ""
            print(f"  {words}: {total:,} texts without an accepted value{why}")  # noqa: T201
    if wishes.output is None and rows:
        _table(COLUMNS, rows)


def _errors(store: Store, project: Project, wishes: Wishes) -> None:
    """What a model finds unlikely, for a person to look at again."""
    from backend.findings.facts import facts
    from backend.findings.suspects import compared
    from db import texts

    with store.reading() as s:
        found = [one for one in compared(s, facts(s, project)) if wishes.question in (None, one.question.id)]
        suspects = [each for one in found for each in one.suspects]
        units = texts.units(s, [each.text_id for each in suspects])
    rows = [
        (unit.source, unit.external_id, one.question, one.label, f"{one.p:.3f}", one.instead, f"{one.p_instead:.3f}",
         "yes" if one.unseen else "no")
        for one in suspects
        if (unit := units.get(one.text_id)) is not None
    ]  # fmt: skip
    if wishes.output is not None:
        _write(wishes.output, SUSPECTS, rows, wishes.overwrite)
    if wishes.as_json:
        plain = {
            "project": wishes.key,
            "questions": {one.question.id: {"n": one.n, "seen": one.seen, "missing": one.missing} for one in found},
            "errors": [
                asdict(one) | {"source": units[one.text_id].source, "id": units[one.text_id].external_id}
                for one in suspects
                if one.text_id in units
            ],
        }
        print(json.dumps(plain, ensure_ascii=False))  # noqa: T201
        return
    for one in found:
        said = one.missing or f"{one.n:,} assisted texts compared; the model had learned from {one.seen:,} of them"
        print(f"{one.question.id}: {len(one.suspects):,} labels to look at again ({said})")  # noqa: T201
    if wishes.output is None and rows:
        _table(SUSPECTS, rows)


def _write(output: Path, columns: Sequence[str], rows: Sequence[Sequence[str]], overwrite: bool) -> None:
    with new_table(output, columns, overwrite=overwrite) as writer:
        for row in rows:
            writer.writerow(row)
    say(f"{output} is written.")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The rows under each other."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = (f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=True))
        print("  " + "  ".join(cells).rstrip())  # noqa: T201
