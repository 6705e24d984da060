"""A simulated team codes one project: the audit blind, all else over suggestions, with re-tunings in between."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from db.models import Answer, AnswerVersion, GateDecision, LsProject
from labelstudio_config.regions import Region
from scripts.bench.coding_tasks import Task
from scripts.bench.servers import BenchError
from scripts.team import messages
from scripts.team.coder import team
from scripts.team.figures import Course, Look, Yardsticks
from scripts.team.line import Line
from scripts.team.place import LabelStudioProject, Place
from scripts.team.plan import Plan
from scripts.team.ruler import Ruler, macro_f1
from scripts.team.tuning import Tuning

AT_ONCE = 100  # tasks of one Retrieve Predictions
RELOADS = 5  # of a page whose suggestions are not ready


@dataclass(slots=True)
class Assisted:
    """What was coded over suggestions: true label, suggestion and answer of each text, in the order of coding."""

    truth: list[str] = field(default_factory=list)
    suggested: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.truth)


class Coding:
    """One project's coders at work. `run` once."""

    def __init__(
        self, place: Place, task: Task, plan: Plan, seed: int, line: Line, tuning: Tuning, ruler: Ruler
    ) -> None:
        self._place, self._task, self._plan, self._seed = place, task, plan, seed
        self._line, self._tuning, self._ruler = line, tuning, ruler
        *self._coders, self._judge = team(plan.coders, plan.noise, plan.anchor, seed)
        self._annotations, self._predictions = itertools.count(1), itertools.count(1)
        self._sent: Counter[str] = Counter()  # answers by origin
        self._gate: dict[int, str] = {}  # task -> the label that the blind coders came to
        self._assisted = Assisted()

    def run(self) -> Course:
        """The whole course. BenchError when the product lost or misread something."""
        place, task = self._place, self._task
        seen = {fields for project in (place.assisted, place.audit) for fields, _ in project.tasks.values()}
        unseen = [row for row in task.test if row[0] not in seen]
        zero_shot = self._measured(unseen)
        self._code_blind()
        looks: list[Look] = []
        left = list(place.assisted.tasks)
        parts = self._plan.looks(len(left) - len(place.controls))
        parts[0] += len(place.controls)  # which are served first
        for part in parts:
            version = self._version()
            left = self._in_order(left, version)
            now, left = left[:part], left[part:]
            for number in now:
                self._code_assisted(number, version)
            decision = self._tuned()
            looks.append(self._look(decision, self._measured(unseen)))
        self._check_stored()
        return Course(task.name, self._seed, zero_shot, tuple(looks), self._yardsticks(), self._sent)

    def _measured(self, rows: Sequence[tuple[tuple[str, ...], str]]) -> float:
        """Macro F1 of what is served now, against the true labels of the rows."""
        guess = self._ruler.labels(self._place.key, [fields for fields, _ in rows])
        return macro_f1(self._task, [label for _, label in rows], guess)

    def _code_blind(self) -> None:
        """The audit, in its order: each text by the coders whose turn it is; who disagree are settled by the judge."""
        turns = itertools.cycle(self._coders)
        labels = self._task.question.label_ids
        for number, (_, truth) in self._place.audit.tasks.items():
            given = []
            for coder in itertools.islice(turns, self._plan.blind):
                given.append(coder.answer(truth, labels))
                self._submit_blind(number, coder.user, given[-1])
            if len(set(given)) > 1:
                given = [self._judge.answer(truth, labels)]
                self._submit_blind(number, self._judge.user, given[0], ground_truth=True)
            if number in self._place.gate:
                self._gate[number] = given[0]

    def _submit_blind(self, number: int, user: int, label: str, *, ground_truth: bool = False) -> None:
        result = messages.blind(self._place.codebook, self._task.question, label)
        self._submit(self._place.audit, "human", number, user, result, ground_truth=ground_truth)

    def _version(self) -> str:
        return str(self._line.post("/setup", messages.setup(self._place.assisted))["model_version"])

    def _in_order(self, numbers: Sequence[int], version: str) -> list[int]:
        """The open tasks as Label Studio serves them: those with the lowest score first."""
        scores: dict[int, float] = {}
        for at in range(0, len(numbers), AT_ONCE):
            part = numbers[at : at + AT_ONCE]
            scores |= {n: one["score"] for n, one in zip(part, self._suggested(part, version), strict=True)}
        return sorted(numbers, key=lambda number: (scores[number], number))

    def _suggested(self, numbers: Sequence[int], version: str) -> list[messages.Json]:
        """What /predict suggests for these tasks; BenchError unless it does for each, under the version of /setup.

        What was not ready in time is asked for again, as a coder does who loads the page again.
        """
        results: list[messages.Json] = []
        for _ in range(RELOADS):
            results = self._line.post("/predict", messages.predict(self._place.assisted, numbers))["results"]
            if all(one.get("result") for one in results):
                break
        said = {one.get("model_version") for one in results if one.get("result")}
        if len(results) != len(numbers) or not all(one.get("result") for one in results):
            raise BenchError(f"/predict gave {self._place.key} no suggestion for some of {len(numbers)} tasks.")
        if said != {version}:
            raise BenchError(f"/predict says {said} where /setup says {version}, so Label Studio would ask again.")
        return results

    def _code_assisted(self, number: int, version: str) -> None:
        """A coder opens a task, sees the suggestion, and submits."""
        book, question = self._place.codebook, self._task.question
        truth = self._place.assisted.tasks[number][1]
        coder = self._coders[len(self._assisted) % len(self._coders)]
        shown: list[Region] = self._suggested([number], version)[0]["result"]
        suggestion = messages.suggestion(book, question, shown)
        label = coder.answer(truth, question.label_ids, suggestion)
        result = messages.over(book, question, label, shown)
        origin = "kept" if label == suggestion else "changed"
        self._submit(self._place.assisted, origin, number, coder.user, result, prediction=next(self._predictions))
        self._assisted.truth.append(truth)
        self._assisted.suggested.append(suggestion)
        self._assisted.answers.append(label)

    def _submit(
        self,
        project: LabelStudioProject,
        origin: str,
        number: int,
        user: int,
        result: Sequence[Region],
        *,
        prediction: int | None = None,
        ground_truth: bool = False,
    ) -> None:
        event = messages.created(
            project,
            annotation=next(self._annotations),
            task=number,
            user=user,
            result=result,
            prediction=prediction,
            ground_truth=ground_truth,
        )
        self._line.post("/webhook", event)
        self._sent[origin] += 1

    def _tuned(self) -> GateDecision:
        """The gate's decision; BenchError when it did not read just the labels that the team gave it."""
        decision = self._tuning.run(self._place, self._line)
        if decision.n != len(self._gate):
            raise BenchError(f"The gate of {self._place.key} read {decision.n} labels; {len(self._gate)} were given.")
        return decision

    def _look(self, decision: GateDecision, truth: float) -> Look:
        return Look(
            labels=len(self._assisted) - len(self._place.controls),
            outcome=decision.outcome,
            n=decision.n,
            delta=decision.delta,
            lower=decision.lower,
            upper=decision.upper,
            truth=truth,
        )

    def _check_stored(self) -> None:
        """Every answer is in the store, with the origin that it had."""
        query = (
            select(AnswerVersion.origin, func.count())
            .join(Answer, Answer.id == AnswerVersion.answer_id)
            .join(LsProject, LsProject.id == Answer.ls_project_id)
            .where(LsProject.project_id == self._place.project_id)
            .group_by(AnswerVersion.origin)
        )
        with self._tuning.store.reading() as s:
            found = {row[0]: row[1] for row in s.execute(query)}
        if found != dict(self._sent):
            raise BenchError(f"{self._place.key}: the store holds {found}, but the team gave {dict(self._sent)}.")

    def _yardsticks(self) -> Yardsticks:
        gate = sorted(self._gate)
        rows = [self._place.audit.tasks[number] for number in gate]
        guess = self._ruler.labels(self._place.key, [fields for fields, _ in rows])
        said = self._assisted
        return Yardsticks(
            gate_f1=macro_f1(self._task, [self._gate[number] for number in gate], guess),
            true_f1=macro_f1(self._task, [label for _, label in rows], guess),
            assisted_f1=macro_f1(self._task, said.answers, said.suggested),
            assisted_true_f1=macro_f1(self._task, said.truth, said.suggested),
        )
