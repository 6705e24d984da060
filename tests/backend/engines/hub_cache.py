"""Models as the hub publishes them: in the layout of its shared cache, and with pickled weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.backend.engines.llamas import llama, tiny_tokenizer


def published(folder: Path, *, pickled: int = 0) -> Path:
    """A random Llama's folder; `pickled` is the number of .bin files it has in place of safetensors."""
    from safetensors.torch import load_file

    llama(folder, tiny_tokenizer())
    if pickled:
        tensors = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        _pickle(folder, tensors, pickled)
    return folder


def hub_cache(cache: Path, repo: str, source: Path, *, revision: str = "c" * 40, kind: str = "model") -> Path:
    """The files of a folder as the hub's cache keeps them, under `main`; the folder of the snapshot."""
    root = cache / f"{kind}s--{repo.replace('/', '--')}"
    snapshot = root / "snapshots" / revision
    for folder in (snapshot, root / "blobs", root / "refs"):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(revision, encoding="utf-8")
    for path in source.iterdir():
        blob = root / "blobs" / f"{revision[:4]}-{path.name}"
        blob.write_bytes(path.read_bytes())
        (snapshot / path.name).unlink(missing_ok=True)
        (snapshot / path.name).symlink_to(blob)
    return snapshot


def _pickle(folder: Path, tensors: dict[str, Any], shards: int) -> None:
    import torch

    if shards == 1:
        torch.save(tensors, folder / "pytorch_model.bin")
        return
    names = list(tensors)
    where: dict[str, str] = {}
    for number in range(shards):
        file = f"pytorch_model-{number + 1:05d}-of-{shards:05d}.bin"
        part = {name: tensors[name] for name in names[number::shards]}
        torch.save(part, folder / file)
        where |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 0}, "weight_map": where}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
