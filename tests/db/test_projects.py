from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db import projects
from db.models import LsServer
from db.projects import normalised_url
from db.store import ProjectNotFoundError, Store
from tests.db.world import World


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8080", "http://localhost:8080"),
        ("http://LocalHost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://localhost:8080"),
        ("HTTPS://Labels.Example.ORG:443/ls//", "https://labels.example.org/ls"),
        ("http://labels.example.org:80", "http://labels.example.org"),
        ("https://labels.example.org:80/Ls", "https://labels.example.org:80/Ls"),
        ("labels.example.org", "http://labels.example.org"),
        (" http://ada:secret@labels.example.org/?x=1#y ", "http://labels.example.org"),
        ("http://[2001:DB8::1]:9", "http://[2001:db8::1]:9"),
    ],
)
def test_an_address_has_one_spelling(url: str, name: str) -> None:
    assert normalised_url(url) == name
    assert normalised_url(name) == name


def test_a_server_is_known_by_any_spelling(store: Store) -> None:
    with store.writing() as s:
        first = projects.server(s, "http://127.0.0.1:8080/")
        assert projects.server(s, "http://localhost:8080").id == first.id
        assert projects.server(s, "http://localhost:8081").id != first.id
        assert s.scalars(select(func.count(LsServer.id))).one() == 2


def test_a_server_that_moved_keeps_its_id_unless_another_one_is_known_there(store: Store) -> None:
    with store.writing() as s:
        first, second = projects.server(s, "http://127.0.0.1:8080"), projects.server(s, "http://127.0.0.1:8081")
        projects.moved(s, first.id, "http://127.0.0.1:9000/")
        projects.moved(s, second.id, "http://127.0.0.1:9000/")
    with store.reading() as s:
        assert s.get_one(LsServer, first.id).url == "http://localhost:9000"
        assert s.get_one(LsServer, second.id).url == "http://localhost:8081"


def test_a_project_is_found_by_its_key_and_a_missing_one_names_the_others(store: Store) -> None:
    with store.writing() as s:
        with pytest.raises(ProjectNotFoundError, match="There is none yet; `socialite connect`"):
            projects.by_key(s, "posts")
        made = projects.create(s, "posts", "Posts", 7, {"audit": 200})
        projects.create(s, "letters", "Letters", 8, {}, "adjudicated")
    with store.reading() as s:
        found = projects.by_key(s, "posts")
        assert (found.id, found.title, found.seed, found.sampling_design) == (made.id, "Posts", 7, {"audit": 200})
        assert (found.gold_rule, found.phase, found.archived_at) == ("majority", "production", None)
        assert projects.find(s, "post") is None
        with pytest.raises(ProjectNotFoundError, match=r"no project 'post'. There are: letters, posts\."):
            projects.by_key(s, "post")
    with pytest.raises(IntegrityError), store.writing() as s:
        projects.create(s, "posts", "Again", 1, {})


def test_a_label_studio_project_is_known_by_id_and_time_of_creation(world: World) -> None:
    with world.store.writing() as s:
        server = projects.server(s, "http://other.example")
        again = projects.add_ls_project(s, world.project.id, world.assisted.server_id, 1, 1000, "audit")
        assert (again.id, again.role) == (world.assisted.id, "assisted")
        reset = projects.add_ls_project(s, world.project.id, world.assisted.server_id, 1, 2000, "assisted")
        elsewhere = projects.add_ls_project(s, world.project.id, server.id, 1, 1000, "assisted")
    with world.store.reading() as s:
        found = {
            key: getattr(projects.ls_project(s, ls_id=key[0], ls_created=key[1], server_id=key[2]), "id", None)
            for key in [(1, 1000, world.assisted.server_id), (1, 2000, None), (1, 1000, None), (9, 1000, None)]
        }
        assert list(found.values()) == [world.assisted.id, reset.id, elsewhere.id, None]
        ids = [p.id for p in projects.ls_projects(s, world.project.id)]
    assert ids == [world.assisted.id, world.audit.id, reset.id, elsewhere.id]
