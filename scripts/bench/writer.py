"""Writes many predictions at once, as bulk scoring does: `python -m scripts.bench.writer PLAN.json` prints when it
began and ended.

A plan: `url` of the store, `text_ids`, `predictions`: how many to write. The scores are even ones; only their number
matters here.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np

from db import predictions, releases, revisions
from db.store import open_store
from scripts.bench.stored import codebook


def write(url: str, project_id: int, text_ids: list[int], count: int) -> dict[str, float]:
    """Unix times of the first and the last write, and the predictions written."""
    book = codebook()
    store = open_store(url)
    try:
        with store.writing() as s:
            keys = revisions.question_ids(s, project_id)
            scorer = releases.scorer(
                s, engine="none", base="none", base_digest="none", adapter_digest="", prompt_hash="none",
                scoring_hash=book.scoring_hash, dtype="float64", method="even",
            )  # fmt: skip
            scorer_id = scorer.id
        even = {keys[q.id]: np.full(len(q.labels), -np.log(len(q.labels))) for q in book.questions}
        pairs = itertools.product(text_ids, even.items())
        rows = ((text_id, question_id, scores, 0) for text_id, (question_id, scores) in itertools.islice(pairs, count))
        began = time.time()
        store.write_in_chunks(rows, lambda s, part: predictions.store(s, scorer_id, part))
        return {"began": began, "ended": time.time(), "predictions": count}
    finally:
        store.close()


if __name__ == "__main__":
    print(json.dumps(write(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
