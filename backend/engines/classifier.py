"""A fine-tuned encoder with a head for each question it was trained on: what `socialite train-encoder` makes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from backend.engines import classifier_model as model
from backend.engines.classifier_manifest import digest, read
from backend.engines.protocol import EngineError, Identity, Item, Scores
from backend.engines.scorable import checked, why_not
from backend.engines.unwatched import unwatched
from backend.engines.zeroshot import log_probabilities
from labelstudio_config.codebook import Question

RECIPE = "multitask encoder v1: pair as the tokenizer's, pooled last layer, linear head"


class ClassifierEngine:
    """Scores the questions that the encoder in a folder was trained on, and no others.

    Questions are known by their id, kind, labels and number of texts. An ordinal question is scored as a choice among
    its labels, as it was learned. Loading takes seconds: it happens here unless `ready` is False, and then in `load`.
    """

    def __init__(self, folder: Path, *, device: str = "auto", ready: bool = True) -> None:
        self.folder = folder.expanduser()
        self.manifest = read(self.folder)
        self._device = device
        recipe = f"{RECIPE} {self.manifest.pooling} {self.manifest.length}"
        self._identity = Identity(
            engine="encoder",
            base=str(folder),
            digest=digest(self.folder),
            prompt=hashlib.sha256(recipe.encode()).hexdigest(),
            dtype="float32",
            method="trained on many tasks",
        )
        if ready:
            self.load()

    @property
    def identity(self) -> Identity:
        return self._identity

    def load(self) -> None:
        """Load the model, if that has not been done."""
        _ = self._parts

    def why_not(self, question: Question) -> str | None:
        return why_not(question) or self.manifest.why_not(question)

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        """None for each: what languages the encoder learned, nobody has noted."""
        return [None] * len(items)

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        """See `Engine`; there are no adapters for it, and it reads no examples beside a text."""
        if adapter is not None:
            raise EngineError(
                f"The encoder {self.folder.name} takes no adapters: it is trained as a whole. Score without one, "
                "or use the adapter with the base it was trained on."
            )
        if shown is not None:
            raise EngineError(
                f"The encoder {self.folder.name} reads no examples: it learned from its texts. Score without examples."
            )
        family = checked(question, items)
        task = self.manifest.task(question)
        body, heads = self._parts
        rows, cut = body.rows(items)
        found = model.scores(body, heads[task.question], rows)[
            :, [task.labels.index(one) for one in question.label_ids]
        ]
        return Scores(family, log_probabilities(family, found), cut)

    @cached_property
    def _parts(self) -> tuple[model.Body, dict[str, Any]]:
        """The encoder and its heads, loaded when first used."""
        about = self.manifest
        with unwatched():
            body = model.body(
                self.folder, self.folder.name, device=self._device, pooling=about.pooling, length=about.length
            )
        return body, model.heads(self.folder, about.tasks, body.width, body.device)
