"""Where labelled texts come from, by the names that a person gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from backend.paper import socialite_data, socket_data
from backend.paper.chosen import ALL, chosen_of
from backend.paper.coded import CodedTable
from backend.paper.csv_folder import CsvFolder
from backend.paper.offer import Caps, Gathered, How, Offer, Source, SourceError, silent
from backend.paper.polarity import checked
from backend.paper.project_data import ProjectData
from backend.paper.socialite_data import SocialiteData
from backend.paper.socket_data import SocketData
from backend.paper.splits import finished
from backend.paper.task import Task

SOURCES = (
    "authors (SOCIALITE-LLAMA's own data), socket (the SocKET benchmark), a folder of folders with train.csv and "
    "test.csv, one such folder, TABLE.csv=CODEBOOK, project:KEY"
)
PROJECT = "project:"


def tasks(
    sources: Sequence[str],
    chosen: str = ALL,
    *,
    seed: int = 0,
    caps: Caps | None = None,
    plain: bool = True,
    say: Callable[[str], None] = silent,
) -> list[Task]:
    """The tasks of all sources, those of one question in two sources joined; see `SOURCES` for what may be named.

    `chosen`: see `chosen_of`. `caps`: at most so many texts of a task in a split. `plain`: labels that a source is
    known to have the wrong way round (see `polarity`) are turned round. `say` is told what belongs to no task.
    SourceError, EngineError (the hub), TableError and CodebookError say what is wrong, and what to do.
    """
    if not sources:
        raise SourceError(f"No source of labelled texts is named. There are: {SOURCES}.")
    named = [source_of(name) for name in sources]
    offers = [source.offers() for source in named]
    wanted = chosen_of([offer for some in offers for offer in some], chosen)
    how = How(seed, caps or Caps(), plain, say)
    gathered: list[Gathered] = []
    for source, some in zip(named, offers, strict=True):
        gathered += source.read([offer for offer in some if any(offer is one for one in wanted)], how)
    return checked([finished(parts, how) for parts in _joined(gathered)])


def source_of(name: str) -> Source:
    """The source that a person names. SourceError lists what there is."""
    path, (table, _, book) = Path(name).expanduser(), name.rpartition("=")
    if name == socialite_data.NAME:
        return SocialiteData()
    if name == socket_data.NAME:
        return SocketData()
    if name.startswith(PROJECT):
        return ProjectData(name.removeprefix(PROJECT))
    if path.is_dir():
        return CsvFolder(path)
    if table and book:
        return CodedTable(Path(table).expanduser(), book)
    raise SourceError(f"'{name}' is no source of labelled texts. There are: {SOURCES}.")


def licences(tasks: Sequence[Task]) -> list[str]:
    """The terms of the texts, a line each, with the tasks that they are of."""
    of: dict[str, list[str]] = {}
    for task in tasks:
        of.setdefault(task.licence or "No terms are stated", []).append(task.name)
    return [f"{', '.join(names)}: {terms}" for terms, names in of.items()]


def _joined(gathered: Sequence[Gathered]) -> list[list[Gathered]]:
    """Those of one question together, in the order of their first."""
    together: dict[tuple[object, ...], list[Gathered]] = {}
    for one in gathered:
        together.setdefault((one.question.id, one.question.label_ids), []).append(one)
    return list(together.values())


__all__ = ["SOURCES", "Caps", "Offer", "SourceError", "licences", "source_of", "tasks"]
