"""What the store's thread does with the messages that came together: look up, have scored, store, and settle.

A suggestion leaves only after it was noted as an exposure, in one transaction with the look at (or the making of) its
text's placement and at the role of the Label Studio project that asks. So the audit gets none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from backend.assist import ledger
from backend.assist import request as answers
from backend.assist.asked import Asked, asked
from backend.assist.batcher import Job
from backend.assist.catalogue import ProjectState
from backend.assist.entry import Entry, Item, Key, Recent, TaskKey
from backend.assist.ledger import AUDIT, Piece, Recorded
from backend.assist.request import Request, Suggestion, left_out
from backend.assist.together import Fault, packed, together
from backend.engines.protocol import Engine
from db.content import content_hash, normalised
from db.store import Store, StoreError, chunks

log = logging.getLogger(__name__)
PART = 150  # tasks that one group takes up, and that one piece holds
ROWS = 950  # of a transaction
TEXTS, TASKS, CODEBOOKS = 10_000, 100_000, 256  # kept in memory
LARGEST = 2**63  # a store's numbers are below it


@dataclass(slots=True)
class Ask:
    """A request came; its tasks from `start` on are to be taken up."""

    request: Request
    start: int = 0


@dataclass(slots=True)
class Scored:
    """The engine is done with these."""

    jobs: Sequence[Job]


@dataclass(slots=True)
class Late:
    """A request's time is over: it gets what is ready."""

    request: Request


Message = Ask | Scored | Late


