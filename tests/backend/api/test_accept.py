from __future__ import annotations

import pytest

from backend.api.accept import preferred

OFFERED = ("text/html", "application/json", "text/csv")


@pytest.mark.parametrize(
    ("header", "media"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("text/csv, text/html;q=0.5", "text/csv"),
        ("application/*", "application/json"),
        ("text/*;q=0.2, application/json;q=0.3", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("text/csv;q=high, application/json;q=0.1", "application/json"),
        ("image/png", "text/html"),
        (",;,=;q", "text/html"),
    ],
)
def test_the_type_of_highest_quality_is_taken(header: str, media: str) -> None:
    assert preferred(header, OFFERED) == media
