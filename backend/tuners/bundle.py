"""Putting the adapters of a project's questions into one bundle."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from backend.engines import bundle
from backend.engines.adapter import MANIFEST, digest, read
from backend.tuners.adapter import free
from backend.tuners.targets import TrainingError


def gather(folder: Path, adapters: Mapping[str, Path]) -> str:
    """Copy the adapters, given by question, into the new bundle `folder`; its digest.

    `EngineError` when one is damaged, `TrainingError` when the folder exists or cannot be written.
    """
    free(folder)
    digests = {}
    part = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        for question, source in adapters.items():
            names = read(source).files
            digests[question] = digest(source)
            place = part / digests[question][:16]
            place.mkdir(exist_ok=True)
            for name in (MANIFEST, *names):
                shutil.copyfile(source / name, place / name)
        (part / MANIFEST).write_text(bundle.text(digests), encoding="utf-8", newline="\n")
        part.rename(folder)
    except OSError as error:
        raise TrainingError(f"The adapters cannot be written to {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return digest(folder)
