"""`socialite doctor`: findings and their cures, as a table or JSON; exit code 1 when something does not work."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from backend import settings

if TYPE_CHECKING:
    from backend.corpus.finding import Finding

MARKS = {"ok": "ok  ", "note": "note", "warn": "WARN", "fail": "FAIL"}


def run(key: str | None, api_key_env: str, as_json: bool) -> None:
    from backend.corpus.doctor import examine

    found = []
    for finding in examine(settings.load(), key, os.environ.get(api_key_env) or None):
        found.append(finding)
        if not as_json:
            print("\n".join(_lines(finding)), flush=True)  # noqa: T201
    failed = sum(finding.level == "fail" for finding in found)
    if as_json:
        print(json.dumps({"ok": not failed, "findings": [asdict(f) for f in found]}, ensure_ascii=False))  # noqa: T201
    elif failed:
        print(f"\n{failed} of {len(found)} checks failed.")  # noqa: T201
    else:
        print(f"\nNothing is wrong ({len(found)} checks).")  # noqa: T201
    if failed:
        raise typer.Exit(1)


def _lines(finding: Finding) -> list[str]:
    """The mark, what was looked at, what was found; the cure below."""
    width = max(60, min(120, shutil.get_terminal_size().columns))
    head = f"{MARKS[finding.level]}  {finding.check:<18}"
    about = f"[{finding.about}] " if finding.about else ""
    indent = " " * len(head)
    lines = textwrap.wrap(about + finding.finding, width, initial_indent=head, subsequent_indent=indent)
    if finding.cure:
        lines += textwrap.wrap(f"What to do: {finding.cure}", width, initial_indent=indent, subsequent_indent=indent)
    return lines
