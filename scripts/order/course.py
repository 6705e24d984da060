"""One task and seed: the corpus coded in uncertain order and at random, and what is then said of the labels' shares."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from backend.engines.encoder import EncoderEngine
from scripts.bench.coding_tasks import Task
from scripts.order.audit import Judged, corrected, redrawn, shares
from scripts.order.corpus import Corpus, Ints, Size, corpus
from scripts.order.learner import Learner, Said
from scripts.order.served import Queue
from scripts.order.serving import Serving

Curve = list[tuple[int, float]]  # labels of work texts, macro F1 on the test texts


@dataclass(frozen=True, slots=True)
class Shares:
    """Of each label, in the order of the codebook: its true share, and what estimates of it are off by, in shares of 1.

    `coded`: the share among the work texts coded in uncertain order. `model`: the model's labels of the whole corpus.
    `corrected`: the product's, with the audit, and `held_out` the same where the model's label of a text that it was
    taught is one by a head that was not. `redrawn`: the mean over other audits while the model stays, and
    `redrawn_sd`. For each of the three, the intervals shown, and those that held the truth.
    """

    truth: list[float]
    coded: list[float]
    model: list[float]
    corrected: list[float]
    held_out: list[float]
    redrawn: list[float]
    redrawn_sd: list[float]
    shown: dict[str, int]
    held: dict[str, int]
    redraws: int


@dataclass(frozen=True, slots=True)
class Course:
    """`random` and `again` are two random orders of the same work texts."""

    task: str
    seed: int
    texts: int
    clusters: int
    work: int
    audit: int
    control: int
    tests: int
    uncertain: Curve
    random: Curve
    again: Curve
    served: int
    unsorted: int
    shares: Shares

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def course(engine: EncoderEngine, queue: Queue, task: Task, size: Size, seed: int) -> Course:
    drawn = corpus(task, size, seed)
    learner = Learner(engine, task, drawn)
    rounds = size.reached(len(drawn.work))
    untaught = learner.untaught()
    serving = Serving(queue, drawn, task.question.label_ids, f"{task.name}, seed {seed}", size.served)
    said, uncertain = untaught, [(0, untaught.f1)]
    for n in rounds:
        rows = serving.upto(n, f"after-{uncertain[-1][0]}", learner.scores(said))
        said = learner.taught(rows[:n], seed)
        uncertain.append((n, said.f1))
    return Course(
        task=task.name,
        seed=seed,
        texts=len(drawn.items),
        clusters=int(drawn.cluster.max()) + 1,
        work=len(drawn.work),
        audit=len(drawn.audit),
        control=len(drawn.control),
        tests=len(task.test),
        uncertain=uncertain,
        random=_at_random(learner, untaught, drawn.work, rounds, seed),
        again=_at_random(learner, untaught, drawn.random_order(seed), rounds, seed),
        served=serving.served,
        unsorted=serving.unsorted,
        shares=_shares(learner, said, np.array(serving.work)[: rounds[-1]], size, seed),
    )


def _at_random(learner: Learner, untaught: Said, order: Ints, rounds: tuple[int, ...], seed: int) -> Curve:
    return [(0, untaught.f1), *((n, learner.taught(order[:n], seed).f1) for n in rounds)]


def _shares(learner: Learner, said: Said, taught: Ints, size: Size, seed: int) -> Shares:
    drawn: Corpus = learner.corpus
    k = len(learner.task.question.labels)
    truth = shares(drawn.truth, k)
    apart = said.labels.copy()
    apart[taught] = learner.held_out(taught, seed)
    one = corrected(drawn, said.labels, drawn.audit, k)
    other = corrected(drawn, apart, drawn.audit, k)
    many = redrawn(drawn, said.labels, k, size.redraws, seed)
    errors = np.array([each.error for each in many])
    judged: dict[str, list[Judged]] = {"corrected": [one], "held_out": [other], "redrawn": many}
    return Shares(
        truth=truth.tolist(),
        coded=(shares(drawn.truth[taught], k) - truth).tolist(),
        model=(shares(said.labels, k) - truth).tolist(),
        corrected=one.error.tolist(),
        held_out=other.error.tolist(),
        redrawn=errors.mean(axis=0).tolist(),
        redrawn_sd=errors.std(axis=0, ddof=1).tolist(),
        shown={name: int(sum(each.shown.sum() for each in some)) for name, some in judged.items()},
        held={name: int(sum(each.held.sum() for each in some)) for name, some in judged.items()},
        redraws=len(many),
    )
