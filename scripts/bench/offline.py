"""The engine's own rate, in a process of its own: `python -m scripts.bench.offline ENGINE TEXTS.json WARM_UP` prints
texts a second.

All questions are scored over all texts, in the order given, with nothing between the caller and the engine.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from backend.engines.choice import choose
from backend.settings import load
from scripts.bench.stored import codebook


def rate(engine_name: str, posts: list[str], warm_up: int) -> float:
    """Texts a second on all questions of the codebook; the first `warm_up` texts are scored before the clock starts."""
    engine = choose(load(engine=engine_name))
    questions = codebook().questions
    items = [(post,) for post in posts]
    for question in questions:
        engine.score(question, items[:warm_up])
    measured = items[warm_up:]
    started = time.perf_counter()
    for question in questions:
        engine.score(question, measured)
    return len(measured) / (time.perf_counter() - started)


if __name__ == "__main__":
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    print(json.dumps(rate(sys.argv[1], texts, int(sys.argv[3]))))
