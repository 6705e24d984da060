"""The authors' dataset of instructions, texts and answers, read from the hub row by row.

It is no part of this program: it is fetched by whoever wants it, and what is kept of it is said where it is kept.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from backend.engines import hub
from backend.engines.protocol import EngineError

DATASET = "hlab/SocialiteInstructions"
ENDINGS = ("jsonl", "json", "csv", "parquet")
WHOLE, TASK, INPUT_COLUMN, OUTPUT_COLUMN = "Model Input", "task_type", "Input", "Output"

Row = Mapping[str, object]


def tables(split: str, revision: str | None = None) -> tuple[str | None, list[Path]]:
    """The tables of a split ("train", "valid", "test"), fetched where they are missing, and their revision."""
    folder = hub.fetched(DATASET, revision, [f"*{split}*.{ending}" for ending in ENDINGS], kind="dataset")
    paths = sorted(path for ending in ENDINGS for path in folder.rglob(f"*{split}*.{ending}"))
    return hub.commit(folder) or revision, paths


def table(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table: JSON lines, a JSON list, CSV, or Parquet where pyarrow is installed. Of Parquet only those
    of these columns that there are are read."""
    try:
        yield from _READERS[path.suffix.lstrip(".")](path, columns)
    except (ValueError, csv.Error) as error:
        raise EngineError(f"The file {path.name} of '{DATASET}' is damaged. Fetch it again.") from error


def _json(path: Path, _: Sequence[str]) -> Iterator[Row]:
    """A list of objects, or one object a line."""
    with path.open(encoding="utf-8") as stream:
        first = stream.read(1)
        stream.seek(0)
        rows = json.load(stream) if first == "[" else (json.loads(line) for line in stream if line.strip())
        yield from (row for row in rows if isinstance(row, dict))


def _csv(path: Path, _: Sequence[str]) -> Iterator[Row]:
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from csv.DictReader(stream)


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise EngineError(
            f"'{DATASET}' is a Parquet table, which takes a library to read: pip install pyarrow. Then fetch it again; "
            "or use our own wording: --instructions ours."
        ) from error
    file = parquet.ParquetFile(path)
    there = [name for name in columns if name in file.schema_arrow.names]
    for batch in file.iter_batches(columns=there):
        yield from batch.to_pylist()


_READERS = {"jsonl": _json, "json": _json, "csv": _csv, "parquet": _parquet}
