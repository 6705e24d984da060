"""`socialite config`: codebooks as a Label Studio configuration."""

from __future__ import annotations

import sys
from pathlib import Path

from backend.commands.console import say
from backend.corpus.codebooks import several, together
from labelstudio_config.errors import ConfigError
from labelstudio_config.xml import to_xml


def run(codebooks: str, output: Path | None, overwrite: bool) -> None:
    books = several(codebooks)
    xml = to_xml(together(books, books[0].key, ", ".join(book.title for book in books)))
    if output is None:
        sys.stdout.write(xml)
        return
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} is there already: give --overwrite to replace it, or another name.")
    with output.open("w", encoding="utf-8", newline="\n") as file:
        file.write(xml)
    say(f"{output} is written. Paste it into Label Studio: project > Settings > Labeling Interface > Code.")
