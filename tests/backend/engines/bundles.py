"""Bundles on disk whose adapters say nothing: a manifest and one small file each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from backend.engines.adapter import Manifest
from backend.tuners.adapter import write
from backend.tuners.bundle import gather


def manifest(question: str, **more: Any) -> Manifest:
    values: dict[str, Any] = {
        "method": "head",
        "engine": "fake",
        "base": "fake-1",
        "base_digest": "d1",
        "prompt": "p1",
        "question": question,
        "kind": "single",
        "fields": 1,
        "labels": ("no", "yes"),
        "examples": {"no": 1, "yes": 1},
        "parent": None,
        "snapshot": "",
        "seed": 0,
        "hyperparameters": {},
        "metrics": {},
        "versions": {},
        "created": "2026-01-01T00:00:00+00:00",
        "files": {},
    }
    return Manifest(**values | more)


def adapter(folder: Path, question: str, **more: Any) -> Path:
    write(folder, manifest(question, **more), {"bias": np.zeros(2)})
    return folder


def bundle(home: Path, *questions: str, name: str = "bundle", **more: Any) -> Path:
    """A bundle of an adapter for each question, in `home`."""
    parts = {one: adapter(home / f"{name}-{one}", one, **more) for one in questions}
    gather(home / name, parts)
    return home / name
