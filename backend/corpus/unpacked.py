"""A backup as it is read: checked as a whole before anything of it is used."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from backend.corpus.backup import BLOCK, FORMAT, MANIFEST, BackupError, file_of, rows_of
from db import upgrade


class Backup:
    """An open backup file."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, about: dict[str, Any]) -> None:
        self.path, self._archive = path, archive
        self.schema, self.key = str(about["schema"]), str(about["project"]["key"])
        self.counts: dict[str, int] = about["rows"]
        self.adapters: dict[str, list[str]] = about["adapters"]
        self._sums: dict[str, str] = about["sha256"]

    def check(self) -> None:
        """BackupError unless each file in it is what was written, and none is missing."""
        expected = {rows_of(table) for table in self.counts}
        expected |= {file_of(digest, name) for digest, names in self.adapters.items() for name in names}
        if expected != self._sums.keys() or not all(map(_harmless, expected)):
            raise damaged(self.path)
        for name, expected_sum in self._sums.items():
            digest = hashlib.sha256()
            try:
                with self._archive.open(name) as file:
                    while block := file.read(BLOCK):
                        digest.update(block)
            except (KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                raise damaged(self.path) from error
            if digest.hexdigest() != expected_sum:
                raise damaged(self.path)

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table as they were written; none of one that was not there yet."""
        if table in self.counts:
            with self._archive.open(rows_of(table)) as lines:
                yield from map(json.loads, lines)

    def extract(self, digest: str, folder: Path) -> None:
        """Write an adapter's files to a new folder that only its owner may read."""
        for name in self.adapters[digest]:
            target = folder / PurePosixPath(name)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._archive.open(file_of(digest, name)) as source, _new(target) as out:
                while block := source.read(BLOCK):
                    os.write(out, block)


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """The backup in a file, whole. BackupError when it is none, is damaged, or was written by a newer program."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise BackupError(
            f"{path} cannot be read: {error.strerror}. Give a file that `socialite project backup` wrote."
        ) from error
    except zipfile.BadZipFile as error:
        raise damaged(path) from error
    with archive:
        backup = Backup(path, archive, _about(path, archive))
        backup.check()
        yield backup


def _about(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        about = json.loads(archive.read(MANIFEST))
        newer = about["format"] > FORMAT or about["schema"] not in upgrade.revisions()
        _ = (about["project"]["key"], about["rows"].keys(), about["adapters"].keys(), about["sha256"].keys())
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(path) from error
    if newer:
        raise BackupError(
            f"{path.name} was written by a newer socialite ({about.get('program', 'unknown')}, tables at "
            f"{about['schema']}). Update this installation; nothing was changed."
        )
    return dict(about)


def damaged(path: Path) -> BackupError:
    return BackupError(
        f"{path.name} is damaged: what is in it is not what was written (a copy that broke off?). Copy it again, or "
        "take another backup; nothing was changed."
    )


def _harmless(name: str) -> bool:
    """Whether a name stays inside the folder that it is written to, on every system."""
    parts = PurePosixPath(name).parts
    return not any(part in ("..", "/") or set(part) & set('\\:*?"<>|') for part in parts)


@contextmanager
def _new(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
