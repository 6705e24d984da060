"""Making the two Label Studio projects of a corpus: the assisted one with suggestions, the audit one without."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from backend.assist.leaks import cleared
from backend.corpus import adjudicate, drawing, tasks, wiring
from backend.corpus.intake import Corpus, task_data
from backend.corpus.label_studio import LabelStudio
from backend.corpus.reach import check_health, served_release
from backend.corpus.site import ConnectError, Site, codebook_of, ls_project, make_ls_project, our_project, register
from backend.corpus.tables.table import TableError
from backend.corpus.take_in import place, take_in
from backend.corpus.tasks import NewTask
from db import releases, texts
from db.models import LsProject, Project
from db.store import Store
from db.texts import UnitRow
from labelstudio_config.beside import without_areas
from labelstudio_config.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Connected:
    """What there is now. `audit` is Label Studio's id of the audit project, None when the plan has no audit."""

    key: str
    assisted: int
    audit: int | None
    release: str
    created: tuple[int, ...]  # Label Studio's ids of the projects that were made


def check_both(site: Site) -> None:
    """Both servers answer and the token works; nothing is created before."""
    site.client.version()
    site.client.whoami()
    check_health(site.plan.backend, site.plan.auth)


def connect(site: Site, book: Codebook | None, xml: str | None, corpus: Corpus | None) -> Connected:
    """Make what is missing of a project and its two Label Studio projects, and import the texts that have no task yet,
    whatever table they came from.

    `book` and `xml` may be None for a project that is there, `corpus` when no texts are to be added.
    """
    check_both(site)
    project = our_project(site)
    if book is not None and xml is not None:
        register(site, project, book, xml)
    known = codebook_of(site.store, project)
    if known is None:
        raise ConnectError(f"'{project.key}' has no codebook yet. Name one with --codebook or --config.")
    assisted, release, made = wired_assisted(site, project, known[1])
    if corpus is not None:
        take_in_corpus(site, project, corpus)
    new = stored_texts(site, project)
    if new and say_leaks(site, project, known[0]):
        release = wire(site, assisted, known[1])
    created = [made] if made else []
    audit = audit_project(site, project, known[1], created)
    adjudicate.wire(site, project)
    if new:
        import_by_stream(site, project, assisted, audit, new, known)
    return Connected(project.key, assisted.ls_id, audit.ls_id if audit else None, release, tuple(created))


def wired_assisted(site: Site, project: Project, xml: str) -> tuple[LsProject, str, int | None]:
    """The assisted project with the way to and from us, the release that it shows, and its id if it was made.

    A project that was just made is taken away again when Label Studio cannot reach us.
    """
    found = ls_project(site, project, "assisted")
    made = None
    if found is None:
        found = make_ls_project(site, project, "assisted", xml)
        made = found[0].ls_id
    row, there = found
    try:
        return row, wire(site, row, without_areas(there["label_config"])), made
    except Exception:
        if made is not None:
            site.client.delete_project(made)
        raise


def wire(site: Site, row: LsProject, xml: str) -> str:
    """Backend, webhook and settings of an assisted project; the release it shows."""
    name = f"{row.ls_id}.{row.ls_created}"
    release = served_release(site.plan.backend, site.plan.key, name, xml, site.plan.auth)
    with site.store.reading() as s:
        current = releases.current(s, row.project_id)
    if current is None or current.name != release:
        raise ConnectError(
            f"The server at {site.plan.backend} works on another store than this command. Give both the same "
            "SOCIALITE_HOME "
            "(or SOCIALITE_DATABASE_URL)."
        )
    line = site.line(row)
    wiring.connect_backend(site.store, site.client, line, release)
    changed = wiring.settle(site.client, row.ls_id, wiring.ASSISTED)
    if "sampling" in changed:
        site.say(f"Label Studio's project {row.ls_id} now serves the texts with the least certain suggestions first.")
    wiring.show_release(site.client, row, site.plan.key, release)
    return release


def take_in_corpus(site: Site, project: Project, corpus: Corpus) -> None:
    """Rows and texts of a table in the store, and what a person should know of them. TableError when it has no text."""
    tally = take_in(place(site.store, project), corpus, site.bar("Reading", "rows"))
    if not tally.texts and not tally.changed.n:
        raise TableError(f"No row of {corpus.table.path.name} has a text.")
    for sentence in tally.sentences(corpus.table.path.name):
        site.say(sentence)


def stored_texts(site: Site, project: Project) -> list[int]:
    """The stored texts that have no task in Label Studio yet, each in its stream now."""
    with site.store.reading() as s:
        new = texts.without_task(s, project.id)
    say_drawn(site, drawing.draw(site.store, project, new, audit=site.plan.audit, control=site.plan.control))
    return new


def say_drawn(site: Site, drawn: drawing.Drawn) -> None:
    if drawn.audit or drawn.control or drawn.work:
        site.say(
            f"Drawn at random: {drawn.audit:,} texts for the audit, {drawn.control:,} as controls; {drawn.work:,} are "
            "for work."
        )
    if drawn.exposed:
        site.say(f"{drawn.exposed:,} texts have been shown with a suggestion before, so the audit cannot have them.")


def say_leaks(site: Site, project: Project, book: Codebook) -> bool:
    """Say which examples of the codebook the draw has made texts of the audit; the release then is another one."""
    with site.store.reading() as s:
        sentence = cleared(s, project.id, book).sentence
    if sentence:
        site.say(sentence)
    return bool(sentence)


def audit_project(site: Site, project: Project, xml: str, created: list[int]) -> LsProject | None:
    """The audit project, made when there are audit texts and none yet: no backend, its own webhook, fixed order, k
    coders.
    """
    found = ls_project(site, project, "audit")
    if found is None:
        if not drawing.audit_order(site.store, project):
            return None
        found = make_ls_project(site, project, "audit", xml)
        created.append(found[0].ls_id)
    wiring.connect_blind(site.store, site.client, site.line(found[0]), wiring.AUDIT)
    return found[0]


def import_by_stream(
    site: Site,
    project: Project,
    assisted: LsProject,
    audit: LsProject | None,
    new: Sequence[int],
    known: tuple[Codebook, str],
) -> None:
    """Audit texts to the audit project, in the order of the draw; all others to the assisted one, in theirs. `known`:
    the codebook and its configuration.
    """
    wanted = set(new)
    blind = [text for text in drawing.audit_order(site.store, project) if text in wanted]
    apart = set(blind)
    open_ones = [text for text in new if text not in apart]
    ways = [(assisted, open_ones, "assisted project")] + ([(audit, blind, "audit project")] if audit else [])

    def tasks_of(part: Sequence[int]) -> list[NewTask]:
        return _tasks(site.store, part, *known)

    with ExitStack() as silence:
        for row, _, _ in ways:
            silence.enter_context(wiring.silenced(site.client, site.line(row)))
        for row, some, what in ways:
            tasks.import_texts(site.store, site.client, row, some, tasks_of, site.bar(f"To the {what}", "tasks"))


def _tasks(store: Store, text_ids: Sequence[int], book: Codebook, xml: str) -> list[NewTask]:
    """A task for each of these texts, with what it shows of the first row that has the text."""
    with store.reading() as s:
        units, bodies = texts.units(s, text_ids), texts.bodies(s, text_ids)
    made = []
    for text in text_ids:
        if text in units and text in bodies:
            unit, fields = units[text], bodies[text]
            data = task_data(book, xml, UnitRow(unit.external_id, fields, other=unit.other))
            made.append(NewTask(text, unit.source, unit.external_id, fields, data))
    return made


__all__ = ["Connected", "LabelStudio", "Site", "Store", "connect"]
