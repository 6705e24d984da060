"""How a text file is encoded: by its mark, or found out and checked against all of it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.corpus.tables.cells import BROKEN, MARKED

_PART = 1 << 16
_SAMPLE = 1 << 18  # bytes that the guess is made from
_ENOUGH = 24  # bytes that are no ASCII, from which a language can be told
_MARKS = (  # the longer before the shorter
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASCII = re.compile(rb"[\x00-\x7f]+")


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, and what to say of it. `broken`: places of the file that do not decode."""

    name: str
    broken: int
    remark: str = ""


def marked(path: Path) -> str:
    """The encoding that the mark at the file's beginning says, '' without one."""
    with path.open("rb") as file:
        head = file.read(4)
    return next((name for mark, name in _MARKS if head.startswith(mark)), "")


def encoding_of(path: Path) -> Encoding:
    """The encoding of a file: what its mark says, UTF-8 if all or most of it is, else what fits its bytes best."""
    if by_mark := marked(path):
        return Encoding(by_mark, _broken(path, by_mark)[0])
    head = _head(path)
    for name in _by_zeros(head):
        if not _broken(path, name)[0]:
            return Encoding(name, 0, _remark(path, name))
    broken, other = _broken(path, "utf-8")
    if not broken:
        return Encoding("utf-8", 0)
    if other > 2 * broken:
        return Encoding("utf-8", broken, f"{path.name} is UTF-8 but for {broken:,} places.")
    found = min(_guesses(head or b""), key=lambda name: _broken(path, name)[0])
    return Encoding(found, _broken(path, found)[0], _remark(path, found))


def _remark(path: Path, name: str) -> str:
    return f"{path.name} is not UTF-8; it is read as {name}. Save it as UTF-8 if letters look wrong."


def _broken(path: Path, encoding: str) -> tuple[int, int]:
    """Places of the file that do not decode, and characters that do and are no ASCII."""
    broken = other = 0
    for text in _parts(path, encoding):
        if not text.isascii():
            lost = text.count(BROKEN)
            broken += lost
            other += sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) - lost
    return broken, other


def _parts(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, errors=MARKED, newline="") as file:
        while text := file.read(_PART):
            yield text


def _head(path: Path) -> bytes:
    """The beginning of the file, and of a long one the parts further on that are not ASCII."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
        while len(head) < 2 * _SAMPLE and (part := file.read(_PART)):
            if not part.isascii():
                head += part
    return head


def _by_zeros(head: bytes) -> Iterator[str]:
    """Wide encodings without a mark: of Western text every second byte, or three of four, are zero."""
    zeros = [head[at::4].count(0) * 4 / max(1, len(head)) for at in range(4)]
    patterns = {
        "utf-32-le": (0, 1, 1, 1),
        "utf-32-be": (1, 1, 1, 0),
        "utf-16-le": (0, 1, 0, 1),
        "utf-16-be": (1, 0, 1, 0),
    }
    for name, pattern in patterns.items():
        if all(share > 0.3 if zero else share < 0.2 for share, zero in zip(zeros, pattern, strict=True)):
            yield name


def _guesses(head: bytes) -> list[str]:
    """Encodings that may be the file's, the likeliest first; what Windows writes in the West when there is little to
    tell from.
    """
    western = ["cp1252", "latin-1"]
    if len(_ASCII.sub(b"", head)) < _ENOUGH:
        return western
    from charset_normalizer import from_bytes

    found = [match.encoding for match in from_bytes(head)]
    return [name for name in found[:3] if name != "ascii"] + western
