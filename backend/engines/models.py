"""Causal language models: where their weights lie, and getting, listing and removing them.

A model is named by a folder, by its id at huggingface.co, or by `id@revision`. Nothing is downloaded but by `fetch`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

from backend.engines import conversion, digests, hub
from backend.engines.cache import read_json
from backend.engines.protocol import EngineError
from backend.engines.weights import Weights

RELEASED = "hlab/SocialiteLlama"
WINDOW = 3000  # tokens of a prompt that the released weights were trained with
LONGEST = 4096  # tokens, for a model that does not say how many it reads
LICENCES = {RELEASED: "the Llama 2 Community License (https://ai.meta.com/llama/license/)"}
BESIDE = conversion.BESIDE
FILES = ("*.safetensors", *BESIDE)
PICKLES = ("pytorch_model*.bin", conversion.INDEX)
IGNORED = ("original/*", "consolidated*", "onnx/*", "*.gguf")
INDEX = "model.safetensors.index.json"
VOCABULARY = ("tokenizer*.json", "tokenizer.model", "vocab.*", "merges.txt", "added_tokens.json")


@dataclass(frozen=True, slots=True)
class Model:
    """A causal language model on this machine; `size` is in bytes, `revision` is empty for a converted folder."""

    id: str
    revision: str
    size: int
    folder: Path
    converted: bool


def find_causal(model: str | None = None, revision: str | None = None) -> Weights:
    """The weights of a causal language model on this machine; by default those of SOCIALITE-LLAMA.

    Weights that were published as pickles are converted once. `EngineError` when the model is not here, is not whole,
    or is of another kind.
    """
    name, revision = split(model or RELEASED, revision)
    folder = _folder(name, revision)
    if folder is None:
        raise EngineError(
            f"The model '{name}' is not on this machine. Get it with: socialite model fetch {model or RELEASED}"
            f"{_terms(name)}. Or give the folder of a copy as the model."
        )
    _check_kind(folder, name)
    if not tensor_files(folder) and conversion.pickles(folder):
        folder = conversion.converted(folder, name, hub.commit(folder) or revision)
    files = tensor_files(folder)
    if not files:
        raise EngineError(
            f"The model '{name}' is not whole: {folder} has no .safetensors file, or not all that its index names. "
            f"Get it again: socialite model fetch {model or RELEASED}."
        )
    return Weights(folder, name, digests.sha256(files), _tokenizer(folder, name), _window(folder, name))


def find_tokenizer(model: str | None = None, revision: str | None = None) -> Weights:
    """The tokenizer of a causal language model whose weights are elsewhere; the weights' digest, if they are here too.

    Without them the digest stands for the model's name and its revision.
    """
    name, revision = split(model or RELEASED, revision)
    folder = _folder(name, revision) or hub.cached(name, revision, BESIDE, IGNORED)
    if folder is not None and (tensor_files(folder) or conversion.pickles(folder)):
        return find_causal(name, revision)
    if folder is None:
        raise EngineError(
            f"The tokenizer of '{name}' is not on this machine. Get it with: "
            f"socialite model fetch {model or RELEASED} --tokenizer-only"
        )
    _check_kind(folder, name)
    digest = hashlib.sha256(f"{name}@{hub.commit(folder) or folder.resolve()}".encode()).hexdigest()
    return Weights(folder, name, digest, _tokenizer(folder, name), _window(folder, name))


def is_causal(model: str) -> bool:
    """Whether the name stands for a causal language model that is on this machine, in a folder or in the cache."""
    folder = _folder(*split(model))
    return folder is not None and _causal(folder)


def released(weights: Weights) -> bool:
    """Whether these are the released SOCIALITE-LLAMA weights: by their id, or by the name of their folder."""
    owner, name = RELEASED.split("/")
    places = Path(weights.base).expanduser().absolute().parts
    return weights.base == RELEASED or name in places[-1:] or f"models--{owner}--{name}" in places


def fetch(model: str, revision: str | None = None, *, tokenizer_only: bool = False) -> Weights:
    """Download what is missing of a model, or its tokenizer alone; it is converted where it comes as pickles."""
    name, revision = split(model, revision)
    if tokenizer_only:
        hub.fetched(name, revision, BESIDE, IGNORED)
        return find_tokenizer(name, revision)
    folder = hub.fetched(name, revision, FILES, IGNORED)
    _check_kind(folder, name)
    if not tensor_files(folder):
        hub.fetched(name, revision, PICKLES)
    return find_causal(name, revision)


def licence(model: str) -> str:
    """The licence a person accepts by using a model, in words; empty where we do not know."""
    return LICENCES.get(split(model)[0], "")


def listed() -> list[Model]:
    """The causal language models on this machine: in the cache of huggingface.co's programs, and converted ones."""
    made = [(base, folder) for base, folder in conversion.all_converted() if _causal(folder)]
    cached = [one for one in hub.models() if _causal(one.folder)]
    found = [Model(one.id, one.revision, one.size, one.folder, False) for one in cached]
    return found + [Model(base, "", _size(folder), folder, True) for base, folder in made]


