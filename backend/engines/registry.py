"""Engines by name, each imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.engines.protocol import Engine, EngineError


def engine(name: str = "auto", **settings: Any) -> Engine:
    """The engine of that name, ready to score; `settings` are those of its class. EngineError names those there are."""
    if name not in ENGINES:
        raise EngineError(f"There is no engine '{name}'; there are: {', '.join(ENGINES)}.")
    return ENGINES[name](**settings)


def _encoder(**settings: Any) -> Engine:
    """A trained encoder where the model's folder holds one, else the sentence encoder."""
    from backend.engines.classifier_manifest import is_classifier

    if is_classifier(settings.get("model")):
        from backend.engines.classifier import ClassifierEngine

        given = {name: value for name, value in settings.items() if name in ("device", "ready")}
        return ClassifierEngine(Path(settings["model"]), **given)
    from backend.engines.encoder import EncoderEngine

    return EncoderEngine(**settings)


def _keyword(**settings: Any) -> Engine:
    from backend.engines.keyword import KeywordEngine

    return KeywordEngine(**settings)


def _causal(**settings: Any) -> Engine:
    from backend.engines.causal import CausalEngine

    return CausalEngine(**settings)


def _remote(**settings: Any) -> Engine:
    from backend.engines.remote import RemoteEngine

    return RemoteEngine(**settings)


ENGINES: dict[str, Callable[..., Engine]] = {
    "auto": _encoder,
    "encoder": _encoder,
    "keyword": _keyword,
    "causal": _causal,
    "remote": _remote,
}
