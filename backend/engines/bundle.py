"""What a project's release was tuned to: a directory with an adapter for each question that has one.

`manifest.json` names the parts and the sha256 of each part's own manifest, so that the digest of the bundle is one of
all that is in it. An adapter by itself is taken for a bundle of one.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.engines.adapter import MANIFEST, digest
from backend.engines.protocol import EngineError

METHOD = "bundle"
KEPT = 64  # bundles whose parts are in memory

_parts: OrderedDict[Path, dict[str, Path] | None] = OrderedDict()


def part(folder: Path | None, question: str) -> Path | None:
    """The adapter of the question in a bundle; None where it has none, and the zero-shot scorer answers."""
    if folder is None:
        return None
    if folder not in _parts:
        _parts[folder] = parts(folder) if is_bundle(folder) else None
        while len(_parts) > KEPT:
            _parts.popitem(last=False)
    known = _parts[folder]
    return folder if known is None else known.get(question)


def is_bundle(folder: Path) -> bool:
    return _manifest(folder).get("method") == METHOD


def parts(folder: Path) -> dict[str, Path]:
    """The adapters of a bundle by question; EngineError when it is no bundle or one of them is not what was put in."""
    manifest = _manifest(folder)
    named = manifest.get("parts")
    if manifest.get("method") != METHOD or not isinstance(named, dict):
        raise EngineError(f"{folder.name} holds no bundle of adapters. Give the folder that tuning wrote.")
    found = {}
    for question, expected in named.items():
        place = folder / str(expected)[:16]
        if digest(place) != expected:
            raise EngineError(f"The adapter of the question '{question}' in {folder.name} was changed. Restore it.")
        found[str(question)] = place
    return found


def text(digests: Mapping[str, str]) -> str:
    """The manifest of a bundle of these adapters (question -> digest), each in the folder of its first 16 digits."""
    return json.dumps({"format": 1, "method": METHOD, "parts": dict(digests)}, indent=2, sort_keys=True) + "\n"


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        value = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"The folder {folder.name} holds no adapter: its {MANIFEST} cannot be read.") from error
    return value if isinstance(value, dict) else {}
