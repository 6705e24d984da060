"""`socialite design`: from corpus, coders and hours to an audit and a control, as a table, JSON, or put into force."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.corpus.design import Applied
    from backend.findings.buys import Buys
    from backend.findings.plan import Means, Sizes
    from backend.settings import Settings
    from db.models import Project
    from db.store import Store

LABELS = 2


class DesignOrderError(Exception):
    """The options do not go together."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command, as typed."""

    key: str | None
    texts: int | None
    coders: int
    hours: float
    seconds: float
    rarest: float | None
    labels: int | None
    per_text: int | None
    apply: bool
    api_key_env: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store says of a project: texts in all and by stream, labels of its largest question, and how many people
    code each audit text (None while nobody is to).
    """

    texts: int
    placed: dict[str, int]
    labels: int
    coders: int | None


def run(wishes: Wishes) -> None:
    """Print the plan, and put it into force where that was asked for."""
    if wishes.key is None:
        if wishes.apply:
            raise DesignOrderError("--apply sets up a project that is connected. Name it with --project.")
        if wishes.texts is None:
            raise DesignOrderError(
                "How many texts has the corpus? Give --texts, or --project of one that is connected."
            )
        _print(wishes, _means(wishes, None), None, None)
        return
    from db import projects
    from db.store import open_store

    in_force = settings.load()
    store = open_store(in_force.database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, wishes.key)
        known = _known(store, project)
        means = _means(wishes, known)
        applied = _apply(wishes, in_force, store, project, means) if wishes.apply else None
    finally:
        store.close()
    _print(wishes, means, known, applied)


def _means(wishes: Wishes, known: _Known | None) -> Means:
    from backend.findings.plan import Means, PlanError

    texts = wishes.texts or (known.texts if known else 0)
    if texts < 1:
        raise PlanError(f"'{wishes.key}' has no texts yet. Give --texts, or add them with `socialite connect --texts`.")
    return Means(
        texts=texts,
        coders=wishes.coders,
        hours=wishes.hours,
        labels=wishes.labels or (known.labels if known else LABELS),
        rarest=wishes.rarest,
        seconds=wishes.seconds,
        per_text=wishes.per_text or (known.coders if known else None),
    )


def _known(store: Store, project: Project) -> _Known:
    from backend.corpus import drawing
    from db import counts, revisions

    with store.reading() as s:
        (status,) = counts.status(s, project.key)
        revision = revisions.current(s, project.id)
        book = revisions.codebook(revision) if revision else None
    most = max((len(question.label_ids) for question in book.questions), default=0) if book else 0
    begun = drawing.drawn(store, project)[0] > 0
    coders = int(project.sampling_design["coders"]) if begun else None
    return _Known(sum(status.texts.values()), dict(status.texts), max(most, LABELS), coders)


def _apply(wishes: Wishes, in_force: Settings, store: Store, project: Project, means: Means) -> Applied:
    from backend.corpus import design
    from backend.corpus.reach import credentials
    from backend.corpus.servers import client_for
    from backend.corpus.site import Plan, Site
    from backend.findings.plan import recommended

    chosen = recommended(means)
    token = os.environ.get(wishes.api_key_env) or None
    with client_for(store, in_force, project.id, token) as client, bars() as bar:
        plan = Plan(
            key=project.key,
            title=project.title,
            backend=design.served_at(client, design.assisted(store, project), project.key),
            auth=credentials(in_force),
            audit=chosen.audit,
            control=chosen.control,
            coders=chosen.per_text,
        )
        return design.apply(Site(store, client, plan, say, bar))


def _print(wishes: Wishes, means: Means, known: _Known | None, applied: Applied | None) -> None:
    from backend.findings.advice import assumptions, trades, warnings
    from backend.findings.buys import buys
    from backend.findings.plan import alternatives, recommended

    chosen = recommended(means)
    found = {name: (sizes, buys(means, sizes)) for name, sizes in alternatives(means, chosen).items()}
    bought = found["recommended"][1]
    warned, traded = warnings(means, chosen, bought), trades(means, chosen, bought)
    if wishes.as_json:
        plain = {
            "means": asdict(means) | {"rarest": means.share, "minimum": means.minimum},
            "placed": known.placed if known else None,
            "plans": {name: _plain(means, *one) for name, one in found.items()},
            "trades": traded,
            "warnings": warned,
            "assumptions": assumptions(means),
            "connect": _connect(chosen),
            "applied": asdict(applied) if applied else None,
        }
        print(json.dumps(plain, ensure_ascii=False))  # noqa: T201
        return
    lines = [_head(means), "", *_table(means, found), ""]
    lines += [f"- {sentence}" for sentence in traded]
    lines += ["", *(f"Note: {sentence}" for sentence in warned)] if warned else []
    lines += ["", assumptions(means), "", *_next(wishes, chosen, known, applied)]
    print("\n".join(lines))  # noqa: T201


def _plain(means: Means, sizes: Sizes, bought: Buys) -> dict[str, Any]:
    halves = {"gate": sizes.gate, "test": sizes.test, "hours": round(sizes.codings * means.seconds / 3600, 2)}
    return asdict(sizes) | halves | {"buys": asdict(bought)}


def _head(means: Means) -> str:
    from backend.findings.advice import people

    return (
        f"{means.texts:,} texts, {people(means.coders)}, {means.hours:g} hours in all: {means.codings:,} texts coded "
        f"by one person each. {means.labels} labels, the rarest with a share of {means.share:.2g}."
    )


def _table(means: Means, found: dict[str, tuple[Sizes, Buys]]) -> list[str]:
    """A line for each figure, a column for each plan."""
    from backend.findings.advice import half, promoted

    rows: list[tuple[str, list[str]]] = [("", list(found))]
    both = list(found.values())

    def row(name: str, cells: list[str]) -> None:
        rows.append((name, cells))

    row("audit texts", [f"{one.audit:,}" for one, _ in both])
    row("  coders of each", [str(one.per_text) for one, _ in both])
    row("  gate, test", [f"{one.gate:,}, {one.test:,}" for one, _ in both])
    row("control texts", [f"{one.control:,}" for one, _ in both])
    row("work texts", [f"{one.work:,}" for one, _ in both])
    row("hours", [f"{one.codings * means.seconds / 3600:.1f}" for one, _ in both])
    row("alpha", [half(bought.alpha) for _, bought in both])
    row("  of the rarest label", [half(bought.alpha_rarest) for _, bought in both])
    row("macro F1", [half(bought.macro_f1) for _, bought in both])
    row("F1 of the rarest label", [half(bought.rarest_f1) for _, bought in both])
    row("  test texts with it", [f"about {bought.support:.0f}" for _, bought in both])
    row("its share, people only", [half(bought.human_only) for _, bought in both])
    row("its share, corrected", [half(bought.corrected) for _, bought in both])
    row("anchoring seen from", [f"{100 * b.anchoring:.0f} points" if b.anchoring else "never" for _, b in both])
    row("gate: 5 points better", [promoted(bought.gate)[0] for _, bought in both])
    row("gate: 5 points worse", [promoted(bought.gate)[1] for _, bought in both])
    wide = max(len(name) for name, _ in rows)
    columns = [max(len(cells[n]) for _, cells in rows) for n in range(len(found))]
    return [
        "  ".join([name.ljust(wide), *(c.rjust(w) for c, w in zip(cells, columns, strict=True))]).rstrip()
        for name, cells in rows
    ]


def _connect(chosen: Sizes) -> str:
    return (
        f"socialite connect ... --audit {chosen.audit} --control {chosen.control} --coders-per-audit-text "
        f"{chosen.per_text}"
    )


def _next(wishes: Wishes, chosen: Sizes, known: _Known | None, applied: Applied | None) -> list[str]:
    """What to do now."""
    if known is None:
        return [f"Next: {_connect(chosen)}"]
    if applied is not None:
        return [
            f"In force: an audit of {applied.audit:,} texts by {applied.coders} coders each, {applied.control:,} "
            "controls."
        ]
    placed = ", ".join(f"{name} {n:,}" for name, n in sorted(known.placed.items()) if n) or "nothing"
    return [f"Placed by now: {placed}.", "Next: the same command with --apply, before the suggestions are pushed."]
