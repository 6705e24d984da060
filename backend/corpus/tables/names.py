"""Names of variables that R, Stata, SPSS and Python take as they are: small letters, digits and '_', at most 32."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 32  # characters of a variable's name in Stata
_NOT_A_NAME = re.compile(r"[^a-z0-9]+")


class Names:
    """Gives names, none of them twice. `room` is left at the end of each for an ending such as '_pred'."""

    def __init__(self, room: int = 0) -> None:
        self._longest = LONGEST - room
        self._taken: set[str] = set()

    def fresh(self, *words: str) -> str:
        """A name made of these words, unlike those given before."""
        stem = slug("_".join(words))[: self._longest].rstrip("_")
        name, number = stem, 2
        while name in self._taken:
            ending = f"_{number}"
            name, number = stem[: self._longest - len(ending)] + ending, number + 1
        self._taken.add(name)
        return name


def slug(words: str) -> str:
    """'Party (2024)' -> 'party_2024'; letters of other scripts have no place in a name, 'v' stands for an empty one."""
    plain = unicodedata.normalize("NFKD", words.casefold()).encode("ascii", "ignore").decode()
    name = _NOT_A_NAME.sub("_", plain).strip("_")
    return name if name[:1].isalpha() else f"v{'_' * bool(name)}{name}"
