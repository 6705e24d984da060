"""Shows what a team gains: simulated coders code over the server's HTTP API, the adapter is re-tuned on schedule.

    python3 scripts/simulate_project.py --data DIR [--task NAME ...] [--seeds 3] [--coders 3] [--noise .1] [--anchor P]
                                        [--texts 1000] [--encoder head] [--quick] [--json]

DIR holds one folder a task, with train.csv and test.csv. Of each task and seed, a project of 1,000 texts is drawn from
train.csv: 300 for the audit (half gate, half test), 50 controls, 650 work. The team codes the audit blind, two coders a
text (a third person settles what they disagree on), then all others over the server's suggestions, in the order the
server gives them; after about every 200 of these it is re-tuned. A coder gives a wrong label with probability --noise,
and keeps a wrong suggestion with probability --anchor. What is served is measured against the true labels of test.csv,
which the project never sees. With --encoder auto, Start Training is pressed as in Label Studio, and the server's
trainer tries a LoRA on the encoder, too, which takes minutes a time; else `socialite retrain --encoder head` (or lora)
is run, as cron would.

Exit code 1 when the end is not above zero-shot on average and on most tasks. The last line with --json is one object:
`curve[task]` (for each seed [labels, macro F1] from zero-shot on), `gain[task]`, `gain_mean`, `share_improved`,
`outcomes`, `anchored` (the same suggestions measured by blind labels, by answers given over them, and by the truth),
`seeds`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import platformdirs
from tqdm import tqdm

from backend.engines.encoder import EncoderEngine
from db.store import open_store, sqlite_url
from scripts.bench.coding_tasks import Row, Task, smaller, tasks
from scripts.bench.servers import BenchError, Server, socialite
from scripts.team import place
from scripts.team.coding import Coding
from scripts.team.figures import Course, sentences, summary, table
from scripts.team.line import Line
from scripts.team.plan import Plan
from scripts.team.ruler import Ruler
from scripts.team.tuning import Tuning

AT_ONCE = 3  # projects that are coded beside each other: while one is re-tuned, others go on
QUICK_TASKS = ("flute", "humor")
QUICK_TEXTS, QUICK_STEP, QUICK_TEST = 500, 400, 200


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    found = [task for task in tasks(asked.data) if not asked.task or task.name in asked.task]
    missing = sorted(set(asked.task) - {task.name for task in found})
    if missing or not found:
        print(f"{asked.data} holds no folder {' or '.join(missing)} with train.csv and test.csv.", file=sys.stderr)
        return 2
    if asked.quick:
        known = [task for task in found if task.name in QUICK_TASKS] if not asked.task else found
        found = [smaller(task, QUICK_TEST) for task in (known or found)[: len(QUICK_TASKS)]]
    plan = Plan(asked.texts, asked.coders, asked.noise, asked.anchor)
    if asked.quick:
        plan = replace(plan, texts=QUICK_TEXTS, step=QUICK_STEP)
    seeds = 1 if asked.quick else asked.seeds
    start = time.perf_counter()
    try:
        courses = run(found, plan, seeds, asked.encoder, asked.cache)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2
    report = summary(courses, anchor=plan.anchor, seeds=seeds)
    print(table(courses, report))
    print(sentences(report))
    print(f"{plan.texts} texts a project, {time.perf_counter() - start:.0f} s.")
    if asked.json:
        print(json.dumps(report))
    return 0 if report["gain_mean"] > 0 and report["share_improved"] > 0.5 else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a task")
    parser.add_argument("--task", action="append", default=[], metavar="NAME", help="this task only; may be repeated")
    parser.add_argument("--seeds", type=int, default=3, help="projects of each task, each of other texts (3)")
    parser.add_argument("--coders", type=int, default=3, help="people in the team (3)")
    parser.add_argument("--noise", type=float, default=0.1, help="how often a coder gives a wrong label (.1)")
    parser.add_argument("--anchor", type=float, default=0.0, help="how often a wrong suggestion is kept (0)")
    parser.add_argument("--texts", type=int, default=1000, help="texts of a project (1000)")
    parser.add_argument("--encoder", choices=("head", "auto", "lora"), default="head", help="what is tuned (head)")
    parser.add_argument("--quick", action="store_true", help="under a minute: two tasks, one seed, one re-tuning")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    cache = platformdirs.user_cache_path("socialite", appauthor=False) / "embeddings"
    parser.add_argument("--cache", type=Path, default=cache, help=f"where embeddings are kept ({cache})")
    return parser.parse_args(arguments)


def run(found: Sequence[Task], plan: Plan, seeds: int, encoder: str, cache: Path) -> list[Course]:
    """All projects of all tasks on one server, some beside each other; every course is printed when it is over."""
    wanted = [(task, seed) for task in found for seed in range(seeds)]
    with (
        running(encoder, cache) as (server, tuning, ruler),
        tqdm(total=len(wanted), desc="Coding", unit="project", disable=None) as bar,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):

        def course(number: int) -> Course:
            task, seed = wanted[number]
            made = place.made(tuning.store, task, drawn(task, plan.texts, seed), plan, seed, number)
            done = Coding(made, task, plan, seed, Line(server, made.key), tuning, ruler).run()
            bar.update()
            bar.write(done.line(), file=sys.stderr)
            return done

        return list(pool.map(course, range(len(wanted))))


@contextmanager
def running(encoder: str, cache: Path) -> Iterator[tuple[Server, Tuning, Ruler]]:
    """A server in a folder of its own, what re-tunes on its store, and what measures what it serves."""
    with tempfile.TemporaryDirectory(prefix="socialite-team-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with closing(open_store(sqlite_url(home))) as store, socialite(home, "encoder") as server:
            try:
                yield server, Tuning(home, store, encoder), Ruler(store, EncoderEngine(cache=cache, capacity=100_000))
            except BenchError as error:
                tail = server.log.read_text(encoding="utf-8", errors="replace")[-1500:]
                raise BenchError(f"{error}\nThe end of the server's log:\n{tail}") from error


def drawn(task: Task, n: int, seed: int) -> list[Row]:
    """So many distinct texts of train.csv, at random; all of them where there are no more."""
    rows = {fields: label for fields, label in task.train if all(text.strip() for text in fields)}
    order = np.random.default_rng([40, seed]).permutation(len(rows))
    every = list(rows.items())
    return [every[i] for i in order[:n]]


if __name__ == "__main__":
    sys.exit(main())
