"""What a suggestion has to beat: word counts with logistic regression, and always the most frequent label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from labelstudio_config.codebook import Question
from scripts.bench.coding_tasks import Row

WORD = r"\w+|[^\w\s]"  # emoji and punctuation count as words: better than without on these tasks


def majority(labelled: Sequence[Row], n: int) -> list[str]:
    """The most frequent label of the labelled texts, n times."""
    return [Counter(label for _, label in labelled).most_common(1)[0][0]] * n


def tfidf(labelled: Sequence[Row], texts: Sequence[tuple[str, ...]]) -> list[str]:
    """TF-IDF of words and pairs of words, each field with its own vocabulary; logistic regression, labels balanced."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    labels = [label for _, label in labelled]
    if len(set(labels)) == 1:
        return [labels[0]] * len(texts)
    known, asked = [], []
    for field in range(len(labelled[0][0])):
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
        known.append(words.fit_transform([row[field] for row, _ in labelled]))
        asked.append(words.transform([row[field] for row in texts]))
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)
    model.fit(hstack(known).tocsr(), labels)
    return [str(label) for label in model.predict(hstack(asked).tocsr())]


def from_codebook(question: Question) -> list[Row]:
    """The codebook's definitions and examples as labelled texts, so that a baseline may read them too."""
    fields = len(question.fields)
    return [
        ((text,) * fields, label.id)
        for label in question.labels
        for text in (label.definition or label.wording, *label.examples)
    ]
