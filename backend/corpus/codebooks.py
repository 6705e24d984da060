"""Codebooks by what a person types: built-in names, YAML files, Label Studio configurations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from labelstudio_config import library
from labelstudio_config.codebook import Codebook, joined
from labelstudio_config.errors import CodebookError, UnknownCodebookError
from labelstudio_config.ids import slug
from labelstudio_config.xml import from_xml


def several(wanted: str) -> list[Codebook]:
    """The codebooks of 'emotion,humor', 'mine.yaml' or 'config.xml', in this order, each once."""
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    if not names:
        raise UnknownCodebookError(f"No codebook is named. There are: {', '.join(library.names())}.")
    return [configuration(Path(name)) if name.lower().endswith(".xml") else library.load(name) for name in names]


def together(books: list[Codebook], key: str, title: str) -> Codebook:
    """One codebook that asks all their questions, under a project's key and title."""
    if len(books) == 1:
        return replace(books[0], key=key, title=title)
    return joined(key, title, books)


def configuration(path: Path, key: str = "", title: str = "", previous: Codebook | None = None) -> Codebook:
    """The codebook of a Label Studio configuration in a file; `previous` says what Label Studio cannot."""
    return from_xml(xml_text(path), key=key or slug(path.stem), title=title or path.stem, previous=previous)


def xml_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnknownCodebookError(f"The configuration {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CodebookError(f"The configuration {path} is not UTF-8: save it as UTF-8.") from None
