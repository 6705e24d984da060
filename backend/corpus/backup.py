"""A project as one file: its rows as JSON lines, the files of its adapters, and a manifest with the sha256 of each.

The file is a zip archive. `manifest.json` says what it is; `rows/TABLE.jsonl` has a row a line, with the ids that they
had; `adapters/DIGEST/` are an adapter's files.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import owned, projects, upgrade
from db.base import Base
from db.models import Adapter, Project
from db.plain import plain_rows
from db.store import Store

FORMAT = 1
ENDING = ".socialite"
MANIFEST = "manifest.json"
BLOCK = 1 << 20  # bytes
Report = Callable[[int, int], None]
_ADAPTERS = Base.metadata.tables["adapter"]


class BackupError(Exception):
    """A backup cannot be written or read; the message says why, and what to do."""


@dataclass
class Written:
    """What went into a backup: rows by table, adapters with files, and what is missing."""

    rows: dict[str, int] = field(default_factory=dict)
    adapters: int = 0
    remarks: list[str] = field(default_factory=list)


def check_output(path: Path, *, overwrite: bool) -> None:
    """BackupError when no backup can be written there."""
    if path.suffix != ENDING:
        raise BackupError(f"A backup's name ends in {ENDING}: give -o {path.stem or 'project'}{ENDING}.")
    if path.exists() and not overwrite:
        raise BackupError(f"{path} exists already. Give another name, or --overwrite.")
    if not path.parent.is_dir():
        raise BackupError(f"There is no folder {path.parent}. Make it, or give another.")


def back_up(store: Store, key: str, path: Path, report: Report, *, overwrite: bool = False) -> Written:
    """Write the project to a file that only its owner may read; all of it or nothing. It is as the store is now,
    whatever happens meanwhile.
    """
    check_output(path, overwrite=overwrite)
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        with _private(part) as file, store.reading() as s:
            found = _write(store, s, projects.by_key(s, key), file, report)
        part.replace(path)
    except OSError as error:
        raise BackupError(f"The backup cannot be written to {path}: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    return found


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    """A new file, on the disk when it is closed."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "w+b") as f:
        yield f
        f.flush()
        os.fsync(f.fileno())


def _write(store: Store, s: Session, project: Project, file: IO[bytes], report: Report) -> Written:
    found, sums, adapters = Written(), dict[str, str](), dict[str, list[str]]()
    tables = [*owned.tables(), *owned.shared()]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=6) as archive:
        for number, table in enumerate(tables):
            name = rows_of(table.name)
            lines = _lines(plain_rows(s, table, project.id))
            found.rows[table.name], sums[name] = _put(archive, name, lines)
            report(number + 1, len(tables))
        used = select(Adapter).where(owned.referred(_ADAPTERS, project.id)).order_by(Adapter.id)
        for adapter in s.scalars(used):
            adapters[adapter.digest] = _adapter(store, archive, adapter, sums, found)
        about = {
            "format": FORMAT,
            "program": version("socialite"),
            "schema": upgrade.revisions()[-1],
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "project": {"key": project.key, "title": project.title},
            "rows": found.rows,
            "adapters": adapters,
            "sha256": sums,
        }
        archive.writestr(MANIFEST, json.dumps(about, indent=2, ensure_ascii=False) + "\n")
    return found


def rows_of(table: str) -> str:
    return f"rows/{table}.jsonl"


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row).encode("ascii") + b"\n"


def _put(archive: zipfile.ZipFile, name: str, parts: Iterable[bytes]) -> tuple[int, str]:
    """How many parts went into a file of the archive, and its sha256."""
    n, digest = 0, hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as out:
        for part in parts:
            n += 1
            digest.update(part)
            out.write(part)
    return n, digest.hexdigest()


def _adapter(
    store: Store, archive: zipfile.ZipFile, adapter: Adapter, sums: dict[str, str], found: Written
) -> list[str]:
    """The names of an adapter's files, which are put in; none where it was retired."""
    folder = store.folder(adapter.path)
    if adapter.retired_at is not None:
        return []
    if not folder.is_dir():
        found.remarks.append(f"The files of adapter {adapter.id} are not in {folder}: they are not in the backup.")
        return []
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    for name in names:
        place = file_of(adapter.digest, name)
        with (folder / name).open("rb") as source:
            _, sums[place] = _put(archive, place, iter(lambda: source.read(BLOCK), b""))
    found.adapters += 1
    return names


def file_of(digest: str, name: str) -> str:
    return f"adapters/{digest}/{name}"
