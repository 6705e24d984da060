"""Loading a model's libraries out of sight of Python's garbage collector.

They are a million objects that stay. The collector would go through all of them several times while they load, and
again now and then, a quarter of a second each during which no request is answered.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unwatched() -> Iterator[None]:
    """What is made inside is not looked at, and neither it nor what was there before is looked at again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was:
            gc.enable()
