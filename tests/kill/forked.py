"""Processes that are killed, started from one that has everything imported already: a start takes no time."""

from __future__ import annotations

import multiprocessing
from functools import cache
from multiprocessing.context import BaseContext

FORKS = "forkserver" in multiprocessing.get_all_start_methods()  # not on Windows
IMPORTED = (
    "tests.kill.launcher",
    "tests.kill.prelabeller",
    "tests.kill.retrainer",
    "peft",
    "scipy.stats",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "transformers.models.llama.modeling_llama",
)


@cache
def context() -> BaseContext:
    """What starts them; where nothing is forked, they import for themselves."""
    if not FORKS:
        return multiprocessing.get_context("spawn")
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(list(IMPORTED))  # there is one such process, whoever asks for it
    first = made.Process(target=abs, args=(0,))  # waits for the imports
    first.start()
    first.join()
    return made
