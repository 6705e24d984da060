"""The formats that a report is given in: an ending of a file's name, which the address of a report says, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backend.findings.report import Report
from backend.reports import tidy
from backend.reports.html import html
from backend.reports.plain import plain
from backend.reports.written import markdown


@dataclass(frozen=True, slots=True)
class Format:
    """`media`: the type by which programs ask for it."""

    media: str
    written: Callable[[Report], str]


def as_json(report: Report) -> str:
    """One JSON object; see `plain`."""
    return json.dumps(plain(report), ensure_ascii=False, allow_nan=False)


FORMATS: Mapping[str, Format] = {
    "html": Format("text/html", html),
    "json": Format("application/json", as_json),
    "md": Format("text/markdown", markdown),
    "csv": Format("text/csv", tidy.text),
}
