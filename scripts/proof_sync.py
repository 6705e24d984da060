"""Shows that after `socialite sync` the store holds what Label Studio holds, answer for answer, whatever went wrong.

    python3 scripts/proof_sync.py [--quick] [--json] [--seed 0] [--texts 10000] [--answers 500] [--keep DIR]

A real Label Studio and a real `socialite serve` with the keyword engine, and between them a proxy that drops 10 % of
the webhooks and doubles 10 %. Texts are imported, suggestions pushed; four coders, each with an account, answer, skip,
change, delete and mark as true; meanwhile the backend is killed twice and Label Studio restarted twice, tasks and
answers are deleted in bulk, made, imported and merged, and webhooks are lost, doubled, bared and left behind. Then one
`socialite sync`, and every answer of Label Studio's own JSON export is compared with the store, and the store with
the table that `socialite export` writes; again after the late doubles have come. Exit code 1 when anything differs.

The last line with --json is one object: `differences` (0), `table_differences`, `texts`, `answers` (in Label Studio at
the end), `done` (what coders did), `tasks_deleted`, `events` (sent, dropped, doubled, unreachable, refused, late),
`backend_kills`, `label_studio_restarts`, `repairs` (what sync said), `again` (what a second sync said), `sync_s`,
`sync_again_s`, `sync_all_s`, `export_s` (Label Studio's JSON export), `sync_per_export`, `seed`, `seconds`, `ok`.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
from sqlalchemy import func, select

from db.models import Inbox
from scripts import environment
from scripts.local.waiting import StartError
from scripts.sync import mishaps
from scripts.sync.coders import Coder, Team
from scripts.sync.comparing import differences, expected_lines, exported, stored, table_lines
from scripts.sync.proxy import Proxy
from scripts.sync.world import Backend, LabelStudio, ProofError, template, until

KEY, QUESTIONS = "proof", ("humor", "offensive")
DROP = DOUBLE = 0.1
CODERS = 4
SYLLABLES = ("ba", "do", "ke", "li", "mu", "na", "po", "ri", "su", "ta", "ve", "zo")
SHOWN = 20  # differences that are printed


@dataclass(frozen=True, slots=True)
class Size:
    """How large: texts, of these in the audit and as controls, and answers."""

    texts: int
    audit: int
    answers: int


WHOLE, QUICK = Size(10_000, 60, 500), Size(1_000, 20, 100)


@dataclass
class Proof:
    """One run, in the folder `home`, and what it found so far."""

    size: Size
    seed: int
    home: Path
    report: dict[str, Any] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        began = time.perf_counter()
        venv = environment.label_studio()
        template(venv)
        started = time.perf_counter()
        self.label_studio = LabelStudio(venv, self.home)
        self.backend = Backend(self.home, self.label_studio.url)
        self.proxy = Proxy(self.backend.port, self.seed, DROP, DOUBLE)
        with ExitStack() as last:
            last.callback(self.label_studio.down)
            last.callback(self.backend.kill)
            self.proxy.start()
            last.callback(self.proxy.stop)
            self.label_studio.up()
            self.backend.up()
            self.owner = last.enter_context(self.label_studio.http())
            self._begin()
            self._code(self._coders(last))
            self._compare()
        self.report |= {"seed": self.seed, "texts": self.size.texts, "made_environment_s": round(started - began, 1)}
        self.report["seconds"] = round(time.perf_counter() - started, 1)
        self.report["ok"] = not self.report["differences"] and not self.report["table_differences"]
        return self.report

    def _begin(self) -> None:
        """Texts, projects and suggestions."""
        table = self.home / "texts.csv"
        with table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["name", "text"], *texts(self.size.texts, self.seed)])
        self.backend.run(
            "import", str(table), "--project", KEY, "--codebook", ",".join(QUESTIONS), "--id-column", "name"
        )
        sizes = ["--audit", str(self.size.audit), "--control", str(self.size.audit), "--seed", str(self.seed)]
        address = f"http://127.0.0.1:{self.proxy.port}"
        self.backend.run("connect", "--project", KEY, "--backend", address, *sizes, "--no-push")
        self.backend.run("prelabel", "--project", KEY, "--push")
        found = {project["title"]: project["id"] for project in self._get("/api/projects")["results"]}
        self.audit = found.pop(next(title for title in found if "(audit)" in title))
        (self.assisted,) = found.values()
        say(f"{self.size.texts:,} texts in Label Studio, with suggestions.")

    def _code(self, coders: list[Coder]) -> None:
        """The coders work; at certain numbers of answers something happens to them."""
        team = Team(self.size.answers)
        kills, restarts, deleted = 0, 0, 0
        threads = team.work(coders)
        for share, step in (
            (0.15, "kill"),
            (0.3, "serve"),
            (0.4, "restart"),
            (0.5, "kill"),
            (0.6, "serve"),
            (0.7, "bulk"),
            (0.8, "damage"),
            (0.9, "restart"),
        ):
            reached = int(share * self.size.answers)
            if not until(lambda reached=reached: team.done["answers"] >= reached or not alive(threads)):  # type: ignore[misc]
                raise ProofError(f"The coders came only to {team.done['answers']} answers.")
            if team.faults:
                break
            if step == "kill":
                self.backend.kill()
                kills += 1
            elif step == "serve":
                self.backend.up()
            elif step == "restart":
                self.label_studio.down()
                self.label_studio.up()
                restarts += 1
            elif step == "bulk":
                deleted += self._in_bulk()
            else:
                mishaps.damage(self.owner, self.assisted, self.audit)
            say(f"{team.done['answers']:>5} answers: {step}")
        for thread in threads:
            thread.join()
        if team.faults:
            raise team.faults[0]
        self.report |= {"done": dict(team.done), "tasks_deleted": deleted}
        self.report |= {"backend_kills": kills, "label_studio_restarts": restarts}

    def _coders(self, last: ExitStack) -> list[Coder]:
        """Four accounts, signed in until the end. Each has tasks of its own in the assisted project; those of the
        audit are everybody's.
        """
        size = {"fields": "all", "page_size": max(10 * self.size.answers, 200)}
        lot = random.Random(f"{self.seed}/tasks")
        found = []
        for project in (self.assisted, self.audit):
            tasks = self._get("/api/tasks", project=project, **size)["tasks"]
            lot.shuffle(tasks)
            found.append(tasks)
        work, blind = found
        team = []
        for n in range(CODERS):
            _, token = self.label_studio.coder(f"coder-{n}@example.org")
            mine = [*work[n : 3 * self.size.answers : CODERS], *blind]
            lot.shuffle(mine)
            http = last.enter_context(self.label_studio.http(token))
            team.append(Coder(http, iter(mine), random.Random(f"{self.seed}/{n}")))
        return team

    def _in_bulk(self) -> int:
        tasks = self._get("/api/tasks", project=self.assisted, fields="task_only", page_size=10 * self.size.answers)
        answered = [task["id"] for task in tasks["tasks"] if task["total_annotations"]]
        others = [task["id"] for task in reversed(tasks["tasks"]) if not task["total_annotations"]]
        deleted = mishaps.in_bulk(self.owner, self.assisted, answered, others)
        mishaps.two_truths(self.owner, others[10])
        return deleted + mishaps.by_hand(self.owner, self.assisted)

    def _compare(self) -> None:
        """One sync, and every answer compared; then the late doubles, and all of it again."""
        report = self.report
        report["repairs"], report["sync_s"] = timed(lambda: self.backend.sync(KEY))
        say(f"sync: {report['repairs']['sentence']}")
        theirs, report["export_s"] = timed(self._export)
        wrong = self._differing(theirs)
        self._check_hooks()
        late = self.proxy.deliver_late()
        self._wait_for_inbox()
        wrong += self._differing(exported_of(self._export()))
        report["again"], report["sync_again_s"] = timed(lambda: self.backend.sync(KEY))
        _, report["sync_all_s"] = timed(lambda: self.backend.sync(KEY, "--all"))
        wrong += self._differing(exported_of(self._export()))
        report["answers"] = len(exported_of(theirs))
        report["events"] = dict(self.proxy.counts) | {"late": late}
        report["differences"] = len(wrong)
        report["table_differences"] = self._table_differences()
        report["sync_per_export"] = round(report["sync_s"] / report["export_s"], 2)
        for line in wrong[:SHOWN]:
            say(line)

    def _export(self) -> list[dict[str, Any]]:
        return [task for project in (self.assisted, self.audit) for task in self.label_studio.export(project)]

    def _differing(self, tasks: Sequence[dict[str, Any]] | dict[int, Any]) -> list[str]:
        theirs = tasks if isinstance(tasks, dict) else exported(tasks)
        with self.backend.store() as store:
            return differences(theirs, stored(store, KEY))

    def _table_differences(self) -> int:
        table = self.home / "answers.csv"
        self.backend.run("export", "--project", KEY, "-o", str(table), "--only-coded")
        with self.backend.store() as store:
            expected, found = expected_lines(store, KEY, QUESTIONS), table_lines(table)
        for line in [*(expected - found), *(found - expected)][:SHOWN]:
            say(f"The table and the store differ in: {line}")
        return (expected - found).total() + (found - expected).total()

    def _check_hooks(self) -> None:
        """Each project has one webhook of ours that works, the stranger's is untouched, and suggestions are shown."""
        for project, others in ((self.assisted, [mishaps.STRANGER]), (self.audit, [])):
            hooks = mishaps.hooks(self.owner, project)
            mine = [hook for hook in hooks if hook["url"].endswith(f"/ls/{KEY}/webhook")]
            if len(mine) != 1 or not mine[0]["headers"] or sorted(h["url"] for h in hooks if h not in mine) != others:
                raise ProofError(f"The webhooks of project {project} are not in order: {[h['url'] for h in hooks]}")
        if not self._get(f"/api/projects/{self.assisted}")["model_version"]:
            raise ProofError("The assisted project shows no suggestion.")

    def _wait_for_inbox(self) -> None:
        waiting = select(func.count(Inbox.id)).where(Inbox.applied_at.is_(None))
        with self.backend.store() as store:

            def empty() -> bool:
                with store.reading() as s:
                    return not s.scalar(waiting)

            if not until(empty):
                raise ProofError("Events wait in the inbox, and the backend does not apply them.")

    def _get(self, path: str, **query: Any) -> Any:
        return self.owner.get(path, params=query).raise_for_status().json()


