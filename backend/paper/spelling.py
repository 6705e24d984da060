"""How data sets spell labels: in another case, with hyphens, in other words, or as numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from backend.corpus.labels import names_of, whole_number
from backend.corpus.long_table import NONE, parted
from labelstudio_config.codebook import Kind, Question

# What SocKET and the data sets behind it call the labels of published tasks, where folding does not make it the same.
OTHERS: Mapping[str, Mapping[str, str]] = {
    "HUMOR": {
        "humor": "humorous",
        "humour": "humorous",
        "not humor": "non-humorous",
        "not humour": "non-humorous",
        "not humorous": "non-humorous",
    },
    "HUMOURRATING": {"low humour": "low-humor", "high humour": "high-humor", "low": "low-humor", "high": "high-humor"},
    "IRONY": {"irony": "ironic", "not irony": "not-ironic", "non irony": "not-ironic", "non ironic": "not-ironic"},
    "SUBJECTIVEBIAS": {
        "the first sentence is biased": "first-sentence",
        "the second sentence is biased": "second-sentence",
        "first": "first-sentence",
        "second": "second-sentence",
    },
    "DISTRESSSELFRATED": {
        "distress": "high-distress",
        "distress bin": "high-distress",
        "not distress": "low-distress",
        "not distress bin": "low-distress",
    },
    "EMPATHYSELFRATED": {
        "empathy": "high-empathy",
        "empathy bin": "high-empathy",
        "not empathy": "low-empathy",
        "not empathy bin": "low-empathy",
    },
    "HATESPEECH": {"hate": "hate-speech", "not hate": "not-hate-speech", "hateful": "hate-speech"},
    "SEXIST": {"sexist": "sexism", "not sexist": "not-sexism"},
    "HYPERBOLE": {"hyperbolic": "hyperbole", "not hyperbolic": "not-hyperbole", "literal": "not-hyperbole"},
    "OFFENSIVE": {"non offensive": "not-offensive"},
    "COMPLAINTS": {"no complaint": "not-complaint", "not a complaint": "not-complaint"},
    "AGREEDISAGREE": {"na": "n-a", "not applicable": "n-a"},
    "VALENCECLS": {"low": "low-valence", "high": "high-valence"},
    "AROUSALCLS": {"low": "low-arousal", "high": "high-arousal"},
    "DOMINANCECLS": {"low": "low-dominance", "high": "high-dominance"},
}


class Spelling:
    """What turns a cell into label ids of a question.

    `verbalised`: a word that the released SOCIALITE weights say for a label stands for that label, as in what they were
    tuned on. `numbers`: the labels that 0, 1, 2 ... stand for, where a data set has such numbers.
    """

    def __init__(self, question: Question, *, verbalised: bool = False, numbers: Sequence[str] = ()) -> None:
        self._several = question.kind is Kind.MULTIPLE
        self._exact = _names(question, verbalised, str.strip)
        self._folded = _names(question, verbalised, folded)
        for word, label in OTHERS.get(question.provenance.task, {}).items():
            if label in question.label_ids:
                self._folded.setdefault(folded(word), label)
        self._numbers = {str(place): label for place, label in enumerate(numbers)}

    def read(self, cell: str) -> frozenset[str] | None:
        """The label ids of a cell, one of a question that can have one; None when it is no label of the question."""
        if not self._several:
            found = self._one(cell)
            return None if found is None else frozenset((found,))
        if cell.strip().casefold() == NONE:
            return frozenset()
        whole = self._one(cell)
        parts = [whole] if whole is not None else [self._one(part) for part in parted(cell.strip())]
        return frozenset(part for part in parts if part) if parts and None not in parts else None

    def _one(self, cell: str) -> str | None:
        cell = cell.strip()
        for word in (cell, whole_number(cell)):
            found = self._exact.get(word) or self._folded.get(folded(word)) or self._numbers.get(word)
            if found is not None:
                return found
        return None


def folded(word: str) -> str:
    """What is compared of a label: no case, hyphens as spaces, no quotes or full stop around it.

    >>> folded(' "Not-Very_intimate." ')
    'not very intimate'
    """
    plain = unicodedata.normalize("NFKC", word).casefold().replace("-", " ").replace("_", " ")
    return " ".join(plain.strip().strip("\"'.“”‘’").split())


def _names(question: Question, verbalised: bool, fold: Callable[[str], str]) -> dict[str, str]:
    """What a label may be called -> its id: words of the weights, then codes, ids and wordings."""
    known: dict[str, str] = {}
    for id_, word in question.verbalisers if verbalised else ():
        known.setdefault(fold(word), id_)
    return names_of(question, fold) | known
