"""The user's cache folder: converted weights, their digests, the authors' instructions. It may be deleted any time."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from backend.engines.protocol import EngineError

VARIABLE = "SOCIALITE_CACHE"


def folder() -> Path:
    """Where socialite keeps what it can make again: `SOCIALITE_CACHE`, else the user's cache folder."""
    given = os.environ.get(VARIABLE)
    return Path(given).expanduser().absolute() if given else platformdirs.user_cache_path("socialite", appauthor=False)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty when there is none, or when it is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object so that a reader finds all of it, or what was there before."""
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            part.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which gets the name `target` when the block has ended well, and is removed when it has not.

    Where somebody else has made `target` meanwhile, theirs stays.
    """
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    with _told(target):
        part.mkdir(parents=True)
    try:
        yield part
        with _told(target):
            _named(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _named(part: Path, target: Path) -> None:
    try:
        part.rename(target)
    except OSError:
        if not target.is_dir():
            raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"{path} cannot be written ({error.strerror or type(error).__name__}). "
            f"Free some space, or name another cache folder in {VARIABLE}."
        ) from error
