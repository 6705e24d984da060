"""What a person should know about a plan: what each size is for, what it costs, and where the means do not suffice."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from backend.findings.buys import ALONE, ALPHA, DISAGREEMENT, F1, Buys, Gate, Width
from backend.findings.plan import AGREEING, MEASURED, Means, Sizes, hours
from backend.learning.estimate import FEW

TOO_FEW = "too few"


def trades(means: Means, sizes: Sizes, bought: Buys) -> list[str]:
    """A sentence for each size: what more of it buys, and what that costs. None without an audit."""
    k, alpha = sizes.per_text, bought.alpha
    if not sizes.audit:
        return []
    found = [
        f"Audit, {sizes.audit:,} texts without suggestions, {people(k)} each: with four times as many every interval "
        f"is half as wide; each costs {people(k)} {means.seconds:g} seconds, and is lost as work.",
        f"Gate and test, {sizes.gate:,} and {sizes.test:,} of them: the gate decides which model serves, the test is "
        "opened once, at the end; a text cannot do both.",
    ]
    if alpha.width is not None:
        found.append(
            f"Overlap, {people(k)} a text: an alpha of {dot(ALPHA)} is known to {half(alpha)}; more coders a text make "
            "the accepted label surer, and leave fewer texts for the same hours."
        )
    if sizes.control:
        seen = f"{100 * bought.anchoring:.0f} points" if bought.anchoring else "no difference at all"
        found.append(
            f"Control, {sizes.control:,} random texts with suggestions, one coder each: beside this audit, {seen} of "
            "anchoring would be noticed four times in five; each is lost as work, since nothing is trained on it."
        )
    if sizes.work:
        found.append(
            f"Work, {sizes.work:,} texts with suggestions, one coder each: what the model learns from, and no more."
        )
    return found


def warnings(means: Means, sizes: Sizes, bought: Buys) -> list[str]:
    """What these sizes cannot do, and what would; empty where they do all."""
    return [*_lone(sizes), *_too_small(means, sizes), *_rare(means, sizes, bought.support), *_spare(means, sizes)]


def assumptions(means: Means) -> str:
    """Under what the widths and powers are computed."""
    return (
        f"Assumed: coders agree with alpha {dot(ALPHA)}, the model has macro F1 {dot(F1)} and says what people say of "
        f"{per_cent(AGREEING)} of texts, a challenger differs on {per_cent(DISAGREEMENT)} of them, all texts are alike "
        f"(near-duplicates and groups count as one), the rarest label has a share of {means.share:.2g}, a text takes "
        f"{means.seconds:g} seconds. At most {per_cent(MEASURED)} of the hours are for audit and control."
    )


def _lone(sizes: Sizes) -> Iterator[str]:
    if sizes.per_text < 2:
        yield (
            "With one coder a text there is no agreement between people, no ceiling to read the model against, and "
            "nobody to notice one person's reading of the codebook. Have a second person code the audit: --per-text 2."
        )


def _too_small(means: Means, sizes: Sizes) -> Iterator[str]:
    minimum = means.minimum
    if sizes.audit >= minimum or sizes.per_text < 2:
        return
    why = f"at least {minimum:,} are needed where the rarest label has a share of {means.share:.2g}"
    if means.texts // 2 < minimum and sizes.audit == means.texts // 2:
        yield (
            f"An audit of {sizes.audit:,} texts is small ({why}), and is half of the corpus already: add texts, or "
            "have people code all of it."
        )
        return
    needs = ceil(hours(means, minimum, sizes.per_text))
    cure = f"{needs:,} hours in all would"
    if sizes.per_text > 2:
        fewer = ceil(hours(means, minimum, 2))
        cure += f", or {fewer:,} hours with 2 coders a text instead of {sizes.per_text}"
    yield f"These hours suffice for an audit of {sizes.audit:,} texts ({why}); {cure}."


def _rare(means: Means, sizes: Sizes, support: float) -> Iterator[str]:
    if support < FEW:
        enough = ceil(2 * FEW / means.share)
        yield (
            f"About {support:.0f} of {sizes.test:,} test texts will have the rarest label, too few for its F1: an "
            f"audit of {enough:,} would have {FEW} of them in its test half."
        )


def _spare(means: Means, sizes: Sizes) -> Iterator[str]:
    everything = sizes.per_text * means.texts
    if everything <= means.codings:
        yield (
            f"The hours suffice for {people(sizes.per_text)} to code every text without a model. Then no label is a "
            "model's, and nothing has to be corrected."
        )


def people(k: int) -> str:
    """'one coder', '3 coders'."""
    return "one coder" if k == 1 else f"{k} coders"


def half(width: Width) -> str:
    """'± .08': half the width of an interval; the reason in short where there is none."""
    if width.width is None:
        return "one coder" if width.missing == ALONE else TOO_FEW
    return f"± {dot(width.width / 2)}"


def dot(share: float) -> str:
    """'.08': a number below 1 as tables of statistics print it."""
    digits = 2 if share >= 0.01 else 3
    return f"{share:.{digits}f}".removeprefix("0")


def promoted(gate: Gate) -> tuple[str, str]:
    """The chances of a better and of a worse challenger, in per cent; the reason in short where there are none."""
    if gate.better is None or gate.worse is None:
        return TOO_FEW, TOO_FEW
    return per_cent(gate.better), "under 1 %" if gate.worse < 0.01 else per_cent(gate.worse)


def per_cent(share: float) -> str:
    return f"{100 * share:.0f} %"
