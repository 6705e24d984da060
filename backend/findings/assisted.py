"""What coders said of texts whose suggestion was in sight: never agreement, never gold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy.orm import Session

from backend.findings.facts import Facts
from backend.learning.meaning import Meanings
from backend.learning.vote import ADJUDICATED, Ballot, Said, ballot, said

STREAMS = ("control", "work")
ORIGINS = ("human", "kept", "changed", ADJUDICATED)


def ballots(s: Session, facts: Facts) -> Mapping[str, Mapping[int, Ballot]]:
    """Question key -> text id -> ballot, of texts of the control and the work stream coded in the assisted project.

    As in the audit, only answers of the phase count, given while coders saw the question as it is now, and by people:
    none that was made from predictions, or imported. An adjudication is apart from the votes, as it is in any ballot.
    """
    holds = Meanings(s, facts.project.id, facts.book).unchanged
    told: dict[str, dict[int, list[Said]]] = {question.id: defaultdict(list) for question in facts.book.questions}
    for answer in facts.answers:
        here = answer.ls_role == "assisted" or answer.origin == ADJUDICATED
        counted = here and not answer.imported and answer.origin in ORIGINS
        if not counted or answer.stream not in STREAMS or answer.phase != facts.phase:
            continue
        for question in facts.book.questions:
            if holds(answer.revision_id, question.id):
                one = said(answer, question, facts.question_ids[question.id], facts.label_keys)
                told[question.id][answer.text_id].append(one)
    return {key: {text: ballot(given) for text, given in sorted(mine.items())} for key, mine in told.items()}
