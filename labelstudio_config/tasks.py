"""The published coding tasks: the codebooks that come with the product and name a SOCIALITE task."""

from __future__ import annotations

from labelstudio_config import library
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import CodebookError

FAMILIES = ("humor", "offensiveness", "sentiment & emotion", "trustworthiness", "other social factors")
TUNINGS = ("seen", "related")  # with the released weights' tuning; see `Provenance.tuning`


def published(family: str | None = None) -> tuple[Codebook, ...]:
    """Each published task's codebook, by family, seen ones first, then by name.

    `family` is one of FAMILIES or the beginning of one, in any case; CodebookError lists them when it is neither.
    """
    wanted = FAMILIES if family is None else (_family(family),)
    books = [book for book in map(library.load, library.names()) if book.provenance.task]
    return tuple(sorted((book for book in books if book.provenance.family in wanted), key=_place))


def _family(given: str) -> str:
    start = " ".join(given.casefold().split())
    found = [family for family in FAMILIES if start and family.startswith(start)]
    if not found:
        raise CodebookError(f"There is no family of tasks '{given}'. There are: {', '.join(FAMILIES)}.")
    return found[0]


def _place(book: Codebook) -> tuple[int, int, str]:
    origin = book.provenance
    return FAMILIES.index(origin.family), TUNINGS.index(origin.tuning), book.key
