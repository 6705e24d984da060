"""`socialite connect`: from what was typed to a plan, and from what came of it to words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.corpus.connect import Connected
    from backend.corpus.intake import Corpus
    from backend.corpus.site import Site
    from labelstudio_config.codebook import Codebook


class OrderError(Exception):
    """The options do not go together."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command, as typed."""

    key: str
    label_studio: str | None
    api_key_env: str
    title: str | None
    codebook: str | None
    config: Path | None
    texts: Path | None
    text_column: str | None
    id_column: str | None
    pair_column: str | None
    group_column: str | None
    ls_project: int | None
    backend: str
    audit: int
    control: int
    coders: int | None
    seed: int | None
    keep_audit_tasks: bool
    push: bool


def run(wishes: Wishes) -> None:
    """Connect, say what is there now, and push the suggestions unless that was declined."""
    from backend.corpus import adopt, connect
    from backend.corpus.label_studio import LabelStudio
    from backend.corpus.reach import credentials
    from backend.corpus.site import Plan, Site
    from db.store import open_store
    from labelstudio_config.xml import ignored

    in_force = settings.load(label_studio_url=wishes.label_studio)
    _check(wishes, in_force.label_studio_url)
    token = os.environ.get(wishes.api_key_env, "")
    if not token:
        raise OrderError(
            f"There is no token in the environment variable {wishes.api_key_env}. Put Label Studio's into it."
        )
    plan = Plan(
        key=wishes.key,
        title=wishes.title or wishes.key,
        backend=wishes.backend.rstrip("/"),
        auth=credentials(in_force),
        audit=wishes.audit,
        control=wishes.control,
        coders=wishes.coders,
        seed=wishes.seed,
    )
    store = open_store(in_force.database_url)
    try:
        with LabelStudio(in_force.label_studio_url, token) as client, bars() as bar:
            site = Site(store, client, plan, say, bar)
            book, xml = _codebook(wishes, plan.title)
            for sentence in ignored(xml) if xml else ():
                say(f"Not used: {sentence}")
            if wishes.ls_project is not None:
                done = adopt.adopt(site, wishes.ls_project, book, keep_audit_tasks=wishes.keep_audit_tasks)
            else:
                done = connect.connect(site, book, xml, _corpus(wishes, site, book))
    finally:
        store.close()
    _tell(done, in_force.label_studio_url)
    if wishes.push:
        from backend.commands.prelabel import Order, run

        run(wishes.key, Order(push=True), wishes.api_key_env, {}, label_studio=wishes.label_studio)
    else:
        say(f"Next: socialite push --project {done.key}")


def _check(wishes: Wishes, url: str) -> None:
    if not url:
        raise OrderError("Where is Label Studio? Give its address with --label-studio, or set LABEL_STUDIO_URL.")
    if wishes.codebook and wishes.config:
        raise OrderError("Give either --codebook or --config, not both.")
    if wishes.ls_project is not None and (wishes.texts or wishes.config):
        raise OrderError("An adopted project brings its texts and its configuration: leave out --texts and --config.")


def _codebook(wishes: Wishes, title: str) -> tuple[Codebook | None, str | None]:
    """The codebook that was named and its configuration; None for both when none was."""
    from backend.corpus import codebooks
    from labelstudio_config.xml import to_xml

    if wishes.config:
        return codebooks.configuration(wishes.config, wishes.key, title), codebooks.xml_text(wishes.config)
    if wishes.codebook:
        book = codebooks.together(codebooks.several(wishes.codebook), wishes.key, title)
        return book, to_xml(book)
    return None, None


def _corpus(wishes: Wishes, site: Site, book: Codebook | None) -> Corpus | None:
    """The rows of the table that was named."""
    from backend.corpus.intake import Columns, read_corpus, text_columns
    from backend.corpus.site import stored_codebook
    from backend.corpus.tables.reading import open_table

    if wishes.texts is None:
        return None
    book = book or stored_codebook(site)
    if book is None:
        raise OrderError(f"'{wishes.key}' has no codebook yet. Name one with --codebook or --config.")
    table = open_table(wishes.texts)
    for remark in table.said():
        say(remark)
    columns = Columns(
        texts=text_columns(book, table, wishes.text_column, wishes.pair_column),
        id=table.column(wishes.id_column, option="--id-column") if wishes.id_column else None,
        group=table.column(wishes.group_column, option="--group-column") if wishes.group_column else None,
    )
    return read_corpus(table, columns)


def _tell(done: Connected, url: str) -> None:
    base = url.rstrip("/")
    say(f"'{done.key}' is connected. Suggestions: {done.release}.")
    say(f"  with suggestions:     {base}/projects/{done.assisted}/data")
    if done.audit is not None:
        say(f"  audit, without:       {base}/projects/{done.audit}/data")
        say("Tell coders to work from the Label button only: in the list of tasks, everybody sees everybody's answers.")
