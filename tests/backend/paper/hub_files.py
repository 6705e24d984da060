"""A data set as the hub's cache keeps it, folders and all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def cached(cache: Path, repo: str, files: Mapping[str, bytes], revision: str = "d" * 40) -> Path:
    """Put the files (path inside the repository -> content) into the cache, under `main`; the snapshot's folder."""
    root = cache / f"datasets--{repo.replace('/', '--')}"
    snapshot = root / "snapshots" / revision
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(revision, encoding="utf-8")
    for name, content in files.items():
        path = snapshot / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return snapshot
