"""What goes to standard error: our own lines from INFO on, warnings of others."""

from __future__ import annotations

import logging

from backend.faults import OURS


def to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for room in OURS:
        logging.getLogger(room).setLevel(logging.INFO)
