"""What may be said of a fault: its place, and a sentence of ours. A foreign message may hold a text or a token."""

from __future__ import annotations

import traceback
from pathlib import PurePath

OURS = ("backend", "db", "labelstudio_config")


def where(fault: BaseException) -> str:
    """The fault's class and the last places it went through, for the log."""
    frames = traceback.extract_tb(fault.__traceback__)
    places = [f"{'/'.join(PurePath(frame.filename).parts[-2:])}:{frame.lineno}" for frame in frames]
    cause = f", from {type(fault.__cause__).__name__}" if fault.__cause__ else ""
    return f"{type(fault).__name__}{cause} at {' > '.join(places[-6:])}"


def sentence(fault: BaseException) -> str:
    """A sentence for a person."""
    if type(fault).__module__.partition(".")[0] in OURS and str(fault):
        return str(fault)
    return f"It failed for a reason that was not foreseen ({type(fault).__name__}); the server's log says where."
