"""The folder that goes with an article: all its files, and what each is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from backend.corpus.tables.table import TableError
from backend.corpus.tables.writing import new_table
from backend.findings.manifest import commit, hashes, manifest
from backend.findings.study import Study
from backend.findings.table import LONGEST_CELL, AnalysisTable
from backend.findings.validity import Validity
from backend.reports.methods.guide import guide
from backend.reports.methods.markdown import methods
from backend.reports.methods.paragraph import Program
from backend.reports.methods.r import analysis_r
from backend.reports.methods.stata import analysis_do

TABLE, DICTIONARY, MANIFEST = "table.csv", "data-dictionary.csv", "manifest.json"
COLUMNS = ("variable", "type", "meaning", "question", "label")


class FolderError(Exception):
    """The folder cannot be written."""


def check(folder: Path, *, overwrite: bool) -> None:
    """FolderError when it is there already and may not be replaced, or holds something else."""
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is a file. Give the name of a folder.")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise FolderError(f"{folder} exists already. Take another name, or replace its files with --overwrite.")
    if not (folder / MANIFEST).is_file():
        raise FolderError(f"{folder} was not written by this command. Take another name; nothing in it is touched.")


def write(folder: Path, study: Study, table: AnalysisTable, found: Sequence[Validity], *, overwrite: bool) -> list[str]:
    """Write the folder, which only its owner may read; the names of its files. FolderError.

    Files of a folder that is replaced get their new content one by one, the manifest last; others stay.
    """
    folder = folder.absolute()
    check(folder, overwrite=overwrite)
    whole = manifest(study, table.samples)
    program = Program(whole["program"]["version"] or "(no version)", commit())
    texts = {
        "methods.md": methods(study, found, program),
        "guide-llm.md": guide(study, found, program),
        "codebook.yaml": study.facts.revision.yaml,
        "analysis.R": analysis_r(table, study.facts.project.seed),
        "analysis.do": analysis_do(table),
    }
    part = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
        for name, text in texts.items():
            (part / name).write_text(text, encoding="utf-8", newline="\n")
        _tables(part, table)
        names = sorted(path.name for path in part.iterdir())
        whole["files"] = hashes({name: (part / name).read_bytes() for name in names})
        text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (part / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in (*names, MANIFEST):
            (part / name).replace(folder / name)
    except (OSError, TableError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise FolderError(f"The folder {folder} cannot be written: {why}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [*names, MANIFEST]


def _tables(part: Path, table: AnalysisTable) -> None:
    with new_table(part / TABLE, table.names, overwrite=False) as writer:
        for row in table.rows():
            writer.writerow(row)
    with new_table(part / DICTIONARY, COLUMNS, overwrite=False) as writer:
        for one in table.variables:
            cells = (one.name, one.type, one.meaning, one.question, one.label)
            writer.writerow(cells)
        for name in table.left_out:
            why = f"column '{name}' of the corpus is not in the table: it has cells of over {LONGEST_CELL} characters"
            writer.writerow(["", "left out", why, "", ""])
