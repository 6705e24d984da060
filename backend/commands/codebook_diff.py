"""`socialite codebook diff` and `same`: what changed, under what people coded, and what somebody says of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.codebook import CodebookOrderError, book_of, current
from backend.commands.console import say
from labelstudio_config.changes import Change, changes

if TYPE_CHECKING:
    from backend.learning.recode import Recoding


def run(
    first: str | None, second: str | None, key: str | None, earlier: int | None, later: int | None, *, as_json: bool
) -> None:
    """Of two codebooks, or of a project's revisions."""
    if key is not None:
        if first is not None or second is not None:
            raise CodebookOrderError("Give two codebooks, or --project; to compare with a file, export the project's.")
        _of_project(key, earlier, later, as_json=as_json)
        return
    if first is None or second is None or earlier is not None or later is not None:
        raise CodebookOrderError("Give two codebooks (names or files), or --project with --from and --to.")
    found = changes(book_of(first, None), book_of(second, None))
    if as_json:
        _json({"changes": [_plain(one) for one in found]})
    else:
        _tell(found)


def same(
    key: str, question: str, earlier: int | None, later: int | None, *, by: str, reason: str, withdraw: bool
) -> None:
    """Write down what somebody says, and what it comes to."""
    from backend.learning.recode import recodings, say_same
    from db import projects, revisions
    from db.store import open_store

    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
        now = current(store, project)
        before, after = _pair(store, project, earlier, later)
        with store.writing() as s:
            say_same(s, project, question, before, after, unchanged=not withdraw, by=by, reason=reason)
        with store.reading() as s:
            found = [one for one in recodings(s, project, revisions.codebook(now)) if one.question == question]
    finally:
        store.close()
    what = "That is taken back" if withdraw else "Written down"
    say(f"{what}: '{question}' under revisions {before} and {after}, by {by}. The report says so.")
    for one in found:
        for line in _lines(one):
            print(line)  # noqa: T201


def _of_project(key: str, earlier: int | None, later: int | None, *, as_json: bool) -> None:
    from backend.learning.recode import recodings
    from db import projects, revisions
    from db.store import open_store

    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
        now = current(store, project)
        before, after = _pair(store, project, earlier, later)
        with store.reading() as s:
            old, new = (revisions.codebook(revisions.numbered(s, project.id, n)) for n in (before, after))
            found = recodings(s, project, revisions.codebook(now))
    finally:
        store.close()
    changed = changes(old, new)
    if as_json:
        _json(
            {
                "project": key,
                "from": before,
                "to": after,
                "current": now.number,
                "changes": [_plain(one) for one in changed],
                "questions": [_of_question(one) for one in found],
            }
        )
        return
    print(f"Revision {before} -> {after} of the codebook of '{key}' (current: {now.number})")  # noqa: T201
    _tell(changed)
    for one in found:
        for line in _lines(one):
            print(line)  # noqa: T201


def _pair(store: Any, project: Any, earlier: int | None, later: int | None) -> tuple[int, int]:
    """Numbers of the revisions to compare: those that were given, else the current one and the one before it."""
    from db import revisions

    with store.reading() as s:
        previous = revisions.before(s, project.id)
        after = later or current(store, project).number
        before = earlier or (previous.number if previous is not None else after)
        for number in (before, after):
            revisions.numbered(s, project.id, number)
    return before, after


def _tell(found: Sequence[Change]) -> None:
    for one in found:
        print(f"  {one.sentence}")  # noqa: T201
    if not found:
        print("  Both say the same.")  # noqa: T201


def _lines(one: Recoding) -> list[str]:
    """What a person should know of a question's answers."""
    lines = [one.question]
    for under in one.under:
        counts = "count" if under.counts else "do not count as measured"
        taught = "" if under.counts else (", teach" if under.taught else ", teach nothing")
        lines.append(
            f"  revision {under.revision}: {under.answers:,} answers to {under.texts:,} texts by {under.coders:,} "
            f"coders; they {counts}{taught}"
        )
    lines += ["  no answers yet"] if not one.under else []
    lines += [
        f"  {said.by} said on {said.at:%Y-%m-%d} that revisions {said.earlier} and {said.later} mean the same: "
        f"{said.reason}"
        for said in one.said
    ]
    if one.audit or one.work:
        lines.append(
            f"  to be coded again, since what coders saw has changed: {one.audit:,} texts of the audit, {one.work:,} "
            "others (or say that it means the same: socialite codebook same)"
        )
    return lines


def _of_question(one: Recoding) -> dict[str, Any]:
    return {
        "question": one.question,
        "under": [
            {
                "revision": under.revision,
                "answers": under.answers,
                "texts": under.texts,
                "coders": under.coders,
                "counts": under.counts,
                "taught": under.taught,
            }
            for under in one.under
        ],
        "recode": {"audit": one.audit, "other": one.work},
        "said": [
            {"from": said.earlier, "to": said.later, "by": said.by, "reason": said.reason, "at": said.at.isoformat()}
            for said in one.said
        ],
    }


def _plain(one: Change) -> dict[str, str]:
    return {"what": one.what.value, "question": one.question, "label": one.label, "sentence": one.sentence}


def _json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False))  # noqa: T201
