"""Codebooks as YAML, and the ones that come with the product."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path
from typing import Any

from labelstudio_config.codebook import Codebook, joined
from labelstudio_config.errors import CodebookError, UnknownCodebookError
from labelstudio_config.plain import as_plain, from_plain

_SUFFIXES = (".yaml", ".yml")


def names() -> tuple[str, ...]:
    """The names of the codebooks that come with the product, sorted."""
    folder = files("labelstudio_config") / "codebooks"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def load(name: str) -> Codebook:
    """The codebook of that name, or of that YAML file (a path ending in .yaml or .yml).

    Raises UnknownCodebookError, which lists the names there are, or CodebookError, which names file, key and cure.
    """
    if name.lower().endswith(_SUFFIXES):
        return _from_file(Path(name))
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        meant = f"Did you mean '{near[0]}'? " if near else ""
        raise UnknownCodebookError(
            f"There is no codebook '{name}'. {meant}There are: {', '.join(known)}; or give the path of a YAML file."
        )
    text = (files("labelstudio_config") / "codebooks" / f"{name}.yaml").read_text(encoding="utf-8")
    return from_yaml(text, source=f"{name}.yaml")


def load_many(wanted: str) -> Codebook:
    """The codebook that asks the questions of several, given as names with commas between: "humor,offensive"."""
    chosen = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    if not chosen:
        raise UnknownCodebookError(f"No codebook is named. There are: {', '.join(names())}.")
    books = [load(name) for name in chosen]
    if len(books) == 1:
        return books[0]
    return joined("-".join(book.key for book in books)[:80], ", ".join(book.title for book in books), books)


def from_yaml(text: str, *, source: str = "the codebook") -> Codebook:
    """The codebook that the YAML text describes; `source` is what messages call it.

    Raises CodebookError naming the source, the key and the cure.
    """
    import yaml

    try:
        value = yaml.load(text, Loader=_loader())  # noqa: S506 - a SafeLoader that also refuses a key given twice
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or "it holds a character that is not allowed"
        raise CodebookError(f"{source} is not valid YAML{where}: {problem}. Correct it there.") from None
    except RecursionError:
        raise CodebookError(f"{source} is nested too deeply to be a codebook.") from None
    try:
        return from_plain(value)
    except CodebookError as error:
        raise CodebookError(f"{source}: {error}") from None


def to_yaml(codebook: Codebook) -> str:
    """The codebook as YAML; `from_yaml` gives the same codebook again."""
    import yaml

    return yaml.safe_dump(as_plain(codebook), allow_unicode=True, sort_keys=False, width=100)


def _from_file(path: Path) -> Codebook:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnknownCodebookError(f"The codebook {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CodebookError(f"The codebook {path} is not UTF-8: save it as UTF-8.") from None
    return from_yaml(text, source=str(path))


def _loader() -> Any:
    """YAML's safe loader, which also refuses a key that is given twice (YAML would silently take the last)."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key, _ in node.value:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{key.value}' is given twice", key.start_mark
                    )
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Loader
