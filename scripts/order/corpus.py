"""A corpus as a project draws it: an audit and a control, random clusters both, and the work texts in random order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.assist.near_duplicates import clusters
from backend.engines.protocol import Item
from scripts.bench.coding_tasks import Task

Ints = NDArray[np.int64]
AUDIT_SHARE, CONTROL_SHARE = 0.2, 0.05  # of a corpus's clusters, at most


@dataclass(frozen=True, slots=True)
class Size:
    """At most: texts of a corpus, clusters of its audit and control, work texts at each re-tuning, texts it is tested
    on. `redraws`: other audits that are drawn. `served`: how many work texts of a round Label Studio hands out."""

    texts: int = 2000
    audit: int = 200
    control: int = 50
    rounds: tuple[int, ...] = (50, 100, 200, 400, 700, 1000)
    tests: int = 1000
    redraws: int = 200
    served: int = 1000

    def reached(self, work: int) -> tuple[int, ...]:
        """The rounds of a corpus with so many work texts: the last one is all of them where there are fewer."""
        return tuple(sorted({min(n, work) for n in self.rounds}))


@dataclass(frozen=True, slots=True)
class Corpus:
    """`items` and `truth` (label numbers) of n texts, and the `cluster` of each, 0 to N - 1.

    `audit` holds texts, `control` texts with the rank of their cluster, in the order of the permutation; `work` the
    other texts in random order.
    """

    items: tuple[Item, ...]
    truth: Ints
    cluster: Ints
    audit: Ints
    control: tuple[tuple[int, int], ...]
    work: Ints

    def random_order(self, seed: int) -> Ints:
        """The work texts in another random order."""
        return np.asarray(self.work[np.random.default_rng([52, seed]).permutation(len(self.work))])


def corpus(task: Task, size: Size, seed: int) -> Corpus:
    """Distinct texts of train.csv, drawn at random; near-duplicates are kept together, as the product keeps them."""
    rows = {fields: label for fields, label in task.train if all(text.strip() for text in fields)}
    random = np.random.default_rng([50, seed])
    every = list(rows.items())
    drawn = [every[i] for i in random.permutation(len(every))[: size.texts]]
    roots = clusters({n: fields for n, (fields, _) in enumerate(drawn)})
    cluster = np.unique([roots[n] for n in range(len(drawn))], return_inverse=True)[1].astype(np.int64)
    n = int(cluster.max()) + 1
    rank = np.empty(n, dtype=np.int64)
    rank[random.permutation(n)] = np.arange(n)
    place = rank[cluster]
    audit, control = min(size.audit, int(AUDIT_SHARE * n)), min(size.control, int(CONTROL_SHARE * n))
    order = np.argsort(place, kind="stable")
    ids = task.question.label_ids
    return Corpus(
        items=tuple(fields for fields, _ in drawn),
        truth=np.array([ids.index(label) for _, label in drawn]),
        cluster=cluster,
        audit=order[place[order] < audit],
        control=tuple((int(i), int(place[i])) for i in order if audit <= place[i] < audit + control),
        work=order[place[order] >= audit + control],
    )
