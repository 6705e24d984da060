"""Which texts belong together: a union-find forest over text ids."""

from __future__ import annotations

from collections.abc import Iterable


class Ties:
    """Sets of ids tied to each other; each set is named by its smallest id."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._parent: dict[int, int] = {i: i for i in ids}

    def root(self, i: int) -> int:
        """The smallest id tied to `i`."""
        parent = self._parent
        parent.setdefault(i, i)
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def tie(self, a: int, b: int) -> None:
        """Put the sets of `a` and `b` together."""
        low, high = sorted((self.root(a), self.root(b)))
        self._parent[high] = low

    def tie_all(self, ids: Iterable[int]) -> None:
        """Put the sets of all `ids` together."""
        members = iter(ids)
        first = next(members, None)
        if first is not None:
            for other in members:
                self.tie(first, other)

    def roots(self) -> dict[int, int]:
        """Every id with the smallest id of its set."""
        return {i: self.root(i) for i in self._parent}
