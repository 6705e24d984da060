"""Many pieces of work in one transaction, and apart where one of them spoils it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.store import Store, StoreError

P = TypeVar("P")
R = TypeVar("R")


class Fault(NamedTuple):
    """The store did not take these pieces."""

    error: Exception


def together(
    store: Store, pieces: Sequence[P], act: Callable[[Session, Sequence[P]], R]
) -> Iterator[tuple[Sequence[P], R | Fault]]:
    """`act(s, pieces)` in one transaction; where that fails, in halves, until a piece at fault stands alone.

    Gives each part with what `act` returned for it, or with the fault. A store that is busy or away is not asked again
    for the halves.
    """
    try:
        with store.writing() as s:
            result = act(s, pieces)
    except (StoreError, OperationalError) as error:
        yield pieces, Fault(error)
    except Exception as error:  # noqa: BLE001 - what one piece does may not touch the others
        if len(pieces) == 1:
            yield pieces, Fault(error)
        else:
            half = len(pieces) // 2
            yield from together(store, pieces[:half], act)
            yield from together(store, pieces[half:], act)
    else:
        yield pieces, result


def packed(pieces: Iterable[P], size: Callable[[P], int], most: int) -> Iterator[list[P]]:
    """The pieces in order, in lists whose sizes sum to at most `most`, unless one piece alone is larger."""
    pack: list[P] = []
    total = 0
    for piece in pieces:
        if pack and total + size(piece) > most:
            yield pack
            pack, total = [], 0
        pack.append(piece)
        total += size(piece)
    if pack:
        yield pack
