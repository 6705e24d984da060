"""One text as the service keeps it in memory: what the store knows of it, and who waits for its scores."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from backend.assist.asked import Asked, Values, read
from backend.assist.catalogue import ProjectState
from backend.assist.order import order_score
from backend.assist.request import Request, Suggestion
from labelstudio_config.regions import Region

Key = tuple[int, int, str]  # scorer, project, content hash
TaskKey = tuple[int, int]  # our LsProject row, Label Studio's task id

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Reading(NamedTuple):
    """What a text's scores say under one release."""

    release_id: int
    regions: list[Region]
    margins: list[float]


@dataclass(slots=True, eq=False)
class Entry:
    """A text under one scorer. `scores` holds log-probabilities [K] by question id.

    Id, stream and rank are None until the text is stored and placed; what they are then stays.
    """

    key: Key
    wanted: tuple[Asked, ...]  # the questions that are about texts which are not blank
    text_id: int | None = None
    stream: str | None = None
    rank: int | None = None
    scores: dict[int, Values] = field(default_factory=dict)
    waiting: list[Item] = field(default_factory=list)
    _reading: Reading | None = None

    @property
    def missing(self) -> tuple[Asked, ...]:
        """The questions whose scores are not there yet."""
        return tuple(one for one in self.wanted if one.question_id not in self.scores)

    def read(self, state: ProjectState) -> Reading:
        """The scores, all of which must be there, under the state's release; an exception where they do not fit it."""
        if self._reading is None or self._reading.release_id != state.release_id:
            scores = [(one, self.scores[one.question_id]) for one in self.wanted]
            said = read(state.codebook, scores, state.temperatures, ticked=state.manner.ticked)
            self._reading = Reading(state.release_id, *said)
        return self._reading

    def suggestion(self, state: ProjectState) -> Suggestion:
        """What is suggested for the text, which must be placed."""
        reading = self.read(state)
        return Suggestion(reading.regions, order_score(self.stream or "", self.rank, reading.margins))


@dataclass(slots=True, eq=False)
class Item:
    """One task of a request, and the text it holds."""

    request: Request
    place: int
    entry: Entry
    task: TaskKey | None = None
    ls_task_id: int | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The task's texts, in the codebook's order."""
        return self.request.tasks[self.place].fields or ()

    @property
    def asking(self) -> int | None:
        """Our LsProject row whose task it is."""
        return self.request.tasks[self.place].ls_project_id

    @property
    def open(self) -> bool:
        """Whether somebody still waits for an answer."""
        return self.request.answers[self.place] is None and not self.request.abandoned

    def settle(self, answer: Suggestion) -> None:
        self.request.settle(self.place, answer)


class Recent(Generic[K, V]):
    """The values that were used last, up to a number of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def keep(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def clear(self) -> None:
        self._values.clear()
