"""The texts that coders disagree on, or skipped: coded by as many as they need, and without an accepted value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.learning.accepted import CODERS, Key, ballots, not_for_audit, not_for_work
from backend.learning.meaning import Meanings
from backend.learning.rule import checked, resolve
from backend.learning.vote import Ballot
from db import answers
from db.models import Project
from labelstudio_config.codebook import Codebook

BOTH = 2  # coders of a work text that can disagree


@dataclass(frozen=True, slots=True)
class Disputed:
    """A text of the stream audit or work, and why it has no accepted value: question key -> reason (as 'tie')."""

    text_id: int
    stream: str
    reasons: Mapping[str, str]


def disputed(s: Session, project: Project, book: Codebook) -> tuple[Disputed, ...]:
    """The audit texts that as many coders tried as the design wants, and the work texts that two or more did, that came
    to nothing on some question; by stream and text. RuleError.

    Of the audit, the blind answers of the project's phase count, and texts behind the completed part too: a tie is a
    tie wherever it is. Texts that wait for a coder are none of these.
    """
    rule = checked(project.gold_rule)
    live, meanings = answers.live(s, project.id), Meanings(s, project.id, book)
    audit, work = ([a for a in live if a.stream == stream] for stream in ("audit", "work"))
    k = int(project.sampling_design.get("coders", CODERS))
    blind = ballots(s, project, book, audit, lambda one: not_for_audit(one, project.phase), meanings.unchanged)
    seen = ballots(s, project, book, work, not_for_work, meanings.same_kind)
    return (*_open(book, blind, rule, "audit", k, k), *_open(book, seen, rule, "work", BOTH, 1))


def _open(
    book: Codebook, found: Mapping[Key, Ballot], rule: str, stream: str, tried: int, needed: int
) -> list[Disputed]:
    """The texts that so many coders `tried`, and whose votes, of which the rule wants `needed`, come to nothing."""
    reasons: dict[int, dict[str, str]] = {}
    for (text_id, key), ballot in sorted(found.items(), key=lambda each: each[0]):
        if ballot.attempts < tried:
            continue
        value = resolve(book.question(key), ballot, rule, needed)
        if isinstance(value, str):
            reasons.setdefault(text_id, {})[key] = value
    return [Disputed(text_id, stream, why) for text_id, why in sorted(reasons.items())]
