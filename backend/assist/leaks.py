"""Examples of a codebook that are texts of the audit, or nearly: a model must not be shown what it is measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.assist.near_duplicates import clusters
from db.models import Placement, Text
from db.texts import bodies
from labelstudio_config.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Cleared:
    """The codebook as a model may see it; `left_out` counts by label id the examples that are not in it."""

    codebook: Codebook
    left_out: Counter[str]

    @property
    def sentence(self) -> str:
        """What a person should know, without the texts; empty where nothing was left out."""
        if not self.left_out:
            return ""
        labels = ", ".join(f"'{label}' {n}" for label, n in self.left_out.items())
        return (
            f"{self.left_out.total()} examples of the codebook are texts of the audit, or nearly the same (labels: "
            f"{labels}). The model is not shown them, since the audit is to measure it."
        )


def cleared(s: Session, project_id: int, codebook: Codebook) -> Cleared:
    """The codebook without the examples that the audit holds. Takes a look at every text of the audit."""
    if not any(label.examples for question in codebook.questions for label in question.labels):
        return Cleared(codebook, Counter())
    audit = select(Placement.text_id).join(Text, Text.id == Placement.text_id)
    ids = s.scalars(audit.where(Text.project_id == project_id, Placement.stream == "audit")).all()
    return without(codebook, bodies(s, ids).values())


def without(codebook: Codebook, texts: Iterable[Sequence[str]]) -> Cleared:
    """The codebook without the examples that are one of the texts, or near-duplicates of one; of a pair each counts."""
    held = [field for fields in texts for field in fields if field.strip()]
    shown = {x for question in codebook.questions for label in question.labels for x in label.examples}
    examples = sorted(shown)
    roots = clusters({n: (text,) for n, text in enumerate([*held, *examples])}) if held and examples else {}
    leaks = {example for n, example in enumerate(examples, len(held)) if roots.get(n, n) < len(held)}
    if not leaks:
        return Cleared(codebook, Counter())
    left_out: Counter[str] = Counter()
    questions = []
    for question in codebook.questions:
        labels = []
        for label in question.labels:
            kept = tuple(x for x in label.examples if x not in leaks)
            if len(kept) < len(label.examples):
                left_out[label.id] += len(label.examples) - len(kept)
            labels.append(replace(label, examples=kept))
        questions.append(replace(question, labels=tuple(labels)))
    return Cleared(replace(codebook, questions=tuple(questions)), left_out)
