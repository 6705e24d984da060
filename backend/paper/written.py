"""Answers that a model wrote, read as the authors of SOCIALITE-LLAMA do, without the flaws of their reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.engines.prompts import Wording
from backend.engines.protocol import Engine, EngineError, Item
from backend.engines.spoken import said
from backend.paper.answers import Answers
from backend.paper.authors_rule import label_table, ours
from labelstudio_config.codebook import Question


def written(
    engine: Engine,
    wording: Wording,
    question: Question,
    items: Sequence[Item],
    adapter: Path | None,
    shown: Sequence[str] | None,
) -> Answers:
    """What the engine wrote, as labels: exactly one of the label words, or none. What it wrote is not kept.

    `EngineError` where it cannot write answers to this question, or two of the words are the same in small letters.
    """
    try:
        table = label_table(wording.words(question))
    except ValueError as error:
        raise EngineError(str(error)) from None
    found = said(engine, question, items, adapter, shown)
    numbers = np.array([ours(one.answer, table, one.end) for one in found], dtype=np.int64)
    k = len(question.labels)
    answers = Answers.of(np.asarray(numbers[:, None] == np.arange(k)))
    return Answers(answers.marks, answers.scores, answers.cut, numbers == k)
