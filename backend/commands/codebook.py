"""`socialite codebook import` and `export`: codebooks between files and projects."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from backend import settings
from backend.commands.console import say
from backend.corpus.codebook_files import named, read_codebook, write_codebook
from backend.corpus.tables.writing import check_output
from labelstudio_config.changes import changes
from labelstudio_config.codebook import Codebook
from labelstudio_config.library import to_yaml
from labelstudio_config.xml import ignored, to_xml

if TYPE_CHECKING:
    from backend.settings import Settings
    from db.models import CodebookRevision, Project
    from db.store import Store


class CodebookOrderError(Exception):
    """The options do not go together."""


def take(file: Path, key: str | None, output: Path | None, api_key_env: str, *, overwrite: bool, dry_run: bool) -> None:
    """A file's codebook as YAML, or as a project's next revision."""
    if output is not None:
        check_output(output, overwrite=overwrite, source=file)
    if key is not None:
        if output is not None:
            raise CodebookOrderError("Give --project or --output, not both: `codebook export --project` writes a file.")
        _into_project(file, key, api_key_env, dry_run=dry_run)
        return
    found = read_codebook(file)
    for remark in found.remarks:
        say(remark)
    _write(found.codebook, output, overwrite=overwrite)


def give(what: str | None, key: str | None, revision: int | None, output: Path | None, *, overwrite: bool) -> None:
    """A codebook by its name, from a file, or a project's, to a file or standard output."""
    if output is not None:
        check_output(output, overwrite=overwrite)
    if key is None and revision is not None:
        raise CodebookOrderError("Only a project's codebook has revisions: give --project, or leave out --revision.")
    _write(book_of(what, key, revision), output, overwrite=overwrite)


def book_of(what: str | None, key: str | None, revision: int | None = None) -> Codebook:
    """The codebook of a name or file, or a project's; CodebookOrderError unless just one of both is given."""
    from db import projects, revisions
    from db.store import open_store

    if (what is None) == (key is None):
        raise CodebookOrderError("Which codebook? Give a built-in name or a file, or --project.")
    if what is not None:
        found = named(what)
        for remark in found.remarks:
            say(remark)
        return found.codebook
    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, str(key))
            chosen = current(store, project) if revision is None else revisions.numbered(s, project.id, revision)
            return revisions.codebook(chosen)
    finally:
        store.close()


def current(store: Store, project: Project) -> CodebookRevision:
    """The project's current revision; CodebookOrderError when it has none."""
    from db import revisions

    with store.reading() as s:
        found = revisions.current(s, project.id)
    if found is None:
        raise CodebookOrderError(
            f"'{project.key}' has no codebook yet. `socialite connect --project {project.key}` gives it one."
        )
    return found


def _write(book: Codebook, output: Path | None, *, overwrite: bool) -> None:
    if output is None:
        sys.stdout.write(to_yaml(book))
        return
    for sentence in write_codebook(book, output, overwrite=overwrite):
        say(sentence)
    say(f"{output} is written.")


def _into_project(file: Path, key: str, api_key_env: str, *, dry_run: bool) -> None:
    """Show what would change; then change it here and in Label Studio."""
    from db import projects, revisions
    from db.store import open_store

    in_force = settings.load()
    store = open_store(in_force.database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
        was = current(store, project)
        before = revisions.codebook(was)
        found = read_codebook(file, before)
        for remark in found.remarks:
            say(remark)
        for change in changes(before, found.codebook):
            print(change.sentence)  # noqa: T201
        if was.xml.strip() != to_xml(before).strip() and _screen_changes(found.codebook, was):
            lost = " ".join(ignored(was.xml))
            say(f"The labelling interface is written anew; what was laid out by hand in it is lost. {lost}".strip())
        if dry_run:
            say("Nothing was changed: --dry-run.")
            return
        _revise(store, in_force, project, found.codebook, api_key_env)
    finally:
        store.close()


def _screen_changes(book: Codebook, was: CodebookRevision) -> bool:
    from backend.corpus.revise import screen

    return screen(book, was) != was.xml


def _revise(store: Store, in_force: Settings, project: Project, book: Codebook, api_key_env: str) -> None:
    from backend.corpus import revise
    from backend.corpus.servers import client_for

    with ExitStack() as stack:
        client = None
        if revise.connected(store, project):
            token = os.environ.get(api_key_env) or None
            client = stack.enter_context(client_for(store, in_force, project.id, token))
        done = revise.revise(store, client, project, book)
    if done.changed:
        say(f"Revision {done.number} of the codebook of '{project.key}' is current.")
        say(f"Which answers still count: socialite codebook diff --project {project.key}")
    else:
        say(f"Nothing changed: the codebook of '{project.key}' is at revision {done.number}.")
    if done.updated:
        say(f"Label Studio's projects {', '.join(map(str, done.updated))} have the new labelling interface.")
    if done.queued:
        say(
            "The suggestions that coders see are of an earlier revision. New ones are queued: `socialite serve` makes "
            f"and pushes them; or run `socialite push --project {project.key}`."
        )