def exported_of(tasks: Sequence[dict[str, Any]]) -> dict[int, Any]:
    return dict(exported(tasks))


def texts(n: int, seed: int) -> list[tuple[str, str]]:
    """Rows (name, text) of words that are none, no two alike."""
    lot = random.Random(f"{seed}/texts")
    words = ["".join(lot.choices(SYLLABLES, k=3)) for _ in range(1200)]
    return [(f"t{number}", " ".join(lot.choices(words, k=14))) for number in range(n)]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, round(time.perf_counter() - start, 2)


def alive(threads: Sequence[Any]) -> bool:
    return any(thread.is_alive() for thread in threads)


def say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    size = QUICK if asked.quick else WHOLE
    size = Size(asked.texts or size.texts, size.audit, asked.answers or size.answers)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        home = asked.keep or Path(place)
        home.mkdir(parents=True, exist_ok=True)
        try:
            report = Proof(size, asked.seed, home).run()
        except (ProofError, StartError, httpx.HTTPError) as error:
            print(f"The proof could not be made: {error}", file=sys.stderr)
            return 2
    print(summary(report))
    if asked.json:
        print(json.dumps(report))
    return 0 if report["ok"] else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: 1,000 texts and 100 answers")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seed", type=int, default=0, help="of texts, coders and the proxy's luck (0)")
    parser.add_argument("--texts", type=int, help="texts, if not 10,000 (quick: 1,000)")
    parser.add_argument("--answers", type=int, help="answers, if not 500 (quick: 100)")
    parser.add_argument("--keep", type=Path, help="new folder in which everything is kept, the servers' logs too")
    return parser.parse_args(arguments)


