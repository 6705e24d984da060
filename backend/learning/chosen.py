"""Which accepted labels a model may learn from, and in which part of the snapshot each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backend.learning.accepted import Accepted
from backend.learning.apart import Apart, Corpus
from backend.learning.entry import TRAIN, VALIDATION, Entry, item
from backend.learning.split import held
from labelstudio_config.codebook import Codebook, Question

NEAR, ERASED, BLANK = "in the audit or nearly so", "erased", "no text for the question"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Accepted labels with what a snapshot holds of them; `left_out`: question -> reason -> texts."""

    pairs: tuple[tuple[Accepted, Entry], ...]
    left_out: Mapping[str, Counter[str]]

    @property
    def questions(self) -> frozenset[str]:
        """The questions that have labels."""
        return frozenset(entry.question for _, entry in self.pairs)


def choose(accepted: Iterable[Accepted], texts: Corpus, book: Codebook, *, seed: int, validation: float) -> Chosen:
    """The labels that may be learned from: of texts that still have words, and that have nothing to do with the audit.

    Numbers are not learned from.
    """
    by_question: dict[str, list[Accepted]] = {question.id: [] for question in book.questions}
    for one in accepted:
        if one.shares:
            by_question[one.question].append(one)
    apart = Apart(texts, book)
    pairs: list[tuple[Accepted, Entry]] = []
    left_out: dict[str, Counter[str]] = {}
    for question in book.questions:
        mine = by_question[question.id]
        clusters = apart.clusters(question, [one.text_id for one in mine])
        reasons = {one.text_id: _why_not(one, question, clusters, texts, book) for one in mine}
        left_out[question.id] = Counter(reason for reason in reasons.values() if reason)
        kept = [one for one in mine if not reasons[one.text_id]]
        pairs += _placed(kept, question, clusters, texts, seed, validation)
    return Chosen(tuple(pairs), left_out)


def _why_not(
    one: Accepted, question: Question, clusters: Mapping[int, int], texts: Corpus, book: Codebook
) -> str | None:
    if one.text_id not in clusters:
        return NEAR
    fields = texts.bodies.get(one.text_id)
    if fields is None:
        return ERASED
    return None if item(book, question, fields) else BLANK


def _placed(
    kept: Iterable[Accepted],
    question: Question,
    clusters: Mapping[int, int],
    texts: Corpus,
    seed: int,
    validation: float,
) -> list[tuple[Accepted, Entry]]:
    """Each label with its cluster's name and its part of the snapshot."""
    by_hash = {texts.known[one.text_id].content_hash: one for one in kept}
    names: dict[int, str] = {}
    for hash_ in sorted(by_hash):
        names.setdefault(clusters[by_hash[hash_].text_id], hash_)
    cluster = {hash_: names[clusters[one.text_id]] for hash_, one in by_hash.items()}
    out = held(cluster.values(), seed=seed, validation=validation)
    return [
        (
            one,
            Entry(
                content_hash=hash_,
                question=question.id,
                labels=tuple(label for label in question.label_ids if label in one.labels),
                shares=one.shares,
                split=VALIDATION if cluster[hash_] in out else TRAIN,
                cluster=cluster[hash_],
            ),
        )
        for hash_, one in sorted(by_hash.items())
    ]
