"""Codebooks in files: YAML, a table, or a Label Studio configuration, by the ending of the file's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from backend.corpus.codebooks import configuration
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import new_file, new_table
from labelstudio_config import library, sheet
from labelstudio_config.aligned import aligned
from labelstudio_config.carried import carried
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import CodebookError
from labelstudio_config.ids import slug
from labelstudio_config.xml import ignored, to_xml

YAML, XML = (".yaml", ".yml"), (".xml",)


@dataclass(frozen=True, slots=True)
class Found:
    """A codebook, and what a person should know of how it was read."""

    codebook: Codebook
    remarks: tuple[str, ...] = ()


def read_codebook(path: Path, before: Codebook | None = None) -> Found:
    """The codebook of a file; as the next state of `before`, with its key and title, where that is given.

    CodebookError and TableError say what is wrong, where, and what to do.
    """
    ending = path.suffix.lower()
    if ending in YAML:
        book = library.load(str(path))
        return Found(book if before is None else replace(aligned(book, before), key=before.key, title=before.title))
    if ending in XML:
        key, title = (before.key, before.title) if before else ("", "")
        said = tuple(f"Not used: {sentence}" for sentence in ignored(path.read_text(encoding="utf-8-sig")))
        return Found(configuration(path, key, title, before), said)
    return _table(path, before)


def named(what: str) -> Found:
    """The codebook of a built-in name, or of a file."""
    if Path(what).suffix.lower() in (*YAML, *XML) or Path(what).is_file():
        return read_codebook(Path(what))
    return Found(library.load(what))


def write_codebook(book: Codebook, path: Path, *, overwrite: bool) -> tuple[str, ...]:
    """Write it in the format of the name's ending; what the format cannot say, for a person."""
    write = _WRITERS.get(path.suffix.lower())
    if write is not None:
        with new_file(path, overwrite=overwrite) as file:
            file.write(write(book))
        return ()
    headings, rows = sheet.write(book)
    with new_table(path, headings, overwrite=overwrite) as writer:
        for row in rows:
            writer.writerow(row)
    lost = sheet.unsaid(book)
    return (f"A table cannot say: {'; '.join(lost)}. Write YAML to keep all of it.",) if lost else ()


def _table(path: Path, before: Codebook | None) -> Found:
    table = open_table(path)
    if table.bad:
        first = table.bad[0]
        raise CodebookError(
            f"{path}, line {first.line}: {first.reason}. Correct the row; a codebook is taken whole or not at all."
        )
    found = sheet.read(table.columns, table.numbered(), source=str(path), key=slug(path.stem), title=path.stem)
    book = found.codebook if before is None else carried(found.codebook, before, found.columns)
    return Found(book, (*table.remarks, *found.remarks))


_WRITERS: dict[str, Callable[[Codebook], str]] = {
    **dict.fromkeys(YAML, library.to_yaml),
    **dict.fromkeys(XML, to_xml),
}