def summary(report: dict[str, Any]) -> str:
    events, done = report["events"], report["done"]
    return "\n".join(
        [
            f"{done['answers']} answers by {CODERS} coders: {done.get('skipped', 0)} skipped, "
            f"{done.get('changed', 0)} changed later, {done.get('deleted', 0)} deleted, {done.get('marked', 0)} marked "
            f"as true; {report['tasks_deleted']} tasks deleted.",
            f"{events['sent']} webhooks: {events.get('dropped', 0)} dropped, {events.get('doubled', 0)} doubled "
            f"({events['late']} late), {events.get('unreachable', 0)} while the backend was dead, "
            f"{events.get('refused', 0)} refused; backend killed {report['backend_kills']} times, Label Studio "
            f"restarted {report['label_studio_restarts']} times.",
            f"sync: {report['repairs']['sentence']}",
            f"sync again: {report['again']['sentence']}",
            f"{report['answers']} answers in Label Studio, {report['differences']} differences to the store; "
            f"{report['table_differences']} between the store and the exported table.",
            f"sync {report['sync_s']} s, again {report['sync_again_s']} s, of everything {report['sync_all_s']} s; "
            f"Label Studio's JSON export {report['export_s']} s.",
            f"{'All is the same' if report['ok'] else 'NOT all is the same'}, {report['seconds']} s, seed "
            f"{report['seed']}.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
