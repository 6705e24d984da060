"""Backs up every project of socialite, and Label Studio beside it: for a clock such as cron or systemd.

    python3 scripts/backup.py --to DIR [--keep 14] [--every 24h] [--json]

Makes a folder DIR/TIME with a file for each project (`socialite project restore` takes it back), Label Studio's
database (SQLite: a file to put back in its place; PostgreSQL: a dump for pg_restore) and the files uploaded there.
Where both are is read from the environment: SOCIALITE_HOME and others, LABEL_STUDIO_BASE_DATA_DIR, DJANGO_DB,
POSTGRE_*. Both may go on working meanwhile. Nothing has the folder's name before all of it is there; exit code 1 when a
part failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
NAME = "%Y-%m-%dT%H%M%SZ"
UNFINISHED = ".part"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class BackupError(Exception):
    """A part could not be backed up; the message says which, and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    while True:
        failed = once(asked.to, asked.keep, as_json=asked.json)
        if not asked.every:
            return failed
        time.sleep(asked.every)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of the backups")
    parser.add_argument("--keep", type=int, default=14, metavar="N", help="newest backups to keep (14)")
    parser.add_argument("--every", type=_seconds, default=0, metavar="TIME", help="go on for ever, this often: 12h, 1d")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args(arguments)
    if asked.keep < 1:
        parser.error("--keep: at least 1.")
    return asked


def _seconds(text: str) -> int:
    if text[-1:] not in SECONDS or not text[:-1].isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is no time. Give one such as 12h or 1d.")
    return int(text[:-1]) * SECONDS[text[-1]]


def once(to: Path, keep: int, *, as_json: bool) -> int:
    """One backup; 1 when a part of it failed. What could be had is kept then, too, under a name that says so."""
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = datetime.now(UTC).strftime(NAME)
    folder = to / f"{name}{UNFINISHED}"
    folder.mkdir(mode=0o700)
    made: dict[str, int] = {}
    failed: list[str] = []
    for part in (projects, label_studio):
        try:
            part(folder, os.environ)
        except BackupError as error:
            failed.append(str(error))
    made = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    if not failed:
        folder = folder.replace(to / name)
        _forget(to, keep)
    said = f"{len(made)} files, {sum(made.values()):,} bytes, are in {folder}."
    print("\n".join([said, *failed]), file=sys.stderr if failed else sys.stdout)
    if as_json:
        print(json.dumps({"folder": str(folder), "files": made, "failed": failed}))
    return 1 if failed else 0


def projects(folder: Path, environ: Mapping[str, str]) -> None:
    """A file for each project, archived ones too."""
    listed: list[dict[str, Any]] = json.loads(_socialite("project", "list", "--archived", "--json"))["projects"]
    for project in listed:
        _socialite("project", "backup", project["key"], "-o", str(folder / f"{project['key']}.socialite"))


def _socialite(*arguments: str) -> str:
    command = [sys.executable, "-m", "backend.cli", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=CHECKOUT)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["It said nothing."])[-1]
        raise BackupError(f"`socialite {' '.join(arguments[:3])}` did not work: {last}")
    return done.stdout


def label_studio(folder: Path, environ: Mapping[str, str]) -> None:
    """Label Studio's database and uploads, where the environment says that there is one."""
    data = environ.get("LABEL_STUDIO_BASE_DATA_DIR")
    if not data:
        return
    if environ.get("DJANGO_DB", "sqlite") == "sqlite":
        _sqlite(Path(data) / "label_studio.sqlite3", folder / "label_studio.sqlite3")
    else:
        _postgres(folder / "label_studio.dump", environ)
    uploads = Path(data) / "media"
    if uploads.is_dir():
        with tarfile.open(folder / "label_studio_media.tar.gz", "w:gz") as archive:
            archive.add(uploads, "media")


def _sqlite(source: Path, target: Path) -> None:
    """A copy as of one moment, while others write."""
    if not source.is_file():
        raise BackupError(f"Label Studio's database is not at {source}. Set LABEL_STUDIO_BASE_DATA_DIR to its folder.")
    where = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(where, uri=True)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)


def _postgres(target: Path, environ: Mapping[str, str]) -> None:
    known = {
        "PGHOST": "POSTGRE_HOST",
        "PGPORT": "POSTGRE_PORT",
        "PGUSER": "POSTGRE_USER",
        "PGPASSWORD": "POSTGRE_PASSWORD",
    }
    given = {name: environ[theirs] for name, theirs in known.items() if environ.get(theirs)}
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupError("pg_dump was not found, so Label Studio's database was not saved. Install postgresql-client.")
    command = [program, "--format=custom", f"--file={target}", environ.get("POSTGRE_NAME", "labelstudio")]
    done = subprocess.run(command, env={**environ, **given}, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["It said nothing."])[-1]
        raise BackupError(f"pg_dump could not save Label Studio's database: {last}")


def _forget(to: Path, keep: int) -> None:
    """Remove all but the newest complete backups; nothing else in the folder is touched."""
    mine = sorted(path for path in to.iterdir() if path.is_dir() and _is_ours(path.name))
    for path in mine[:-keep]:
        shutil.rmtree(path)


def _is_ours(name: str) -> bool:
    try:
        datetime.strptime(name, NAME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
