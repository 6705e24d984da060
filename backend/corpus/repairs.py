"""What a comparison with Label Studio found missing and put right, in numbers and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Repairs:
    """What was put right, here or there; `remarks` are sentences on what could not be.

    `events` waited and were applied; `answers` are versions of answers newly recorded, `moved` answers that are another
    task's now, `buried` answers and `deleted` tasks found to be gone; `made`, `mended`, `doubled` and `left` count
    webhooks set up anew, put in order, and removed (a second one of ours; one that a deleted ML backend left behind);
    `shown` projects that show suggestions again; `unreadable` tasks without a text.
    """

    events: int = 0
    answers: int = 0
    moved: int = 0
    buried: int = 0
    tasks: int = 0
    deleted: int = 0
    made: int = 0
    mended: int = 0
    doubled: int = 0
    left: int = 0
    shown: int = 0
    unreadable: int = 0
    remarks: list[str] = field(default_factory=list)

    def add(self, other: Repairs) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def __str__(self) -> str:
        parts = [_counted(getattr(self, name), *words) for name, words in _WORDS.items() if getattr(self, name)]
        said = [f"Repaired: {', '.join(parts)}." if parts else "Nothing was missing."]
        if self.unreadable:
            said.append(_counted(self.unreadable, *_UNREADABLE))
        return " ".join([*said, *self.remarks])

    def plain(self) -> dict[str, Any]:
        """The numbers by their names, and `sentence`."""
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"sentence": str(self)}


_WORDS = {
    "events": ("event applied that had waited", "events applied that had waited"),
    "answers": ("answer recorded", "answers recorded"),
    "moved": ("answer moved to its new task", "answers moved to their new tasks"),
    "buried": ("deleted answer noted", "deleted answers noted"),
    "tasks": ("new task", "new tasks"),
    "deleted": ("deleted task noted", "deleted tasks noted"),
    "made": ("lost webhook set up again", "lost webhooks set up again"),
    "mended": ("webhook put in order", "webhooks put in order"),
    "doubled": ("doubled webhook removed", "doubled webhooks removed"),
    "left": ("webhook of a removed ML backend removed", "webhooks of removed ML backends removed"),
    "shown": ("project shows suggestions again", "projects show suggestions again"),
}
_UNREADABLE = ("task has no text that can be read.", "tasks have no text that can be read.")


def _counted(n: int, one: str, several: str) -> str:
    return f"{n:,} {one if n == 1 else several}"
