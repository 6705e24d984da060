"""From what a person types for a model to a system that answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.engines import adapter as adapters
from backend.engines import bundle, cache, models
from backend.engines.protocol import EngineError
from backend.paper.saw import TRAINED_HERE
from backend.paper.systems import Baseline, Scorer, System

if TYPE_CHECKING:
    from backend.settings import Settings

LLAMA = "meta-llama/Llama-2-7b-hf"
BASELINES = ("majority", "tfidf")
PRESETS: dict[str, dict[str, str]] = {
    "keyword": {"engine": "keyword", "model": ""},
    "encoder": {"engine": "encoder", "model": ""},
    "llama": {"engine": "causal", "model": LLAMA},
    "socialite": {"engine": "causal", "model": models.RELEASED},
    "remote": {"engine": "remote"},
}
BY_ENGINE = ("causal", "encoder", "remote")  # may stand before a model and a colon
_NAMED = re.compile(r"([^=/\\:]+)=(.+)", re.DOTALL)
HELP = (
    f"{', '.join([*BASELINES, *PRESETS])}, a model's id or folder (causal:, encoder: or remote: before it says how it "
    "is used), an adapter's folder, or BASE+FOLDER for an adapter on another copy of its base"
)


class SystemsError(Exception):
    """A model that was named cannot be compared."""


@dataclass(frozen=True, slots=True)
class Spec:
    """`what` is a model as it was typed, `name` what it is called in tables."""

    name: str
    what: str


def spec(text: str) -> Spec:
    """'[NAME=]what'; a folder that has '=' in its path is no name."""
    named = None if Path(text).expanduser().exists() else _NAMED.fullmatch(text)
    name, what = (named[1].strip(), named[2].strip()) if named else ("", text.strip())
    if not what:
        raise SystemsError(f"'{text}' names no model. Give one of: {HELP}.")
    return Spec(name or _called(what), what)


def _called(what: str) -> str:
    """What a model is called that got no name: a folder by its last part."""
    folders = [Path(what).expanduser(), *(folder for _, folder in _splits(what))]
    return next((folder.absolute().name for folder in folders if folder.is_dir()), what)


def systems(texts: Sequence[str], in_force: Settings) -> list[System]:
    """The systems of these specs, none loaded. `SystemsError` where one is not to be had, or two have one name."""
    found = [spec(text) for text in texts]
    names = [one.name for one in found]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise SystemsError(f"Two models are called '{twice}'. Tell them apart with NAME=... before the model.")
    return [_made(one, in_force) for one in found]


def _made(one: Spec, in_force: Settings) -> System:
    try:
        return _system(one, in_force)
    except EngineError as error:
        raise SystemsError(f"The model '{one.name}': {error}") from None


def _system(one: Spec, in_force: Settings) -> System:
    if one.what in BASELINES:
        return Baseline(one.name, one.what)
    if _is_adapter(one.what):
        folder = Path(one.what).expanduser()
        return Scorer(one.name, _set(in_force, **_base(folder)), folder)
    for base, folder in _splits(one.what):
        if _is_adapter(str(folder)):
            engine = _base(folder)["engine"]
            return Scorer(one.name, _set(in_force, **{"engine": engine} | _model(base)), folder)
    return Scorer(one.name, _set(in_force, **_model(one.what)))


def _model(what: str) -> dict[str, str]:
    """The settings that a base names."""
    if what in PRESETS:
        return PRESETS[what]
    engine, colon, model = what.partition(":")
    if colon and engine in BY_ENGINE and model:
        return {"engine": engine, "model": model}
    if cache.read_json(Path(what).expanduser() / adapters.MANIFEST).get("method") == TRAINED_HERE:
        return {"engine": "encoder", "model": what}
    return {"engine": "auto", "model": what}


def _set(in_force: Settings, **given: Any) -> Settings:
    """The settings for one system: examples come from train here, not from the codebook."""
    return in_force.model_copy(update={"shots": 0} | given)


def _is_adapter(what: str) -> bool:
    """Whether it is a folder with an adapter, or with several; a model may have a manifest, too."""
    method = cache.read_json(Path(what).expanduser() / adapters.MANIFEST).get("method")
    return isinstance(method, str) and method != TRAINED_HERE and not (Path(what) / "config.json").is_file()


def _base(folder: Path) -> dict[str, str]:
    """Engine and base that the adapter's manifest names; of a bundle those of its first part."""
    parts = [*bundle.parts(folder).values()] if bundle.is_bundle(folder) else [folder]
    if not parts:
        raise EngineError(f"The bundle {folder.name} is empty: nothing was tuned.")
    manifest = adapters.read(parts[0])
    return {"engine": manifest.engine, "model": manifest.base}


def _splits(what: str) -> Iterable[tuple[str, Path]]:
    """'BASE+FOLDER' at each of its signs: either may have one in its name."""
    places = [at for at, sign in enumerate(what) if sign == "+"]
    return [(what[:at], Path(what[at + 1 :]).expanduser()) for at in places]
