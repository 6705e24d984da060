"""What can be wrong with a store, in sentences."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used. Look at the address or the file that was given as the database."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.__doc__)


class StoreBusyError(StoreError):
    """Another process has been writing to the store for too long. Wait for it to end, or stop it, and try again."""


class ProjectNotFoundError(StoreError, LookupError):
    """There is no project with this key."""

    def __init__(self, key: str, known: list[str]) -> None:
        there = f"There are: {', '.join(known)}." if known else "There is none yet; `socialite connect` makes one."
        super().__init__(f"There is no project '{key}'. {there}")


class ProjectArchivedError(StoreError):
    """The project is archived."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The project '{key}' is archived. `socialite project unarchive {key}` takes it up again.")


class ProjectBusyError(StoreError):
    """Somebody works on the project just now; the message says who."""


class RevisionNotFoundError(StoreError, LookupError):
    """The project has no revision of its codebook with this number."""

    def __init__(self, number: int, highest: int) -> None:
        there = f"They are 1 to {highest}." if highest else "It has no codebook yet; `socialite connect` gives it one."
        super().__init__(f"The codebook has no revision {number}. {there}")