def remove(model: str) -> int:
    """Delete a model and what was converted of it; the bytes that became free. `EngineError` when it is not here."""
    name, _ = split(model)
    converted = [folder for base, folder in conversion.all_converted() if base == name]
    freed = sum(map(_size, converted)) + hub.remove(name)
    for folder in converted:
        shutil.rmtree(folder)
    if not freed:
        raise EngineError(f"There is no model '{name}' to remove; `socialite model list` says which there are.")
    return freed


def split(model: str, revision: str | None = None) -> tuple[str, str | None]:
    """'owner/name@revision' -> name and revision; a folder's name stays as it is."""
    if Path(model).expanduser().is_dir():
        return model, None
    name, _, after = model.partition("@")
    return name, revision or after or None


def tensor_files(folder: Path) -> list[Path]:
    """The .safetensors files that hold the weights; empty when one is missing."""
    index = read_json(folder / INDEX).get("weight_map")
    names = sorted(set(index.values())) if isinstance(index, dict) else ["model.safetensors"]
    files = [folder / Path(str(name)).name for name in names]
    return files if all(path.is_file() for path in files) else []


def parameters(folder: Path, *, named: str = "") -> int:
    """The number of weights, of tensors with this in their name, read from the files' headers: none is loaded."""
    count = 0
    for path in tensor_files(folder):
        with path.open("rb") as stream:
            header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
        count += sum(prod(about["shape"]) for name, about in header.items() if _counts(name, named))
    return count


def _counts(name: str, named: str) -> bool:
    return name != "__metadata__" and named in name


def _folder(name: str, revision: str | None) -> Path | None:
    given = Path(name).expanduser()
    return given if given.is_dir() else hub.cached(name, revision, FILES, IGNORED)


def _causal(folder: Path) -> bool:
    kinds = read_json(folder / "config.json").get("architectures")
    return isinstance(kinds, list) and any(str(kind).endswith("ForCausalLM") for kind in kinds)


def _check_kind(folder: Path, name: str) -> None:
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise EngineError(f"'{name}' is an adapter, not a model. Give the model that it was trained on.")
    if not _causal(folder):
        raise EngineError(
            f"'{name}' is no causal language model: its config.json names no architecture that ends in 'ForCausalLM'. "
            "A sentence encoder is used with --engine encoder."
        )


def _tokenizer(folder: Path, name: str) -> str:
    """sha256 of the files that make the vocabulary."""
    files = sorted({path for pattern in VOCABULARY for path in folder.glob(pattern)})
    if not files:
        raise EngineError(f"The model '{name}' has no tokenizer in {folder}. Copy its tokenizer's files there.")
    return digests.sha256(files)


def _window(folder: Path, name: str) -> int:
    """Tokens of a prompt that are read."""
    said = read_json(folder / "config.json").get("max_position_embeddings")
    positions = said if isinstance(said, int) and said > 0 else LONGEST
    return min(positions, WINDOW) if name == RELEASED else positions


def _terms(name: str) -> str:
    return f" (about 13 GB, under {LICENCES[name].split(' (')[0]})" if name in LICENCES else ""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
