"""Shows what the order of work saves, and that shares stay right under it. PROOFS.md has the numbers.

    python3 scripts/proof_order.py --data DIR [--task NAME ...] [--seeds 3] [--texts 2000] [--served 1000]
                                   [--jobs 1] [--keep FILE] [--cache DIR] [--quick] [--json]

DIR holds one folder a task, with train.csv and test.csv, or annotations.csv. Of each task and seed, a corpus of 2,000
texts (or all there are) is drawn from train.csv: 200 clusters of near-duplicates for the audit, 50 for the control, all
others are work. Three coders, who give the true label, are served by Label Studio's own next-task function, each with a
task in hand: control texts first, then the most uncertain ones (with --served, so many work texts of each round; the
others are taken by the same scores). After 50, 100, 200, 400, 700 and 1,000 work texts the product's head is tuned on
these, and the others are scored anew. Beside it the same head learns from the same work texts in random order, and in
another random order, which shows what of a difference is chance. Macro F1 is measured on test.csv (1,000 texts of it at
most). At the end the product's corrected shares of the labels are compared with those of the whole corpus.

Label Studio's environment is made where there is none, unless SOCIALITE_LABEL_STUDIO names one. --keep names a file to
which every course is written when it is over, and which a later run goes on from. Exit code 1 when Label Studio served
another text than the one with the lowest score. The last line with --json is one object:
`labels_to_random_1000[task]` (for each seed the labels that uncertain order needs to be where random order is after
1,000, or after all there are; null where it never is), `median_ratio` (over tasks, of the mean curves), `tasks_fewer`,
`prevalence_bias`, `prevalence_bias_se`, `coverage`, `prevalence`, `curves` and more.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import platformdirs
from tqdm import tqdm

from backend.engines.encoder import EncoderEngine
from scripts.bench.coding_tasks import tasks
from scripts.environment import label_studio
from scripts.order.corpus import Size
from scripts.order.course import Course, Shares, course
from scripts.order.figures import sentences, share_table, summary, table
from scripts.order.learner import cut
from scripts.order.served import Queue, QueueError, queue

QUICK_TASKS = ("hyperbole", "intent_to_offend")
QUICK = Size(texts=500, audit=100, control=20, rounds=(40, 120, 200), tests=200, redraws=50)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One course, and where its process finds things."""

    data: Path
    cache: Path
    folder: Path
    task: str
    seed: int
    size: Size


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    names = [task.name for task in tasks(asked.data)]
    missing = sorted(set(asked.task) - set(names))
    if missing or not names:
        print(f"{asked.data} holds no folder {' or '.join(missing)} with labelled texts.", file=sys.stderr)
        return 2
    names = [name for name in names if not asked.task or name in asked.task]
    size, seeds = replace(Size(), texts=asked.texts, served=asked.served), asked.seeds
    if asked.quick:
        names = ([name for name in names if name in QUICK_TASKS] or names)[: len(QUICK_TASKS)]
        size, seeds = QUICK, 1
    start = time.perf_counter()
    label_studio()  # made by one process, before several need it
    try:
        with tempfile.TemporaryDirectory(prefix="socialite-order-", ignore_cleanup_errors=True) as folder:
            pairs = [(name, seed) for seed in range(seeds) for name in names]
            wanted = [Wanted(asked.data, asked.cache, Path(folder), name, seed, size) for name, seed in pairs]
            done = run(wanted, asked.jobs, asked.keep)
    except QueueError as error:
        print(error, file=sys.stderr)
        return 2
    report = summary(done) | {"seeds": seeds, "size": asdict(size)}
    report["seconds"] = round(time.perf_counter() - start, 1)
    print(table(done, report))
    print()
    print(share_table(done))
    print()
    print(sentences(report))
    if asked.json:
        print(json.dumps(report))
    return 1 if report["unsorted"] else 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a task")
    parser.add_argument("--task", action="append", default=[], metavar="NAME", help="this task only; may be repeated")
    parser.add_argument("--seeds", type=int, default=3, help="corpora of each task (3)")
    parser.add_argument("--texts", type=int, default=2000, help="texts of a corpus (2000)")
    parser.add_argument("--served", type=int, default=1000, help="texts of a round that Label Studio hands out (1000)")
    parser.add_argument("--jobs", type=int, default=1, help="courses at a time (1)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write every course to it, and go on from it")
    parser.add_argument("--quick", action="store_true", help="under a minute: two tasks, one seed, 200 labels")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    cache_folder = platformdirs.user_cache_path("socialite", appauthor=False) / "embeddings"
    parser.add_argument("--cache", type=Path, default=cache_folder, help=f"where embeddings are kept ({cache_folder})")
    return parser.parse_args(arguments)


def run(wanted: Sequence[Wanted], jobs: int, keep: Path | None) -> list[Course]:
    """All courses, those that the file holds already as they are; some beside each other."""
    kept = read(keep) if keep else {}
    found = [kept[name_of(one)] for one in wanted if name_of(one) in kept]
    left = [one for one in wanted if name_of(one) not in kept]
    with tqdm(total=len(wanted), initial=len(found), desc="Coding", unit="course", disable=None) as bar:
        for one, done in each(left, jobs):
            found.append(done)
            if keep:
                with keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"name": name_of(one)} | done.plain()) + "\n")
            bar.update()
    return found


def each(left: Sequence[Wanted], jobs: int) -> Iterator[tuple[Wanted, Course]]:
    """Each as it ends."""
    if jobs < 2:
        with ExitStack() as stack:
            tools = opened(left[0], stack) if left else None
            for one in left:
                assert tools is not None
                yield one, ran(one, *tools)
        return
    spawned = multiprocessing.get_context("spawn")  # as on Windows and macOS
    with ProcessPoolExecutor(jobs, mp_context=spawned) as pool:
        futures = {pool.submit(apart, one): one for one in left}
        for future in as_completed(futures):
            yield futures[future], future.result()


def apart(one: Wanted) -> Course:
    """In a process that keeps its engine and its Label Studio, which ends with it."""
    return ran(one, *_kept(one.cache, one.folder))


@cache
def _kept(cache_folder: Path, folder: Path) -> tuple[EncoderEngine, Queue]:
    return opened(Wanted(Path(), cache_folder, folder, "", 0, Size()), _STACK)


_STACK = ExitStack()


def opened(one: Wanted, stack: ExitStack) -> tuple[EncoderEngine, Queue]:
    mine = Path(tempfile.mkdtemp(dir=one.folder))
    served = stack.enter_context(queue(mine, one.cache / "label-studio"))
    return EncoderEngine(cache=one.cache, capacity=20_000), served


def ran(one: Wanted, engine: EncoderEngine, served: Queue) -> Course:
    (task,) = (task for task in tasks(one.data) if task.name == one.task)
    return course(engine, served, cut(task, one.size.tests), one.size, one.seed)


def name_of(one: Wanted) -> str:
    """What a course depends on."""
    return json.dumps([one.task, one.seed, asdict(one.size)])


def read(path: Path) -> dict[str, Course]:
    if not path.is_file():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line.pop("name"): _course(line) for line in lines}


def _course(line: dict[str, Any]) -> Course:
    curves = {name: [(n, f1) for n, f1 in line[name]] for name in ("uncertain", "random", "again")}
    return Course(**line | curves | {"shares": Shares(**line["shares"])})


if __name__ == "__main__":
    sys.exit(main())
