"""A snapshot as a folder, for training on a machine that never sees the store: texts, labels and codebook, no names.

`snapshot.json` says what it is, `codebook.yaml` what was asked, and each line of `labels.jsonl` holds a text with its
labels. The hash can be worked out again from the folder alone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from backend.learning.entry import Entry, Terms, digest, item, labelled
from backend.learning.snapshot import Frozen, SnapshotError
from backend.tuners.adapter import versions
from backend.tuners.training import Labelled
from db.content import content_hash
from db.models import Project, Snapshot
from db.store import Store
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import CodebookError
from labelstudio_config.library import from_yaml, to_yaml

FORMAT = 1
ABOUT, CODEBOOK, LABELS = "snapshot.json", "codebook.yaml", "labels.jsonl"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an exported folder holds: see `Frozen`."""

    hash: str
    project: str
    codebook: Codebook
    questions: Mapping[str, Labelled]


def export(store: Store, frozen: Frozen, folder: Path) -> None:
    """Write the snapshot to a new folder that only its owner may read; all of it or nothing. SnapshotError."""
    _free(folder)
    with store.reading() as s:
        project = s.get_one(Project, s.get_one(Snapshot, frozen.id).project_id)
    about = {
        "format": FORMAT,
        "hash": frozen.hash,
        "project": project.key,
        "codebook": {"content_hash": frozen.codebook.content_hash, "scoring_hash": frozen.codebook.scoring_hash},
        "terms": {name: value for name, value in asdict(frozen.terms).items() if name != "codebook"},
        "counts": _counts(frozen.questions),
        "left_out": frozen.left_out,
        "empty": frozen.empty,
        "versions": versions(),
    }
    texts = {
        ABOUT: json.dumps(about, indent=2) + "\n",
        CODEBOOK: to_yaml(frozen.codebook),
        LABELS: "".join(json.dumps(line) + "\n" for line in _lines(frozen)),
    }
    part = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
        for name, text in texts.items():
            _write(part / name, text)
        _free(folder)
        part.rename(folder)
    except OSError as error:
        raise SnapshotError(f"The snapshot cannot be written to {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def read(folder: Path) -> Exported:
    """What `export` wrote. SnapshotError when something is missing, or was changed since."""
    about = _json(folder, _text(folder, ABOUT))
    try:
        if about["format"] != FORMAT:
            raise SnapshotError(
                f"{folder.name} was written in format {about['format']}, but this program reads {FORMAT}. "
                "Export the snapshot again with this version."
            )
        book = from_yaml(_text(folder, CODEBOOK), source=CODEBOOK)
        lines = [_json(folder, line) for line in _text(folder, LABELS).split("\n") if line]
        fields = {content_hash(line["fields"]): tuple(line["fields"]) for line in lines}
        entries = [entry for line in lines for entry in _entries(line, book)]
        found = digest(entries, Terms(codebook=book.content_hash, **about["terms"]))
        usable = all(item(book, book.question(e.question), fields[e.content_hash]) is not None for e in entries)
        questions = labelled(book, entries, fields) if usable else {}
        told = (about["hash"], about["codebook"]["scoring_hash"], about["counts"])
    except (KeyError, TypeError, ValueError, AttributeError, CodebookError) as error:
        raise _edited(folder) from error
    if told != (found, book.scoring_hash, _counts(questions)):
        raise _edited(folder)
    return Exported(found, str(about["project"]), book, questions)


def _lines(frozen: Frozen) -> Iterable[dict[str, Any]]:
    """The lines of labels.jsonl: texts by content hash, each with its labels by question."""
    by_text: dict[str, dict[str, Any]] = defaultdict(dict)
    for entry in sorted(frozen.entries, key=lambda one: (one.content_hash, one.question)):
        names = frozen.codebook.question(entry.question).label_ids
        by_text[entry.content_hash][entry.question] = {
            "labels": entry.labels,
            "shares": dict(zip(names, entry.shares, strict=True)),
            "split": entry.split,
            "cluster": entry.cluster,
        }
    for text, labels in by_text.items():
        yield {"fields": frozen.fields[text], "questions": labels}


def _entries(line: Mapping[str, Any], book: Codebook) -> Iterable[Entry]:
    for key, one in line["questions"].items():
        shares = tuple(one["shares"][label] for label in book.question(key).label_ids)
        yield Entry(content_hash(line["fields"]), key, tuple(one["labels"]), shares, one["split"], one["cluster"])


def _counts(questions: Mapping[str, Labelled]) -> dict[str, dict[str, int]]:
    return {
        key: {
            "train": int((~one.held).sum()),
            "validation": int(one.held.sum()),
            "clusters": len(set(one.clusters.tolist())),
        }
        for key, one in questions.items()
    }


def _write(path: Path, text: str) -> None:
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="\n"
    ) as f:
        f.write(text)


def _free(folder: Path) -> None:
    if folder.exists():
        raise SnapshotError(f"{folder} exists already, and nothing is overwritten. Give a new folder.")


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        raise SnapshotError(
            f"{folder / name} cannot be read: {error.strerror}. Give a folder that `socialite snapshot export` wrote."
        ) from error
    except UnicodeDecodeError as error:
        raise _edited(folder) from error


def _json(folder: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _edited(folder) from error
    if not isinstance(found, dict):
        raise _edited(folder)
    return found


def _edited(folder: Path) -> SnapshotError:
    return SnapshotError(
        f"What is in {folder} is not what was exported: a file was edited, cut short or mixed with another snapshot's. "
        "Export the snapshot again."
    )
