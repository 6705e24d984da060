"""What is asked of our own server before Label Studio is: does it answer, is it ours, does it know the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.corpus.codebooks import several
from backend.corpus.reach import BackendError, check_health, is_loopback, project_url, served_release
from db import projects, releases, revisions
from labelstudio_config.xml import to_xml
from tests.real.service import serving


def test_the_server_answers_for_a_project_it_knows(tmp_path: Path) -> None:
    (book,) = several("humor")
    with serving(tmp_path, basic_user="ls", basic_password="a-long-password") as service:
        auth = ("ls", "a-long-password")
        check_health(service.url + "/", auth)
        with pytest.raises(BackendError, match="asks for other credentials"):
            check_health(service.url, ("ls", "wrong"))
        with pytest.raises(BackendError, match=r"answers 404\. There is no project"):
            served_release(service.url, "moods", "1.1795384072", to_xml(book), auth)
        with service.store.writing() as s:
            project = projects.create(s, "moods", "Moods", 1, {"audit": 0, "control": 0, "coders": 2})
            revisions.register(s, project.id, book, to_xml(book))
            server = projects.server(s, "http://ls.example")
            projects.add_ls_project(s, project.id, server.id, 1, 1795384072, "assisted")
        name = served_release(service.url, "moods", "1.1795384072", to_xml(book), auth)
        with service.store.reading() as s:
            current = releases.current(s, project.id)
        assert current is not None
        assert name == current.name


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"Nothing answers at http://127.0.0.1:9/health.*socialite serve"):
        check_health("http://127.0.0.1:9", None)
    with pytest.raises(BackendError, match="is no web address"):
        check_health("127.0.0.1:9090", None)


def test_addresses() -> None:
    assert project_url("http://x:1/", "k") == "http://x:1/ls/k"
    assert [is_loopback(host) for host in ("127.0.0.1", "[::1]", "localhost", "10.0.0.1", "ls.example", "")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
