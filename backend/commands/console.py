"""Words and progress for a person, on standard error, so that standard output stays what was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

Report = Callable[[int, int], None]  # done, in all


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - this is where words are written


@contextmanager
def bars() -> Iterator[Callable[[str, str], Report]]:
    """`bar(what, unit)` makes a progress bar with a rate and the time left; one ends where the next begins."""
    shown: list[tqdm[Any]] = []

    def bar(what: str, unit: str) -> Report:
        _close(shown)

        def report(done: int, total: int) -> None:
            if not shown:
                shown.append(_new(what, unit))
            shown[0].total = total
            shown[0].update(done - shown[0].n)

        return report

    try:
        yield bar
    finally:
        _close(shown)


def _new(what: str, unit: str) -> tqdm[Any]:
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    interval = 0.2 if terminal else 5.0  # seconds; a log file does not need more
    return tqdm(desc=what, unit=f" {unit}", total=0, dynamic_ncols=terminal, mininterval=interval, file=sys.stderr)


def _close(shown: list[tqdm[Any]]) -> None:
    while shown:
        bar = shown.pop()
        bar.refresh()
        bar.close()
