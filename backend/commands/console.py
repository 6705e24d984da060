"""Words and progress for a person, on standard error, so that standard output stays what was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

    from backend.tuners.training import Step

Report = Callable[[int, int], None]  # done, in all


_shown: list[tqdm[Any]] = []  # the bar on the screen, if there is one


def say(sentence: str) -> None:
    """A sentence on a line of its own; it ends the bar that is shown."""
    _close()
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - this is where words are written


@contextmanager
def bars() -> Iterator[Callable[[str, str], Report]]:
    """`bar(what, unit)` makes a progress bar with a rate and the time left; one ends where the next begins."""

    def bar(what: str, unit: str) -> Report:
        _close()

        def report(done: int, total: int) -> None:
            if not _shown:
                _shown.append(_new(what, unit))
            _shown[0].total = total
            _shown[0].update(done - _shown[0].n)

        return report

    try:
        yield bar
    finally:
        _close()


@contextmanager
def stages() -> Iterator[Callable[[Step], None]]:
    """A bar for each stage of a tuner, with its loss, tokens a second and the time left."""
    shown = ""

    def report(step: Step) -> None:
        nonlocal shown
        if step.stage != shown:
            _close()
            shown = step.stage
        if not _shown:
            _shown.append(_new(step.stage, "steps"))
        known = {"loss": step.loss, "tokens/s": step.tokens_per_second}
        _shown[0].set_postfix({name: f"{x:,.4g}" for name, x in known.items() if x is not None}, refresh=False)
        _shown[0].total = step.steps
        _shown[0].update(step.done - _shown[0].n)

    try:
        yield report
    finally:
        _close()


def _new(what: str, unit: str) -> tqdm[Any]:
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    interval = 0.2 if terminal else 5.0  # seconds; a log file does not need more
    return tqdm(desc=what, unit=f" {unit}", total=0, dynamic_ncols=terminal, mininterval=interval, file=sys.stderr)


def _close() -> None:
    while _shown:
        bar = _shown.pop()
        bar.refresh()
        bar.close()
