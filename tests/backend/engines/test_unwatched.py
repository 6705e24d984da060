from __future__ import annotations

import gc

import pytest

from backend.engines.unwatched import unwatched


def test_what_is_made_inside_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    try:
        with unwatched():
            assert not gc.isenabled()
            made = [[n] for n in range(5000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() - before >= len(made)
        assert not any(one is made for one in gc.get_objects())
    finally:
        gc.unfreeze()


def test_the_collector_is_left_as_it_was() -> None:
    gc.disable()
    try:
        with pytest.raises(ValueError, match="broken"), unwatched():
            raise ValueError("broken")
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
