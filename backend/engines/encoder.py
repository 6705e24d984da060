"""The embedded default: a small sentence encoder, with the codebook alone or with a head learned from labels."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import ENCODER_LORA, Manifest, digest, unfit
from backend.engines.embeddings import Embedder, Progress
from backend.engines.encoder_loras import Lora
from backend.engines.head import FEATURES, Head, features, load
from backend.engines.language import foreign
from backend.engines.protocol import EngineError, Family, Identity, Item, Scores
from backend.engines.scorable import checked, no_examples, why_not
from backend.engines.weights import MINILM, find
from backend.engines.zeroshot import RECIPE, Prototypes, log_probabilities, prototypes
from labelstudio_config.codebook import Question

KEPT = 16  # prototypes and adapters kept ready, each the last used


@dataclass(frozen=True, slots=True)
class Prior:
    """Zero-shot scores [n, K] of n items, the embeddings [n, 2 width] of each field, and the tokens cut [n]."""

    family: Family
    scores: NDArray[np.float64]
    embeddings: list[NDArray[np.float32]]
    cut: NDArray[np.int64]

    def rows(self, rows: NDArray[np.intp]) -> Prior:
        """The same of some of the items."""
        return Prior(self.family, self.scores[rows], [field[rows] for field in self.embeddings], self.cut[rows])


@dataclass(frozen=True, slots=True)
class Learned:
    """An adapter: its head and, where the encoder itself was tuned, its LoRA."""

    manifest: Manifest
    head: Head
    lora: Lora | None


class EncoderEngine:
    """Scores by similarity to the codebook's definitions and examples; an adapter adds what was learned from labels.

    `model` is a folder or a model id (any sentence encoder that pools by the mean; a multilingual one for other
    languages than English), None for all-MiniLM-L6-v2 as it is on this machine. `cache` is a folder that keeps
    embeddings between runs. Loading takes seconds: it happens here unless `ready` is False, and then in `load`.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        revision: str | None = None,
        device: str = "auto",
        capacity: int = 20_000,
        cache: Path | None = None,
        ready: bool = True,
    ) -> None:
        weights = find(model, revision)
        self.embedder = Embedder(weights, device=device, capacity=capacity, folder=cache)
        recipe = f"{RECIPE} {FEATURES} {weights.tokenizer} {weights.window}"
        self._identity = Identity(
            engine="encoder",
            base=weights.base,
            digest=weights.digest,
            prompt=hashlib.sha256(recipe.encode()).hexdigest(),
            dtype="float32",
            method="similarity to definitions and examples",
        )
        self._prototypes: OrderedDict[Question, Prototypes] = OrderedDict()
        self._adapters: OrderedDict[Path, Learned] = OrderedDict()
        if ready:
            self.load()

    def load(self) -> None:
        """Load the model, if that has not been done."""
        self.embedder.load()

    @property
    def identity(self) -> Identity:
        return self._identity

    def why_not(self, question: Question) -> str | None:
        return why_not(question)

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        """The default encoder reads English only: a sentence for items that are clearly in another language."""
        if self._identity.base != MINILM:
            return [None] * len(items)
        return [_warning(next(filter(None, map(foreign, item)), None)) for item in items]

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        no_examples("encoder", shown)
        learned = self._learned(adapter, question) if adapter is not None else None
        if learned and learned.lora:
            family = checked(question, items)
            embeddings, cut = self._embedded(question, items, None, learned.lora)
            prior = Prior(family, np.zeros((len(items), len(question.labels))), embeddings, cut)
        else:
            prior = self.prior(question, items)
        scores = learned.head.scores(prior.scores, features(prior.embeddings), items) if learned else prior.scores
        return Scores(prior.family, log_probabilities(prior.family, scores), prior.cut)

    def prior(self, question: Question, items: Sequence[Item], progress: Progress | None = None) -> Prior:
        """What is known of the items before any label: also what a head is trained on."""
        family = checked(question, items)
        width = self.embedder.width
        embeddings, cut = self._embedded(question, items, progress, None)
        scores = self.prototypes(question).scores([matrix[:, :width] for matrix in embeddings])
        return Prior(family, scores, embeddings, cut)

    def _embedded(
        self, question: Question, items: Sequence[Item], progress: Progress | None, lora: Lora | None
    ) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
        """The embeddings [n, 2 width] of each field, and the tokens cut [n]."""
        fields = len(question.fields)
        both, cut = self.embedder.embed([text for item in items for text in item], progress, lora)
        return [both[field::fields] for field in range(fields)], cut.reshape(len(items), fields).sum(axis=1)

    def prototypes(self, question: Question) -> Prototypes:
        """What the zero-shot scores of a question are similarities to."""
        if question not in self._prototypes:
            width = self.embedder.width
            self._prototypes[question] = prototypes(question, lambda texts: self.embedder.embed(texts)[0][:, :width])
        self._prototypes.move_to_end(question)
        while len(self._prototypes) > KEPT:
            self._prototypes.popitem(last=False)
        return self._prototypes[question]

    def _learned(self, folder: Path, question: Question) -> Learned:
        folder = folder.resolve()
        if folder not in self._adapters:
            manifest, head = load(folder)
            lora = Lora(folder, digest(folder)) if manifest.method == ENCODER_LORA else None
            self._adapters[folder] = Learned(manifest, head, lora)
        self._adapters.move_to_end(folder)
        while len(self._adapters) > KEPT:
            self._adapters.popitem(last=False)
        learned = self._adapters[folder]
        if reason := unfit(learned.manifest, self._identity, question):
            raise EngineError(reason)
        return learned


def _warning(language: str | None) -> str | None:
    if language is None:
        return None
    which = "its script is not Latin" if language == "und" else f"it looks like language '{language}'"
    return (
        f"The text is not English ({which}), and the encoder {MINILM} reads English: do not trust its suggestion. "
        "For other languages choose a multilingual encoder as the model."
    )
