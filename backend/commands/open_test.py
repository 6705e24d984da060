"""`socialite open-test`: the release that answers now may be compared with people on the test texts."""

from __future__ import annotations

import sys

from backend import settings
from backend.commands.console import say


class OpenTestError(Exception):
    """The test cannot be opened."""


def run(key: str, *, by: str, reason: str, yes: bool) -> None:
    """Ask, and open the test for the current release and codebook."""
    from db import looks, projects, releases, revisions
    from db.store import open_store

    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise OpenTestError("Give a name with --by and a sentence with --reason: the report repeats both.")
    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
            release, revision = releases.current(s, project.id), revisions.current(s, project.id)
            before = looks.of(s, project.id)
        if release is None or revision is None:
            raise OpenTestError(f"'{key}' has no release yet, so there is nothing to test. Run `socialite push` first.")
        same = [one for one in before if (one.release_id, one.revision_id) == (release.id, revision.id)]
        if same:
            say(f"The test was opened for {release.name} on {same[-1].created_at:%Y-%m-%d} by {same[-1].by} already.")
            return
        with store.reading() as s:
            lacking = looks.unscored(s, project.id, release.scorer_id)
        if lacking:
            raise OpenTestError(
                f"{release.name} has not scored {lacking:,} of the test texts yet, so nothing would be seen. Run "
                f"`socialite push --project {key}` first: it scores them, and shows them to nobody."
            )
        _ask(key, release.name, len(before), yes)
        with store.writing() as s:
            current = releases.current(s, project.id)
            if current is None or current.id != release.id:
                raise OpenTestError("The release was changed meanwhile, so nothing was opened. Run it again.")
            made = looks.look(s, project.id, revision.id, release.id, by=by, reason=reason)
    finally:
        store.close()
    say(
        f"The test of '{key}' is open for {release.name} under revision {revision.number} of the codebook: opening "
        f"{len(before) + 1}, written down at {made.created_at:%Y-%m-%d %H:%M} UTC. `socialite report` shows it."
    )


def _ask(key: str, release: str, before: int, yes: bool) -> None:
    """A test that was seen is no longer untouched, so a person says that it is time."""
    say(
        f"The test texts of '{key}' are the only ones that no decision was taken on. Open them once, at the end, for "
        f"the release that you will report ({release}). They were opened {before} times before. What is changed "
        "afterwards with the result in mind cannot be tested on them again."
    )
    if yes:
        return
    if not sys.stdin.isatty():
        raise OpenTestError("Nobody is there to be asked. Give --yes to open the test.")
    if input("Open the test now? [y/N] ").strip().lower() not in ("y", "yes"):
        raise OpenTestError("Nothing was opened.")
