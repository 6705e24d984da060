"""`socialite codebook test`: does a model follow the codebook?"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.codebook import CodebookOrderError, book_of, current
from backend.commands.console import say

if TYPE_CHECKING:
    from backend.engines.protocol import Engine
    from backend.learning.behaviour import Behaviour
    from labelstudio_config.codebook import Codebook

SEED = 0
FEW = 30  # texts, below which a share says little
Texts = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command, as typed."""

    what: str | None
    project: str | None
    texts: Path | None
    text_column: str | None
    pair_column: str | None
    limit: int
    paraphrase: str | None
    as_json: bool


def run(wishes: Wishes, scored: Mapping[str, Any]) -> None:
    """Try it and tell; `scored` are settings that were given of how texts are scored."""
    from backend.learning.behaviour import PARAPHRASE, behaviours, overall

    book, engine, texts, source = _material(wishes, scored)
    if len(texts) < FEW:
        say(f"{len(texts):,} texts are few: the intervals are wide. Give more with --texts.")
    found = list(behaviours(engine, book, texts, wishes.paraphrase or PARAPHRASE))
    sentence = overall(found)
    if wishes.as_json:
        identity = engine.identity
        plain = {
            "codebook": book.key,
            "engine": identity.engine,
            "model": identity.base,
            "texts": {"n": len(texts), "from": source},
            "questions": [_plain(one) for one in found],
            "verdict": sentence,
        }
        print(json.dumps(plain, ensure_ascii=False))  # noqa: T201
        return
    print(f"{book.title or book.key}: {engine.identity.base} on {len(texts):,} texts ({source})")  # noqa: T201
    for one in found:
        print(one.question.name + (f": {one.why_not}" if one.why_not else ""))  # noqa: T201
        for check in one.checks:
            print(f"  {check.verdict.value:<14}  {check.name}: {check.sentence}")  # noqa: T201
    print(sentence)  # noqa: T201


def _material(wishes: Wishes, scored: Mapping[str, Any]) -> tuple[Codebook, Engine, Texts, str]:
    """Codebook, engine, texts, and where these come from."""
    if wishes.project is not None and wishes.what is None:
        book, engine, texts = _of_project(wishes.project, wishes.limit, scored, own=wishes.texts is None)
        source = "work texts of the project"
    else:
        from backend.engines.choice import choose, remarks

        book, texts, source = book_of(wishes.what, wishes.project), (), ""
        in_force = settings.load(**scored)
        engine = choose(in_force)
        for sentence in remarks(in_force, [book.standalone(question) for question in book.questions]):
            say(sentence)
    if wishes.texts is not None:
        return book, engine, _drawn(_table(wishes, book), wishes.limit), wishes.texts.name
    if not texts:
        texts, source = _examples(book), "the codebook's own examples"
        if not texts:
            raise CodebookOrderError("The codebook has no examples to try it on. Give texts with --texts.")
    return book, engine, texts, source


def _of_project(key: str, limit: int, scored: Mapping[str, Any], *, own: bool) -> tuple[Codebook, Engine, Texts]:
    """The project's codebook as a model may see it, its engine, and texts that are none of the audit's."""
    from backend.assist.leaks import cleared
    from backend.commands.scorer import scorer
    from backend.corpus.texts_to_try import some
    from backend.engines.choice import remarks
    from db import projects, revisions
    from db.store import open_store

    in_force = settings.load(**scored)
    store = open_store(in_force.database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
        revision = current(store, project)
        with store.reading() as s:
            book = cleared(s, project.id, revisions.codebook(revision)).codebook
            texts = some(s, project.id, limit, SEED) if own else []
        in_force, engine = scorer(store, in_force, project, scored)
    finally:
        store.close()
    for sentence in remarks(in_force, [book.standalone(question) for question in book.questions]):
        say(sentence)
    return book, engine, texts


def _table(wishes: Wishes, book: Codebook) -> Texts:
    from backend.corpus.intake import text_columns
    from backend.corpus.tables.reading import open_table

    assert wishes.texts is not None
    table = open_table(wishes.texts)
    for remark in table.remarks:
        say(remark)
    places = text_columns(book, table, wishes.text_column, wishes.pair_column)
    return [tuple(row[place] for place in places) for row in table.rows()]


def _drawn(texts: Texts, limit: int) -> Texts:
    there = [row for row in texts if all(text.strip() for text in row)]
    return there if len(there) <= limit else random.Random(SEED).sample(there, limit)


def _examples(book: Codebook) -> Texts:
    found = [x for q in book.questions for label in q.labels for x in label.examples if x.strip()]
    return [(x,) * len(book.fields) for x in dict.fromkeys(found)]


def _plain(one: Behaviour) -> dict[str, Any]:
    return {
        "question": one.question.id,
        "why_not": one.why_not or None,
        "checks": [
            {
                "name": check.name,
                "verdict": check.verdict.value,
                "n": check.n,
                "share": _number(check.share.value),
                "lower": _number(check.share.lower),
                "upper": _number(check.share.upper),
                "sentence": check.sentence,
            }
            for check in one.checks
        ],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
