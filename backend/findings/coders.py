"""Who coded how much: what each coder did, where, and how long it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from backend.findings.facts import Facts
from backend.findings.report import Cell, Column, Section, Table
from backend.findings.words import counted
from db.answers import LiveAnswer

UNNAMED = "not named"
STREAMS = ("audit", "control", "work")
BY_HAND = ("human", "kept", "changed")  # what a coder says of a text, and neither decides nor imports
ORIGINS = {
    "human": "own label",
    "kept": "suggestion kept",
    "changed": "suggestion changed",
    "bulk": "made from predictions",
    "imported": "imported",
    "adjudicated": "adjudicated",
}
_TEXT = (
    "Texts of the audit are coded blind, in a random order. Those of the control are as random, but coded with the "
    "suggestion in sight; all others are work, coded with suggestions to teach the model."
)
_NOTES = (
    "A coder who keeps a suggestion may have judged it right: the numbers of kept and changed labels describe the "
    "work, and say nothing about anyone's care.",
    "Seconds are the median of what Label Studio measured from opening a task to submitting it, pauses included.",
)


def section(facts: Facts) -> Section:
    """A row a coder, of the answers of the phase; 'not named' stands for those that Label Studio told no coder of."""
    title = "Who coded how much"
    mine = [answer for answer in facts.answers if answer.phase == facts.phase]
    others = Counter(answer.phase for answer in facts.answers if answer.phase != facts.phase)
    elsewhere = tuple(
        f"Not counted here: {counted(n, 'answer')} of the {phase} phase." for phase, n in sorted(others.items())
    )
    if not mine:
        return Section(
            "coders",
            title,
            text=elsewhere,
            missing=(
                f"Nobody has coded anything in the {facts.phase} phase yet. Answers come in by themselves while people "
                "code; `socialite sync` fetches what was missed."
            ),
        )
    by_coder: dict[int | None, list[LiveAnswer]] = {}
    for answer in mine:
        by_coder.setdefault(answer.coder_id, []).append(answer)
    known = sorted(coder for coder in by_coder if coder is not None)
    groups = [(facts.pseudonyms.get(coder, f"coder {coder}"), by_coder[coder]) for coder in known]
    groups += [(UNNAMED, by_coder[None])] if None in by_coder else []
    table = _table(facts, groups)
    first, last = _days(mine)
    who, given = coding(mine)
    others_too = " and people whom Label Studio did not name" if None in by_coder else ""
    told = f"{counted(who, 'coder')}{others_too} gave {counted(given, 'answer')}, from {first} to {last}."
    return Section("coders", title, (told, _TEXT, *elsewhere), (table,))


def coding(answers: Iterable[LiveAnswer]) -> tuple[int, int]:
    """How many coders who are known by name gave answers of their own to texts, and how many answers."""
    given = [answer for answer in answers if _origin(answer) in BY_HAND and not answer.cancelled]
    return len({answer.coder_id for answer in given if answer.coder_id is not None}), len(given)


def _origin(answer: LiveAnswer) -> str:
    """Where the answer comes from: of a table nobody knows more than that, whatever it says itself."""
    return "imported" if answer.imported and answer.origin != "bulk" else answer.origin


def _table(facts: Facts, groups: Sequence[tuple[str, Sequence[LiveAnswer]]]) -> Table:
    """Streams and origins that nobody has an answer of are left out, but for audit, control and work."""
    everything = [answer for _, answers in groups for answer in answers]
    unplaced = any(answer.stream is None for answer in everything)
    there = {_origin(answer) for answer in everything if not answer.cancelled}
    origins = [origin for origin in ORIGINS if origin in there]
    columns = (
        *(Column(f"{stream} texts", "count") for stream in STREAMS),
        *((Column("texts in no stream", "count"),) if unplaced else ()),
        Column("skipped", "count"),
        *(Column(ORIGINS[origin], "count") for origin in origins),
        Column("median time", "seconds"),
        Column("first day"),
        Column("last day"),
    )
    streams: tuple[str | None, ...] = (*STREAMS, None) if unplaced else STREAMS
    return Table(
        key="coders",
        title="Texts and answers of each coder",
        question="",
        head="coder",
        rows=tuple(name for name, _ in groups),
        columns=columns,
        cells=tuple(_row(answers, streams, origins) for _, answers in groups),
        origin=f"live answers of the {facts.phase} phase; the latest version of each",
        notes=_NOTES,
    )


def _row(answers: Sequence[LiveAnswer], streams: Iterable[str | None], origins: Iterable[str]) -> tuple[Cell, ...]:
    given = [answer for answer in answers if not answer.cancelled]
    counts = Counter(_origin(answer) for answer in given)
    coded = [answer for answer in given if _origin(answer) in BY_HAND]
    times = [answer.lead_time for answer in coded if answer.lead_time is not None]
    return (
        *(len({answer.text_id for answer in coded if answer.stream == stream}) for stream in streams),
        len(answers) - len(given),
        *(counts[origin] for origin in origins),
        median(times) if times else None,
        *_days(answers),
    )


def _days(answers: Sequence[LiveAnswer]) -> tuple[str, str]:
    """The days of the first and the last answer."""
    moments = [answer.answered_at for answer in answers]
    return f"{min(moments):%Y-%m-%d}", f"{max(moments):%Y-%m-%d}"
