"""`socialite methods`: what an article has to say of its labels, and the table with which others can compute again."""

from __future__ import annotations

from pathlib import Path

from backend import settings
from backend.commands.console import say


def run(key: str, output: Path, *, overwrite: bool) -> None:
    """Write the folder."""
    from backend.findings.facts import facts
    from backend.findings.study import study
    from backend.findings.table import analysis_table
    from backend.findings.validity import validities
    from backend.reports.methods import folder
    from db import projects
    from db.store import open_store

    folder.check(output, overwrite=overwrite)
    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            found = facts(s, projects.by_key(s, key))
            known, table = study(s, found), analysis_table(s, found)
    finally:
        store.close()
    names = folder.write(output, known, table, validities(found), overwrite=overwrite)
    say(f"{output} is written: {', '.join(names)}.")
    if not table.opened:
        say(
            "The test is not open, so the model's labels of audit texts are left out of table.csv, and nothing in it "
            "can be corrected yet. `socialite open-test` opens it, once, at the end; run this again then."
        )
    if table.covariates:
        columns = ", ".join(one.name for one in table.covariates)
        say(f"table.csv holds these columns of the corpus: {columns}. Share none that may tell who somebody is.")
    for name in table.left_out:
        say(f"The column '{name}' is left out: its cells are so long that they may be texts.")
