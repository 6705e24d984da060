"""The same model, asked in other words."""

from __future__ import annotations

import copy

from backend.engines.prompts import Wording
from backend.engines.protocol import Engine, EngineError


def reworded(engine: Engine, wording: Wording) -> Engine:
    """An engine that asks in this wording and shares the other's weights; one thread may use both, one at a time.

    `EngineError` where the engine reads no instruction.
    """
    if not hasattr(engine, "wording"):
        raise EngineError(f"The engine '{engine.identity.engine}' reads no instruction, so it has no other wording.")
    other = copy.copy(engine)
    other.wording = wording
    vars(other).pop("identity", None)
    return other
