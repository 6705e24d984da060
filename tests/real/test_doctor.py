"""`doctor` against a live Label Studio: silent about what is well, and for each fault the finding and its cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.corpus import connect
from backend.corpus.check_project import check_project
from backend.corpus.check_server import check_server
from backend.corpus.codebooks import several, together
from backend.corpus.connect import Connected
from backend.corpus.doctor import examine
from backend.corpus.finding import Finding, Level
from backend.corpus.intake import Columns, read_corpus, text_columns
from backend.corpus.label_studio import LabelStudio
from backend.corpus.patient import Patient
from backend.corpus.push import push
from backend.corpus.reach import credentials
from backend.corpus.tables.reading import open_table
from db import projects
from db.models import LsProject
from labelstudio_config.xml import to_xml
from tests.real.label_studio import Server
from tests.real.service import Service, serving

pytestmark = pytest.mark.real

TEXTS = [
    "joy in the rain",
    "fear of heights",
    "anger at the office",
    "hope for trains",
    "cats and money",
    "old school songs",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("home"), engine="keyword") as running:
        yield running


def made(service: Service, client: LabelStudio, key: str, folder: Path) -> Connected:
    """A connected project whose suggestions are pushed."""
    book = together(several("humor"), key, "Doctor")
    (folder / "texts.csv").write_text("\n".join(["text", *TEXTS]), encoding="utf-8")
    table = open_table(folder / "texts.csv")
    corpus = read_corpus(table, Columns(text_columns(book, table, None, None), None, None))
    site = service.site(client, key, audit=2, control=1)
    done = connect.connect(site, book, to_xml(book), corpus)
    with service.store.reading() as s:
        project = projects.by_key(s, key)
    push(service.store, service.engine, client, project, lambda done, total: None)
    return done


def examined(service: Service, client: LabelStudio, key: str, role: str) -> list[Finding]:
    with service.store.reading() as s:
        project = projects.by_key(s, key)
        row = next(row for row in projects.ls_projects(s, project.id) if row.role == role)
    return list(check_project(Patient(service.store, client, project, row, credentials(service.settings))))


def ill(found: list[Finding]) -> dict[str, Level]:
    assert all(finding.cure for finding in found if finding.level in (Level.WARN, Level.FAIL))
    return {finding.check: finding.level for finding in found if finding.level in (Level.WARN, Level.FAIL)}


def test_a_project_in_order(service: Service, client: LabelStudio, label_studio: Server, tmp_path: Path) -> None:
    made(service, client, "well", tmp_path)
    for role in ("assisted", "audit"):
        found = examined(service, client, "well", role)
        assert ill(found) == {}
        assert {"project", "secret", "delivery", "codebook"} <= {f.check for f in found}
    everything = list(examine(service.settings, "well", label_studio.token))
    assert [f for f in everything if f.level is Level.FAIL] == []
    said = {f.check for f in everything}
    assert {"store", "engine", "access", "version", "token", "token-kinds", "events", "who-sees-answers"} <= said
    assert label_studio.token not in str(everything)


Harm = Callable[[LabelStudio, Connected], object]


def hook_of(client: LabelStudio, ls_id: int) -> int:
    return int(client.webhooks(ls_id)[0]["id"])


@pytest.mark.parametrize(
    ("role", "harm", "level", "check"),
    [
        ("assisted", lambda c, d: c.delete_backend(c.backends(d.assisted)[0]["id"]), Level.FAIL, "backend"),
        ("assisted", lambda c, d: c.delete_webhook(hook_of(c, d.assisted)), Level.FAIL, "webhook"),
        ("assisted", lambda c, d: c.patch_webhook(hook_of(c, d.assisted), headers={}), Level.FAIL, "secret"),
        ("assisted", lambda c, d: c.patch_webhook(hook_of(c, d.assisted), is_active=False), Level.FAIL, "secret"),
        ("assisted", lambda c, d: c.patch_project(d.assisted, model_version=""), Level.FAIL, "release"),
        ("assisted", lambda c, d: c.patch_project(d.assisted, show_collab_predictions=False), Level.FAIL, "shown"),
        ("assisted", lambda c, d: c.patch_project(d.assisted, sampling="Uniform sampling"), Level.WARN, "order"),
        ("assisted", lambda c, d: c.delete_project(d.assisted), Level.FAIL, "project"),
        ("audit", lambda c, d: c.patch_project(d.audit or 0, sampling="Uniform sampling"), Level.FAIL, "blind-order"),
        (
            "audit",
            lambda c, d: c.patch_project(d.audit or 0, show_collab_predictions=True),
            Level.FAIL,
            "blind-prelabels",
        ),
        ("audit", lambda c, d: c.patch_project(d.audit or 0, maximum_annotations=3), Level.WARN, "coders"),
    ],
)
def test_each_fault_is_found(
    service: Service,
    client: LabelStudio,
    tmp_path: Path,
    role: str,
    harm: Harm,
    level: Level,
    check: str,
    request: pytest.FixtureRequest,
) -> None:
    key = "ill-" + str(abs(hash(request.node.name)))[:8]
    done = made(service, client, key, tmp_path)
    harm(client, done)
    assert ill(examined(service, client, key, role))[check] is level


def test_a_second_backend_and_webhook_and_a_leak_into_the_audit(
    service: Service, client: LabelStudio, tmp_path: Path
) -> None:
    done = made(service, client, "doubled", tmp_path)
    client.create_webhook(done.assisted, f"{service.url}/ls/doubled/webhook", {})
    client.create_webhook(done.assisted, f"{service.url}/ls/gone/webhook", {})
    client.create_backend(done.assisted, f"{service.url}/ls/doubled", "again", None)
    found = ill(examined(service, client, "doubled", "assisted"))
    assert (found["webhook"], found["left-over"], found["backend"]) == (Level.WARN, Level.WARN, Level.WARN)
    (page,) = [page for _, page in client.tasks(done.audit or 0)]
    client.import_predictions(
        done.audit or 0, [{"task": page[0]["id"], "result": [], "score": 0.1, "model_version": "leak"}]
    )
    assert ill(examined(service, client, "doubled", "audit"))["blind-predictions"] is Level.FAIL
    connect.connect(service.site(client, "doubled"), None, None, None)
    assert ill(examined(service, client, "doubled", "assisted")) == {"left-over": Level.WARN}, (
        "connect repaired the rest"
    )


def test_a_server_that_is_gone(client: LabelStudio, tmp_path: Path) -> None:
    """Label Studio does not reach us, and says so."""
    with serving(tmp_path / "home", engine="keyword") as service:
        made(service, client, "gone", tmp_path)
        service.stop()
        found = ill(examined(service, client, "gone", "assisted"))
    assert (found["from-label-studio"], found["from-here"], found["delivery"]) == (Level.FAIL, Level.WARN, Level.FAIL)


def test_tokens_and_addresses_that_are_refused(service: Service, strict_label_studio: Server) -> None:
    with strict_label_studio.client() as client:
        found = {f.check: f for f in check_server(client)}
        assert found["token"].level is Level.FAIL
        assert "personal access token" in found["token"].cure
    with strict_label_studio.client(strict_label_studio.personal) as client:
        found = {f.check: f for f in check_server(client)}
        assert (found["token"].level, found["version"].level) == (Level.OK, Level.OK)
        assert found["token-kinds"].finding == "The organisation accepts personal access tokens."
        there = client.create_project(title="Half", label_config=to_xml(several("humor")[0]))
        with service.store.writing() as s:
            project = projects.create(s, "half", "Half", 1, {"audit": 0, "control": 0, "coders": 2})
            server = projects.server(s, client.url)
            from backend.corpus.label_studio import created_at

            row = projects.add_ls_project(s, project.id, server.id, there["id"], created_at(there), "assisted")
        assert isinstance(row, LsProject)
        found = {f.check: f for f in examined(service, client, "half", "assisted")}
        assert found["webhook"].level is Level.FAIL
        assert "SSRF_PROTECTION_ENABLED=false" in found["webhook"].cure


def test_credentials_are_kept_and_asked_for(client: LabelStudio, tmp_path: Path) -> None:
    """With Basic auth on: Label Studio is given the password once, and a new title does not lose it."""
    with serving(tmp_path / "home", engine="keyword", basic_user="ls", basic_password="a-long-password") as service:
        done = made(service, client, "basic", tmp_path)
        (backend,) = client.backends(done.assisted)
        assert (backend["state"], backend["auth_method"], backend["basic_auth_user"]) == ("CO", "BASIC_AUTH", "ls")
        client.patch_backend(backend["id"], done.assisted, backend["url"], "another title", ("ls", ""))
        with service.store.reading() as s:
            project = projects.by_key(s, "basic")
        push(service.store, service.engine, client, project, lambda done, total: None)
        (backend,) = client.backends(done.assisted)
        assert (backend["state"], backend["title"]) == ("CO", done.release)
        assert ill(examined(service, client, "basic", "assisted")) == {}
