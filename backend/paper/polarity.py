"""Labels that a data set has the wrong way round, and how a person can see that without any list of words.

SBIC's aggregated file calls a post 'hasBiasedImplication' when it has no target stereotype; SocKET took the column as
it is, and SOCIALITE-LLAMA's authors use SocKET's labels of the four SBIC tasks letter for letter. So in their data
'biased' marks the posts without a stereotype, and the released weights say 'biased' for them: the codebook's
verbalisers hold that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from backend.engines.protocol import Item
from backend.paper.task import SPLITS, Task
from labelstudio_config.codebook import Question

CROSSED = ("OFFENSIVE",)  # tasks with labels for the same posts
FEWEST = 20  # texts of each label before shares are told
UNTURNED = (
    "Its labels are taken to mean what they say. Were the data SocKET's copy of this task, 'biased' would mark the "
    "texts without a stereotype: take the source `socket` then, which turns them."
)


def turned(question: Question) -> bool:
    """Whether the words of the weights that the question names are the wordings of its other labels."""
    words = dict(question.verbalisers)
    wordings = {label.id: label.wording for label in question.labels}
    return (
        bool(words)
        and any(word != wordings[id_] for id_, word in words.items())
        and set(words.values()) <= set(wordings.values())
    )


def remark(question: Question, *, plain: bool) -> str:
    """What a person should know of gold labels whose source has them the wrong way round."""
    swaps = ", ".join(f"its '{word}' is '{id_}' here" for id_, word in question.verbalisers)
    if plain:
        return (
            f"The source has the labels of this task the wrong way round, and they were turned: {swaps}. The reason: "
            "SocKET took over a column of SBIC that is true where a post has no target stereotype. Look for yourself: "
            "read twenty texts of each label, or load 'offensive' with it: texts that imply a prejudice are offensive."
        )
    return (
        "The labels of this task are as the source has them, which is very probably the wrong way round ('biased' "
        "marks texts without a stereotype). Nothing that is measured on them says what the labels' words mean."
    )


def checked(tasks: Sequence[Task]) -> list[Task]:
    """The tasks, those with turned labels with a sentence each on how their labels go with those of other tasks for the
    same texts, as far as there are such texts."""
    others = [task for task in tasks if task.question.provenance.task in CROSSED]
    return [
        replace(task, remarks=(*task.remarks, *_crossed(task, others))) if turned(task.question) else task
        for task in tasks
    ]


def _crossed(task: Task, others: Iterable[Task]) -> list[str]:
    """How many texts of each label have the last label of another task that labels them too."""
    mine = _labels(task)
    said = []
    for other in others:
        theirs, last = _labels(other), other.question.label_ids[-1]
        both: dict[str, Counter[str]] = defaultdict(Counter)
        for item, label in mine.items():
            if item in theirs:
                both[label][theirs[item]] += 1
        if all(both[label].total() >= FEWEST for label in task.question.label_ids):
            shares = " and ".join(
                f"{100 * both[label][last] / both[label].total():.0f} % of '{label}' (n = {both[label].total():,})"
                for label in task.question.label_ids
            )
            said.append(
                f"Of the texts that '{other.name}' labels too, {shares} are '{last}' there. A text that implies a "
                "prejudice is nearly always so; were the second share the smaller one, the labels would be the wrong "
                "way round."
            )
    return said


def _labels(task: Task) -> dict[Item, str]:
    return {
        item: label
        for split in SPLITS
        for item, answer in zip(task.split(split).items, task.split(split).answers, strict=True)
        for label in answer
    }
