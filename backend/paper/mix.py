"""Which texts of which tasks are learned, which say when to stop, and which tasks are never trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.assist.near_duplicates import clusters
from backend.paper.chosen import plain
from backend.paper.task import Split, Task
from backend.tuners.instruct import Taught
from backend.tuners.targets import TrainingError
from labelstudio_config.tasks import TUNINGS


@dataclass(frozen=True, slots=True)
class Mix:
    """Texts that are learned, validation texts of the same tasks, and validation texts of tasks that are held out;
    `remarks` says a sentence each on what was left out."""

    taught: tuple[Taught, ...]
    held: tuple[Taught, ...]
    watched: tuple[Taught, ...]
    remarks: tuple[str, ...] = ()


def mixed(
    tasks: Sequence[Task],
    held_out: Sequence[Task] = (),
    *,
    cap: int | None = None,
    held_cap: int | None = None,
    balance: float = 1.0,
    seed: int = 0,
) -> Mix:
    """The mix of the tasks, but for those held out, none of whose texts is learned.

    No text is learned that is the same as, or a near-duplicate of, a validation or test text of any task with as many
    texts an item. Of a task at most `cap` texts are learned and `held_cap` say when to stop: drawn by the seed, each
    label with its share. An epoch draws of a task with n texts a share proportional to n to the power of `balance`,
    together as many as there are: 1 takes each text once, 0 the same number of each task. Of a large task others are
    then drawn in each epoch, and those of a small one come several times. (Weights would do the same for the expected
    gradient, but let a few texts of a small task make steps of their own.) `TrainingError` when nothing is left.
    """
    out = {id(task) for task in held_out}
    kept = [task for task in tasks if id(task) not in out]
    trained, remarks = _apart(kept, held_out)
    empty = [task.name for task, split in zip(kept, trained, strict=True) if not len(split)]
    if empty:
        remarks.append(f"No text for training is left of: {', '.join(empty)}.")
    learned = [
        (task, _drawn(split, cap, seed, task.name)) for task, split in zip(kept, trained, strict=True) if len(split)
    ]
    if not learned:
        raise TrainingError("No task has a text for training. Name other data, or hold fewer tasks out.")
    draws = _draws([len(split) for _, split in learned], balance)
    taught = [_taught(task, split, n) for (task, split), n in zip(learned, draws, strict=True)]
    held = [_taught(task, _drawn(task.validation, held_cap, seed, task.name)) for task, _ in learned]
    watched = [_taught(task, _drawn(task.validation, held_cap, seed, task.name)) for task in held_out]
    for task, split in learned:
        if cap is not None and len(split) == cap:
            remarks.append(f"{task.name}: {cap:,} texts were drawn with seed {seed}, each label with its share.")
    return Mix(tuple(taught), tuple(x for x in held if len(x)), tuple(x for x in watched if len(x)), tuple(remarks))


def held_out(tasks: Sequence[Task], chosen: str) -> list[Task]:
    """The tasks that are named, with commas: by their names, or as 'seen' or 'related'. `TrainingError` for others."""
    found: list[Task] = []
    for word in (word.strip() for word in chosen.split(",")):
        if not word:
            continue
        group = [task for task in tasks if task.tuning == word.casefold()] if word.casefold() in TUNINGS else []
        some = group or [task for task in tasks if plain(word) in (plain(task.name), plain(task.question.id))]
        if not some:
            raise TrainingError(
                f"There is no task '{word}' to hold out. There are: {', '.join(task.name for task in tasks)}."
            )
        found += [task for task in some if all(task is not one for one in found)]
    return found


def _taught(task: Task, split: Split, draws: int | None = None) -> Taught:
    return Taught(task.name, task.question, split.items, split.answers, draws, task.source, task.licence)


def _apart(kept: Sequence[Task], out: Sequence[Task]) -> tuple[list[Split], list[str]]:
    """The training texts of each task that are unlike all that are held out or tested on, whatever task they are of."""
    near: dict[int, set[int]] = {place: set() for place in range(len(kept))}
    for fields in {len(task.question.fields) for task in kept}:
        rows = [
            (place, n, item)
            for place, task in enumerate(kept)
            if len(task.question.fields) == fields
            for n, item in enumerate(task.train.items)
        ]
        others = [
            item
            for task in (*kept, *out)
            if len(task.question.fields) == fields
            for split in (task.validation, task.test)
            for item in split.items
        ]
        roots = clusters(dict(enumerate([*others, *(item for _, _, item in rows)])))
        banned = {roots[n] for n in range(len(others))}
        for number, (place, n, _) in enumerate(rows, len(others)):
            if roots[number] in banned:
                near[place].add(n)
    remarks = [
        f"{task.name}: {len(near[place]):,} of {len(task.train):,} texts are the same as a validation or test text of "
        "some task, or nearly, and are not learned."
        for place, task in enumerate(kept)
        if near[place]
    ]
    wanted = [[n for n in range(len(task.train)) if n not in near[place]] for place, task in enumerate(kept)]
    return [_part(task.train, places) for task, places in zip(kept, wanted, strict=True)], remarks


def _part(split: Split, places: Sequence[int]) -> Split:
    return Split(tuple(split.items[n] for n in places), tuple(split.answers[n] for n in places))


def _drawn(split: Split, cap: int | None, seed: int, name: str) -> Split:
    """At most `cap` of the texts, in their order: of each answer its share, by largest remainders."""
    if cap is None or len(split) <= cap:
        return split
    strata: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for n, answer in enumerate(split.answers):
        strata[tuple(sorted(answer))].append(n)
    names = sorted(strata)
    exact = np.array([len(strata[key]) for key in names]) * cap / len(split)
    sizes = np.floor(exact).astype(int)
    for place in np.argsort(sizes - exact, kind="stable")[: cap - sizes.sum()]:
        sizes[place] += 1
    random = np.random.default_rng([seed, *name.encode()])
    places = [int(n) for key, size in zip(names, sizes, strict=True) for n in random.permutation(strata[key])[:size]]
    return _part(split, sorted(places))


def _draws(sizes: Sequence[int], balance: float) -> list[int | None]:
    """How many texts of each task an epoch draws, in all about as many as there are."""
    if balance == 1:
        return [None] * len(sizes)
    shares = np.array(sizes, dtype=np.float64) ** balance
    return [max(1, round(float(x))) for x in sum(sizes) * shares / shares.sum()]
