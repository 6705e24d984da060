"""The engine that a person's settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.engines.protocol import Engine, EngineError
from backend.engines.registry import engine

if TYPE_CHECKING:
    from backend.settings import Settings


def choose(settings: Settings, *, ready: bool = True) -> Engine:
    """The engine of the settings `engine` and `model`, loaded unless `ready` is False. `EngineError`: what to do."""
    if settings.engine == "keyword":
        if settings.model:
            raise EngineError("The keyword engine has no model: leave the model unset, or choose the encoder.")
        return engine("keyword")
    return engine(settings.engine, model=settings.model or None, ready=ready)
