"""`socialite prelabel` as a person types it, on a corpus that no Label Studio knows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import func, select

from backend.assist.manner import Manner, manner_of
from db import projects, releases, revisions, texts
from db.models import Prediction
from db.store import open_store, sqlite_url
from db.texts import UnitRow
from labelstudio_config.library import load
from labelstudio_config.xml import to_xml
from tests.conftest import CHECKOUT


def test_scores_without_a_label_studio_and_a_manner_that_is_kept(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    book = load("humor")
    with store.writing() as s:
        project = projects.create(s, "posts", "Posts", 1, {"audit": 0, "control": 0, "coders": 2})
        revisions.register(s, project.id, book, to_xml(book))
        texts.remember_units(s, project.id, [UnitRow(str(i), (f"text {i}",), i) for i in range(40)], "posts.csv")

    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", "prelabel", "--project", "posts", "--engine", "keyword", *words],
            cwd=CHECKOUT,
            env={**os.environ, "SOCIALITE_HOME": str(tmp_path)},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        assert done.stdout == ""
        return done.returncode, done.stderr

    def seen() -> tuple[int, Manner]:
        with store.reading() as s:
            release = releases.current(s, project.id)
            assert release is not None
            return s.scalars(select(func.count(Prediction.id))).one(), manner_of(release.order_policy)

    code, said = run("--limit", "15")
    assert (code, seen()) == (0, (15, Manner())), said
    assert "15 texts were scored by keyword-" in said
    assert "15/15" in said and "texts/s" in said, "progress with a rate"
    code, said = run("--no-tick", "--diversity")
    assert (code, seen()) == (0, (40, Manner(ticked=False, diverse=True))), said
    assert "25 texts were scored" in said, "another manner scores nothing anew"
    code, said = run()
    assert (code, seen()) == (0, (40, Manner(ticked=False, diverse=True))), said
    code, said = run("--push", "--tick")
    assert code == 1 and "not connected to Label Studio yet" in said
    assert seen()[1] == Manner(ticked=False, diverse=True), "what cannot be done changes nothing"
    code, said = run("--tick", "--no-diversity")
    assert (code, seen()) == (0, (40, Manner())), said
    store.close()
