"""Weights that were published as pickles, made into safetensors once: nothing but tensors is ever read of a pickle."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

from backend.engines import cache, digests
from backend.engines.protocol import EngineError

INDEX = "pytorch_model.bin.index.json"
SOURCE = "source.json"  # in the folder of the converted weights: what they were made of
VERSION = 1
BESIDE = ("*.json", "*.model", "*.txt", "*.jinja")  # what a model has besides its weights


def pickles(folder: Path) -> list[Path]:
    """The files of pickled weights in a folder, all that its index names; empty where there are none."""
    index = cache.read_json(folder / INDEX).get("weight_map")
    names = sorted(set(index.values())) if isinstance(index, dict) else ["pytorch_model.bin"]
    files = [folder / Path(str(name)).name for name in names]
    return files if all(path.is_file() for path in files) else []


def converted(folder: Path, base: str, revision: str | None) -> Path:
    """The folder of the same weights as safetensors, in the cache; they are converted if that was not done before.

    Takes a minute and the space of the weights. `EngineError` when a file holds more than tensors, or space is short.
    """
    files = pickles(folder)
    digest = digests.sha256(files)
    target = cache.folder() / "models" / f"{_plain(base)}-{digest[:16]}"
    if _whole(target):
        return target
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    _check_space(files, target.parent, base)
    with cache.new_folder(target) as part:
        for path in (path for pattern in BESIDE for path in folder.glob(pattern)):
            if path.name != INDEX:
                shutil.copyfile(path, part / path.name)
        names = _convert(files, part, base)
        source = {"base": base, "revision": revision, "digest": digest, "version": VERSION, "files": names}
        cache.write_json(part / SOURCE, source)
    return target


def all_converted() -> list[tuple[str, Path]]:
    """(base, folder) of everything that was converted."""
    found = sorted((cache.folder() / "models").glob(f"*/{SOURCE}"))
    return [(str(cache.read_json(path).get("base", "")), path.parent) for path in found]


def _whole(target: Path) -> bool:
    """Whether a folder holds all that its conversion wrote."""
    names = cache.read_json(target / SOURCE).get("files")
    return isinstance(names, list) and all((target / str(name)).is_file() for name in names)


def _convert(files: list[Path], target: Path, base: str) -> list[str]:
    """Shard by shard, so that no more than one is in memory; the names of the new files."""
    from safetensors.torch import save_file

    where: dict[str, str] = {}
    size = 0
    for number, path in enumerate(files, 1):
        name = "model.safetensors" if len(files) == 1 else f"model-{number:05d}-of-{len(files):05d}.safetensors"
        tensors = _tensors(path, base)
        save_file(tensors, target / name, metadata={"format": "pt"})
        where |= dict.fromkeys(tensors, name)
        size += sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if len(files) > 1:
        index = {"metadata": {"total_size": size}, "weight_map": where}
        (target / "model.safetensors.index.json").write_text(json.dumps(index, indent=1), encoding="utf-8")
    return sorted(set(where.values()))


def _tensors(path: Path, base: str) -> dict[str, Any]:
    """The tensors of a pickle by name, none sharing memory with another; whatever else it holds is refused."""
    import torch

    try:
        with warnings.catch_warnings(action="ignore"):  # of a pickle that is no torch file: refused below
            value = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise EngineError(
            f"The file {path.name} of '{base}' is damaged, or holds more than weights: it was not read, because such a "
            "file can run a stranger's code. Take the model from its makers again, or one that has .safetensors files."
        ) from error
    if not isinstance(value, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in value.values()):
        raise EngineError(f"The file {path.name} of '{base}' holds no table of tensors. Use a model that has them.")
    seen: set[int] = set()
    tensors: dict[str, Any] = {}
    for name, tensor in value.items():
        memory = tensor.untyped_storage().data_ptr()
        tensors[str(name)] = tensor.clone().contiguous() if memory in seen else tensor.contiguous()
        seen.add(memory)
    return tensors


def _check_space(files: list[Path], where: Path, base: str) -> None:
    needed = sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(where).free
    if free < 1.05 * needed:
        raise EngineError(
            f"'{base}' comes as .bin files, which are converted once. That needs {needed / 1e9:.1f} GB, and "
            f"{where} has {free / 1e9:.1f} GB left. Free some space, or name another folder in {cache.VARIABLE}."
        )


def _plain(base: str) -> str:
    """The model's name as part of a folder's name."""
    return "".join(c if c.isalnum() or c in "-." else "_" for c in base.rstrip("/\\").replace("\\", "/")[-60:])
