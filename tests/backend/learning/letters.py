"""Texts of letters whose label anyone can see, coded by people who do; and a small real encoder that learns it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from backend.assist.catalogue import Catalogue
from backend.engines.encoder import EncoderEngine
from backend.learning.retrain import Ran, retrain
from backend.settings import Settings
from backend.tuners.training import Options, Step
from labelstudio_config.codebook import Codebook, Control, Kind, Question
from tests.backend.assist.world import TEXT, labels
from tests.backend.learning.coding import Coding

EARLY, LATE = "abcde", "vwxyz"  # the letters of a text decide its label
MOOD = Question("mood", "mood", Kind.SINGLE, Control.CHOICES, (TEXT,), labels("early", "late"))
TOPICS = Question("topics", "topics", Kind.MULTIPLE, Control.CHOICES, (TEXT,), labels("vowel", "zed"))
BOOK = Codebook("letters", "Letters", (MOOD, TOPICS))
HEAD = Options(encoder="head")


def body(number: int, label: str) -> str:
    letters = random.Random(f"{number} {label}")
    return " ".join("".join(letters.choices(EARLY if label == "early" else LATE, k=5)) for _ in range(6))


def said(text: str, label: str) -> dict[str, Any]:
    return {"mood": label, "topics": tuple(t for t, letter in (("vowel", "a"), ("zed", "z")) if text.count(letter) > 2)}


def code(coding: Coding, *, work: int, gate: int, start: int = 0, **given: Any) -> None:
    """Texts of both labels in turn, coded by who is right: so many of the work stream, and of the gate."""
    for stream, n in (("work", work), ("audit", gate)):
        for number in range(n):
            label = ("early", "late")[number % 2]
            text = body(start + number + (10_000 if stream == "audit" else 0), label)
            place = {"rank": start + number, "role": "gate"} if stream == "audit" else {}
            coding.answer(coding.text(text, stream, **place), 1, **(said(text, label) | given))


def run(
    coding: Coding,
    settings: Settings,
    engine: EncoderEngine,
    options: Options = HEAD,
    report: Callable[[Step], None] = lambda step: None,
    *,
    force: bool = False,
) -> Ran:
    return retrain(coding.store, settings, engine, coding.world.key, options, report, force=force)


def release(coding: Coding, engine: EncoderEngine) -> str:
    return Catalogue(coding.store, engine.identity).state(coding.world.key).release


def all_of(coding: Coding, table: Any) -> list[Any]:
    with coding.store.reading() as s:
        return list(s.scalars(select(table).order_by(table.id)))
