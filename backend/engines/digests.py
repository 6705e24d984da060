"""sha256 of large files, remembered by size and time of change: 13 GB are not read again at every start."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from backend.engines import cache

FILE = "digests.json"
KEPT = 2000  # files remembered


def sha256(files: Sequence[Path]) -> str:
    """sha256 of one file, or over the names and sha256 of several: what `weights.sha256` says, remembered."""
    store = cache.folder() / FILE
    known = cache.read_json(store)
    found = {path: _known(known, path) for path in files}
    new = {path: _computed(path) for path, digest in found.items() if digest is None}
    if new:
        known = cache.read_json(store) | {_key(path): [*_stamp(path), digest] for path, digest in new.items()}
        cache.write_json(store, dict(list(known.items())[-KEPT:]))
    return together(files, [found[path] or new[path] for path in files])


def together(files: Sequence[Path], digests: Sequence[str]) -> str:
    """The digest of one file, or that of the names and digests of several."""
    if len(digests) == 1:
        return digests[0]
    listing = "".join(f"{path.name} {digest}\n" for path, digest in zip(files, digests, strict=True))
    return hashlib.sha256(listing.encode()).hexdigest()


def _known(known: dict[str, object], path: Path) -> str | None:
    """The remembered digest of a file that has not changed since."""
    value = known.get(_key(path))
    if isinstance(value, list) and len(value) == 3 and value[:2] == _stamp(path):
        return str(value[2])
    return None


def _key(path: Path) -> str:
    return str(path.resolve())


def _stamp(path: Path) -> list[int]:
    """Size in bytes and time of the last change in nanoseconds."""
    about = path.stat()
    return [about.st_size, about.st_mtime_ns]


def _computed(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
