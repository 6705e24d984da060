"""The accepted labels of a coded project. Texts of its audit, and what nearly says the same, are never among them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from backend import settings
from backend.paper.offer import Gathered, How, Offer, SourceError
from backend.paper.splits import HELD
from backend.tuners.training import Labelled
from labelstudio_config.codebook import Kind


@dataclass(frozen=True, slots=True)
class ProjectData:
    """A project of this machine's store, by its key."""

    key: str

    def offers(self) -> list[Offer]:
        from db import projects, revisions
        from db.store import open_store

        with closing(open_store(settings.load().database_url)) as store, store.reading() as s:
            revision = revisions.current(s, projects.by_key(s, self.key).id)
            if revision is None:
                raise SourceError(f"The project '{self.key}' has no codebook yet. Run `socialite connect`.")
            book = revisions.codebook(revision)
        asked = [book.standalone(question) for question in book.questions if question.kind is not Kind.NUMBER]
        one = len(asked) == 1
        return [
            Offer(self.key if one else f"{self.key}-{question.id}", question, (question.id, self.key), question.id)
            for question in asked
        ]

    def read(self, wanted: Sequence[Offer], how: How) -> list[Gathered]:
        from backend.learning import snapshot
        from db import projects
        from db.store import open_store

        if not wanted:
            return []
        with closing(open_store(settings.load().database_url)) as store:
            with store.reading() as s:
                project = projects.by_key(s, self.key)
            frozen = snapshot.freeze(store, project, seed=how.seed, validation=HELD)
        found = []
        for offer in wanted:
            labelled = frozen.questions.get(offer.key)
            if labelled is None:
                how.say(f"{offer.name}: {frozen.empty.get(offer.key, 'no label is accepted yet')}")
                continue
            question = frozen.codebook.standalone(frozen.codebook.question(offer.key))
            found.append(self._gathered(Offer(offer.name, question), labelled, frozen.hash))
        return found

    def _gathered(self, offer: Offer, labelled: Labelled, sha256: str) -> Gathered:
        into = Gathered(offer.name, offer.question, f"project {self.key}", "the project's own")
        rows = list(zip(labelled.items, labelled.answers, strict=True))
        into.rows["train"] = [rows[n] for n in np.flatnonzero(~labelled.held)]
        into.rows["validation"] = [rows[n] for n in np.flatnonzero(labelled.held)]
        into.remarks.append(
            f"Its {len(rows):,} accepted labels (snapshot {sha256[:12]}) are of the work stream: no text of the audit "
            "is among them, and so it has no test part."
        )
        return into
