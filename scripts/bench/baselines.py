"""What a suggestion has to beat: word counts with logistic regression, and always the most frequent label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from backend.learning import baseline
from labelstudio_config.codebook import Question
from scripts.bench.coding_tasks import Row


def majority(labelled: Sequence[Row], n: int) -> list[str]:
    """The most frequent label of the labelled texts, n times."""
    return [Counter(label for _, label in labelled).most_common(1)[0][0]] * n


def tfidf(question: Question, labelled: Sequence[Row], texts: Sequence[tuple[str, ...]]) -> list[str]:
    """The product's TF-IDF with logistic regression; the one label that there is where it has nothing to tell apart."""
    items, answers = [fields for fields, _ in labelled], [frozenset({label}) for _, label in labelled]
    if len(set(answers)) == 1:
        return majority(labelled, len(texts))
    said = baseline.tfidf(question, items, answers, texts)
    return [question.label_ids[k] for k in said.argmax(axis=1)]


def from_codebook(question: Question) -> list[Row]:
    """The codebook's definitions and examples as labelled texts, so that a baseline may read them too."""
    fields = len(question.fields)
    return [
        ((text,) * fields, label.id)
        for label in question.labels
        for text in (label.definition or label.wording, *label.examples)
    ]
