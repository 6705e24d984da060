from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.assist.entry import Recent


@given(st.lists(st.tuples(st.sampled_from(["keep", "get"]), st.integers(0, 6))), st.integers(1, 4))
def test_what_was_used_last_is_kept(steps: list[tuple[str, int]], most: int) -> None:
    recent: Recent[int, str] = Recent(most)
    used: list[int] = []
    for what, key in steps:
        if what == "keep":
            recent.keep(key, str(key))
        found = recent.get(key)
        assert found == (str(key) if key in used[-most:] or what == "keep" else None)
        if found is not None:
            used = [*(other for other in used if other != key), key]
            used = used[-most:]
    recent.clear()
    assert all(recent.get(key) is None for key in range(7))
