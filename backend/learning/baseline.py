"""What a tuned adapter has to beat: word counts with logistic regression, learned from the same labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import FAMILY, Family, Item
from backend.tuners.targets import TrainingError, targets
from labelstudio_config.codebook import Question

WORD = r"\w+|[^\w\s]"  # emoji and punctuation count as words: better than without on social media


def tfidf(
    question: Question, items: Sequence[Item], answers: Sequence[frozenset[str]], asked: Sequence[Item]
) -> NDArray[np.bool_]:
    """What TF-IDF with logistic regression says of the texts `asked`: which labels [m, K], as in `Question.labels`.

    It learns from all of `items` and their label ids, those of a validation part too: it has nothing to choose there.
    Terms are words and pairs of words, each field with its own vocabulary; labels are weighted to count the same.
    Single and ordinal questions get one label each; of a multiple one every label is a yes-or-no question of its own.
    Raises `TrainingError` where there is nothing to tell apart.
    """
    found = targets(question, items, answers) > 0
    said = np.zeros((len(asked), found.shape[1]), dtype=np.bool_)
    if not asked:
        return said
    learned, wanted = _counts(question, items, asked)
    if FAMILY[question.kind] is Family.BERNOULLI:
        for k, column in enumerate(found.T):
            said[:, k] = column[0] if (column == column[0]).all() else _fitted(learned, column).predict(wanted)
    else:
        said[np.arange(len(asked)), _fitted(learned, found.argmax(axis=1)).predict(wanted)] = True
    return said


def _counts(question: Question, items: Sequence[Item], asked: Sequence[Item]) -> tuple[Any, Any]:
    """Sparse features of both, [n, terms] and [m, terms], weighted as in the known texts."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    learned, wanted = [], []
    for field in range(len(items[0])):
        known = [item[field] for item in items]
        if not any(text.strip() for text in known):
            continue
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
        learned.append(words.fit_transform(known))
        wanted.append(words.transform([item[field] for item in asked]))
    if not learned:
        raise TrainingError(f"The texts coded on the question '{question.name}' have no words. Code some that have.")
    return hstack(learned).tocsr(), hstack(wanted).tocsr()


def _fitted(features: Any, found: NDArray[Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000).fit(features, found)