class Desk:
    """The work of the store's thread, and all that only this thread may touch."""

    def __init__(self, store: Store, engine: Engine, submit: Callable[[Sequence[Job]], None]) -> None:
        """`submit` takes jobs to the engine; what becomes of them comes back as a `Scored` message."""
        self._store, self._engine, self._submit = store, engine, submit
        self._known: Recent[Key, Entry] = Recent(TEXTS)
        self._tasks: Recent[TaskKey, tuple[int, int]] = Recent(TASKS)  # -> ls_task id, text id
        self._audits: set[int | None] = set()  # LsProject rows seen to be an audit's
        self._asked: Recent[tuple[int, int], tuple[int, tuple[Asked, ...]]] = Recent(CODEBOOKS)  # texts, questions
        self._scoring: dict[Key, Entry] = {}
        self._jobs: dict[Job, Entry] = {}

    @property
    def scoring(self) -> int:
        """The number of texts that are with the engine."""
        return len(self._jobs)

    def handle(self, messages: Sequence[Message]) -> tuple[list[Request], list[Ask]]:
        """The requests that are settled now, and what is left to take up of those that are too long for one group.

        A fault nobody thought of costs these requests their suggestions, and the memory of what is being scored.
        """
        try:
            return self._handled(messages)
        except Exception as error:  # noqa: BLE001 - the next group is handled whatever this one does
            requests = [message.request for message in messages if not isinstance(message, Scored)]
            for request in requests:
                request.settle_rest(answers.NOT_STORED)
            _log(error)
            self._forget()
            return _closed(requests), []

    def _forget(self) -> None:
        for memory in (self._known, self._tasks, self._scoring, self._jobs):
            memory.clear()

    def _handled(self, messages: Sequence[Message]) -> tuple[list[Request], list[Ask]]:
        touched: dict[Request, None] = {}
        items, rest = self._items([m for m in messages if isinstance(m, Ask)])
        pieces = self._ready(self._looked_up(items))
        for message in messages:
            if isinstance(message, Scored):
                pieces += (piece for job in message.jobs if job in self._jobs for piece in self._scored(job))
            else:
                touched[message.request] = None
        for pack in packed(pieces, Piece.size, ROWS):
            self._record(pack)
        touched.update((item.request, None) for piece in pieces for item in piece.items)
        for message in messages:
            if isinstance(message, Late):
                message.request.settle_rest(answers.NOT_READY)
        return _closed(touched), rest

    def _items(self, asks: Sequence[Ask]) -> tuple[list[Item], list[Ask]]:
        """At most `PART` tasks, and what is left; tasks that need no look at the store are settled at once."""
        items: list[Item] = []
        rest: list[Ask] = []
        fresh: dict[Key, Entry] = {}
        free = PART
        for ask in asks:
            stop = min(len(ask.request.tasks), ask.start + free)
            for place in range(ask.start, stop):
                item = self._item(ask.request, place, fresh)
                if isinstance(item, Item):
                    items.append(item)
                else:
                    ask.request.settle(place, item)
            free -= stop - ask.start
            if stop < len(ask.request.tasks):
                rest.append(Ask(ask.request, stop))
        return items, rest

    def _item(self, request: Request, place: int, fresh: dict[Key, Entry]) -> Item | Suggestion:
        """The task as an item, or why it gets no suggestion. `fresh` holds the texts that are new in this group."""
        task, state = request.tasks[place], request.state
        if task.ls_project_id in self._audits:
            return answers.HELD_BACK
        texts, questions = self._questions(state)
        if task.fields is None or len(task.fields) != texts:
            return answers.NO_COLUMN
        if not any(text.strip() for text in task.fields):
            return answers.NO_TEXT
        if not questions:
            return answers.NO_QUESTION
        wanted = tuple(one for one in questions if one.item(task.fields) is not None)
        if not wanted:
            return answers.NO_TEXT
        key = (state.scorer_id, state.project_id, content_hash(task.fields))
        entry = self._known.get(key) or self._scoring.get(key) or fresh.setdefault(key, Entry(key, wanted))
        if task.task_id is None or task.ls_project_id is None or not -LARGEST <= task.task_id < LARGEST:
            return Item(request, place, entry)
        return Item(request, place, entry, (task.ls_project_id, task.task_id))

    def _questions(self, state: ProjectState) -> tuple[int, tuple[Asked, ...]]:
        """How many texts the project's codebook is about, and what the engine is asked of them."""
        known = state.revision_id, state.scorer_id  # a draw may change what the scorer is shown
        found = self._asked.get(known)
        if found is None:
            found = len(state.codebook.fields), asked(self._engine, state.codebook, state.question_ids)
            self._asked.keep(known, found)
        return found

    def _looked_up(self, items: list[Item]) -> list[Item]:
        """The items with what the store knows of their texts and tasks; none, all settled, if it cannot be read."""
        for item in items:
            self._recognise(item, self._tasks.get(item.task) if item.task is not None else None)
        texts = [item for item in items if item.entry.text_id is None and item.entry.key not in self._scoring]
        tasks = [item for item in items if item.task is not None and item.ls_task_id is None]
        if texts or tasks:
            try:
                with self._store.reading() as s:
                    ledger.find_texts(s, texts)
                    there = ledger.find_tasks(s, {item.task for item in tasks if item.task is not None})
            except (StoreError, SQLAlchemyError) as error:
                _not_stored(items, error)
                return []
            for item in tasks:
                self._recognise(item, there.get(item.task) if item.task is not None else None)
        return items

    def _recognise(self, item: Item, known: tuple[int, int] | None) -> None:
        """Take over the task's id, if the task still shows this text; else it is remembered anew."""
        if item.task is not None and known is not None and known[1] == item.entry.text_id:
            item.ls_task_id = known[0]
            self._tasks.keep(item.task, known)

    def _ready(self, items: Iterable[Item]) -> list[Piece]:
        """The texts whose scores are there, with those who asked; the others go to the engine."""
        ready: dict[Entry, list[Item]] = {}
        jobs: list[Job] = []
        for item in items:
            entry = item.entry
            if entry.stream == AUDIT:
                item.settle(answers.HELD_BACK)
            elif not entry.missing:
                ready.setdefault(entry, []).append(item)
            else:
                entry.waiting.append(item)
                if entry.key not in self._scoring:
                    jobs.append(self._job(item))
        if jobs:
            self._submit(jobs)
        return [piece for entry, waiting in ready.items() for piece in _pieces(entry, waiting)]

    def _job(self, item: Item) -> Job:
        entry, state = item.entry, item.request.state
        job = Job(entry.key[:2], entry.missing, normalised(item.fields), state.adapter, position=item.place)
        self._scoring[entry.key] = self._jobs[job] = entry
        return job

    def _scored(self, job: Job) -> list[Piece]:
        """The text with its new scores, and those who wait for it."""
        entry, outcome = self._jobs.pop(job), job.outcome
        del self._scoring[entry.key]
        waiting, entry.waiting = entry.waiting, []
        entry.scores.update({question: values for question, (values, _) in outcome.scores.items()})
        pieces = _pieces(entry, waiting)
        pieces[0].rows = [(question, values, cut) for question, (values, cut) in outcome.scores.items()]
        for piece in pieces:
            piece.problem = outcome.problem
        return pieces

    def _record(self, pieces: Sequence[Piece]) -> None:
        """Store the pieces, and settle those who wait; what cannot be noted as handed out is not."""
        for piece in pieces:
            _read(piece)
        for part, records in together(self._store, pieces, ledger.record):
            items = [(piece, item) for piece in part for item in piece.items]
            if isinstance(records, Fault):
                _not_stored((item for _, item in items), records.error)
                self._known.clear()
                self._tasks.clear()
                continue
            for (piece, item), recorded in zip(items, records, strict=True):
                self._settle(piece, item, recorded)

    def _settle(self, piece: Piece, item: Item, recorded: Recorded) -> None:
        entry, place = item.entry, recorded.place
        if place is None:
            self._audits.add(item.asking)
            item.settle(answers.HELD_BACK)
            return
        entry.text_id, entry.stream, entry.rank = place.text_id, place.stream, place.rank
        self._known.keep(entry.key, entry)
        if place.ls_task_id is not None:
            self._recognise(item, (place.ls_task_id, place.text_id))
        if place.stream == AUDIT:
            item.settle(answers.HELD_BACK)
        elif recorded.exposed:
            item.settle(entry.suggestion(item.request.state))
        else:
            item.settle(left_out(piece.problem))


def _closed(requests: Iterable[Request]) -> list[Request]:
    """Those that have all their answers, each given once."""
    done = [request for request in requests if request.settled and not request.closed]
    for request in done:
        request.closed = True
    return done


def _pieces(entry: Entry, items: Iterable[Item]) -> list[Piece]:
    """The text with those who ask for it, in pieces that fit a transaction."""
    return [Piece(entry, part, []) for part in chunks(items, PART)]


def _read(piece: Piece) -> None:
    """Read the scores before they are handed out; such as do not fit the codebook are a problem."""
    try:
        if not piece.problem:
            for item in piece.items:
                piece.entry.read(item.request.state)
    except Exception as error:  # noqa: BLE001 - what one text's scores do may not touch the others
        _log(error)
        piece.problem = answers.UNREADABLE.reason


def _not_stored(items: Iterable[Item], error: Exception) -> None:
    _log(error)
    for item in items:
        item.settle(answers.NOT_STORED)


def _log(error: Exception) -> None:
    """The kind of fault alone: a message may quote a text."""
    log.error("Suggestions were held back: %s", type(error).__name__)
