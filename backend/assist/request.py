"""What is asked for some tasks at once, and the suggestions it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from backend.assist.catalogue import ProjectState
from backend.assist.order import NOWHERE
from labelstudio_config.regions import Region


@dataclass(frozen=True, slots=True)
class TaskIn:
    """A task to suggest labels for.

    `fields` are its texts in the codebook's order, None where a column is missing; `ls_project_id` is the id of our
    `LsProject` row, None where Label Studio did not say which project asks.
    """

    task_id: int | None
    fields: tuple[str, ...] | None
    ls_project_id: int | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The regions that suggest labels, perhaps none; or `result` is None: no suggestion, for the `reason` given.

    `score` is the place in the order in which coders should see the tasks, the lowest first; always finite.
    """

    result: list[Region] | None
    score: float
    reason: str = ""


def left_out(reason: str) -> Suggestion:
    return Suggestion(None, NOWHERE, reason)


NO_COLUMN = left_out("The task lacks a column that the codebook's text is read from.")
NO_TEXT = left_out("The task's text is empty.")
NO_QUESTION = left_out("The engine can suggest an answer to none of the codebook's questions.")
HELD_BACK = left_out("The text belongs to the audit, which is coded without suggestions.")
NOT_READY = left_out("The suggestion is not ready yet; it will be when the task is opened again.")
NOT_STORED = left_out("The suggestion could not be noted in the store, so it is not shown. Look at the server's log.")
UNREADABLE = left_out("The scores in the store do not fit the codebook.")
CLOSED = left_out("The service is ending.")


class Request:
    """Tasks that were asked for at once. The store's thread settles them; `future` belongs to the event loop."""

    __slots__ = ("_open", "abandoned", "answers", "channel", "closed", "future", "loop", "state", "tasks")

    def __init__(
        self, state: ProjectState, tasks: Sequence[TaskIn], channel: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.state, self.tasks, self.channel, self.loop = state, tasks, channel, loop
        self.future: asyncio.Future[list[Suggestion]] = loop.create_future()
        self.answers: list[Suggestion | None] = [None] * len(tasks)
        self.closed = False  # the store's thread is done with it
        self.abandoned = False  # answered without waiting for the store any longer
        self._open = len(tasks)

    @property
    def settled(self) -> bool:
        """Whether every task has its answer."""
        return self._open == 0

    def settle(self, place: int, answer: Suggestion) -> None:
        """Answer for one task; what was answered stays."""
        if self.answers[place] is None:
            self.answers[place] = answer
            self._open -= 1

    def settle_rest(self, answer: Suggestion) -> None:
        """Answer for the tasks that have no answer yet."""
        for place in range(len(self.tasks)):
            self.settle(place, answer)

    def resolve(self) -> None:
        """Hand the answers out; in the event loop."""
        if not self.future.done():
            self.future.set_result([answer for answer in self.answers if answer is not None])

    def abandon(self, answer: Suggestion) -> None:
        """Answer without what is on its way; in the event loop."""
        if not self.future.done():
            self.abandoned = True
            self.future.set_result([answer] * len(self.tasks))
