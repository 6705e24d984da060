"""How a text file is encoded: by its mark, or found out and checked against all of it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.corpus.tables.cells import BROKEN, MARKED

_PART = 1 << 16
_FEWEST = 3  # letters with accents that speak for another encoding than that of Windows in the West
_SAMPLE = 1 << 18  # bytes that the guess is made from
_ENOUGH = 24  # bytes that are no ASCII, from which a language can be told
_MARKS = (  # the longer before the shorter
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = (
    ("utf-32-le", (False, True, True, True)),
    ("utf-32-be", (True, True, True, False)),
    ("utf-16-le", (False, True, False, True)),
    ("utf-16-be", (True, False, True, False)),
)
_WESTERN = (  # letters with accents of languages; capitals are added
    *("äöüßé", "àâæçéèêëîïôœùûüÿ", "áéíóúüñïç", "àèéìíîòóùú", "áâãàçéêíóôõúü", "ëïéèöüáó", "æøåéäöü", "áðéíóúýþæö"),
)
_EASTERN = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţșț")
_SIGNS = "€‚„…‘’“”•–—«»°§´·¿¡£©®™\xa0"
_ALPHABETS = tuple(
    (name, tuple(letters + letters.upper() for letters in alphabets))
    for name, alphabets in (
        ("cp1252", _WESTERN),
        ("cp1250", _EASTERN),
        ("cp1254", ("çğıöşüâîûİ",)),
        ("iso8859_2", _EASTERN),
        ("mac_roman", _WESTERN),
        ("cp850", _WESTERN),
    )
)
_LETTERS = re.compile(rb"[A-Za-z]+")
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
        return Encoding(
            "utf-8", broken, f"{path.name} is UTF-8 but for {broken:,} {'place' if broken == 1 else 'places'}."
        )
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
    """Wide encodings without a mark: what is ASCII (the names of columns, separators) has zeros in its other bytes."""
    shares = [head[at::4].count(0) * 4 / max(1, len(head)) for at in range(4)]
    for name, zeros in _WIDE:
        begins = tuple(byte == 0 for byte in head[:4]) == zeros
        if begins and all(share > 0.05 for share, zero in zip(shares, zeros, strict=True) if zero):
            yield name


def _guesses(head: bytes) -> list[str]:
    """Encodings that may be the file's, the likeliest first."""
    others = _ASCII.sub(b"", head)
    western = ["cp1252", "latin-1"]
    latin = _latin(others, sum(map(len, _LETTERS.findall(head))))
    if latin:
        return [latin, *western]
    if len(others) < _ENOUGH:
        return western
    from charset_normalizer import from_bytes

    return [match.encoding for match in from_bytes(head)][:3] + western


def _latin(others: bytes, ascii_letters: int) -> str:
    """The encoding in which nearly all letters with accents are of one language's alphabet; '' when it is none, or too
    many of all letters have one.
    """
    if len(others) > ascii_letters / 2:
        return ""
    best, found = 0.9, ""
    for name, languages in _ALPHABETS:
        fewest = 1 if name == "cp1252" else _FEWEST
        text = others.decode(name, errors="replace")
        letters = [letter for letter in text if letter.isalpha()]
        odd = len(text) - len(letters) - sum(map(text.count, _SIGNS))
        for language in languages:
            share = sum(letter in language for letter in letters) / max(1, len(letters) + odd)
            if share > best and len(letters) >= fewest:
                best, found = share, name
    return found
