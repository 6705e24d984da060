"""Giving back what a model that is no longer used took of a GPU."""

from __future__ import annotations

import sys


def given_back() -> None:
    """Free what torch keeps of a GPU's memory for models that are gone; nothing is loaded for it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
