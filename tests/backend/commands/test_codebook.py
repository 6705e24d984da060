"""`socialite codebook ...`, as its commands run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from backend.commands import codebook, codebook_diff, codebook_test
from backend.commands.codebook import CodebookOrderError
from backend.commands.codebook_test import Wishes
from backend.corpus.codebook_files import write_codebook
from backend.corpus.texts_to_try import some
from backend.learning.recode import MeaningError
from db import revisions
from db.models import LsProject
from labelstudio_config.library import from_yaml, load, to_yaml
from tests.backend.assist.world import BOOK, HUMOR
from tests.backend.learning.coding import Coding

TABLE = "question,label,definition\nmood,good,Happy and glad.\n,bad,Cross and angry.\n"
REWORDED = replace(BOOK, questions=(replace(HUMOR, wording="Funny?"), *BOOK.questions[1:]))
Out = pytest.CaptureFixture[str]


def take(file: Path, key: str | None = None, output: Path | None = None, **more: bool) -> None:
    codebook.take(file, key, output, "NO_TOKEN", overwrite=False, dry_run=more.get("dry_run", False))


def tried(what: str | None = None, project: str | None = None, **given: Any) -> dict[str, Any]:
    return {"what": what, "project": project, "texts": None, "text_column": None, "pair_column": None, "limit": 50,
            "paraphrase": None, "as_json": True} | given  # fmt: skip


def test_a_table_becomes_yaml_and_yaml_a_table(tmp_path: Path, capsys: Out) -> None:
    source, output, back = tmp_path / "mood.csv", tmp_path / "mood.yaml", tmp_path / "back.xlsx"
    source.write_text(TABLE, encoding="utf-8")
    take(source)
    printed = capsys.readouterr().out
    take(source, output=output)
    assert output.read_text(encoding="utf-8") == printed
    book = from_yaml(printed)
    assert [x.definition for x in book.questions[0].labels] == ["Happy and glad.", "Cross and angry."]
    codebook.give(str(output), None, None, back, overwrite=False)
    codebook.give(str(back), None, None, None, overwrite=False)
    assert from_yaml(capsys.readouterr().out) == replace(book, key="back", title="back")


def test_a_project_without_label_studio_gets_a_revision_once(posts: Coding, tmp_path: Path, capsys: Out) -> None:
    with posts.store.writing() as s:
        s.execute(delete(LsProject))
    file = tmp_path / "posts.csv"
    write_codebook(REWORDED, file, overwrite=False)
    take(file, "posts", dry_run=True)
    told = capsys.readouterr()
    assert told.out == "The wording of the question 'humor' is new: 'Funny?'.\n" and "Nothing was changed" in told.err
    take(file, "posts")
    assert "Revision 2 of the codebook of 'posts' is current." in capsys.readouterr().err
    with posts.store.reading() as s:
        now = revisions.current(s, posts.world.project_id)
        assert now is not None and revisions.codebook(now) == REWORDED
    take(file, "posts")
    told = capsys.readouterr()
    assert told.out == "" and "Nothing changed: the codebook of 'posts' is at revision 2." in told.err
    codebook.give(None, "posts", 1, None, overwrite=False)
    assert capsys.readouterr().out == to_yaml(BOOK)


def test_options_that_do_not_go_together(posts: Coding, tmp_path: Path) -> None:
    file = tmp_path / "mood.csv"
    file.write_text(TABLE, encoding="utf-8")
    with pytest.raises(CodebookOrderError, match="Give --project or --output"):
        take(file, "posts", tmp_path / "out.yaml")
    for what, key in ((None, None), ("humor", "posts")):
        with pytest.raises(CodebookOrderError, match="Which codebook"):
            codebook.give(what, key, None, None, overwrite=False)
    with pytest.raises(CodebookOrderError, match="Only a project's codebook has revisions"):
        codebook.give("humor", None, 1, None, overwrite=False)
    for first, second, key in (("humor", None, "posts"), ("humor", None, None), (None, None, None)):
        with pytest.raises(CodebookOrderError, match="Give two codebooks"):
            codebook_diff.run(first, second, key, None, None, as_json=False)


def test_two_codebooks_are_compared(capsys: Out) -> None:
    codebook_diff.run("humor", "humor", None, None, None, as_json=False)
    assert capsys.readouterr().out == "  Both say the same.\n"
    codebook_diff.run("humor", "flute", None, None, None, as_json=True)
    found = json.loads(capsys.readouterr().out)["changes"]
    removed = {"what": "removed", "question": "humor", "label": "", "sentence": "The question 'humor' was removed."}
    assert removed in found


def test_a_projects_revisions_and_what_must_be_coded_again(posts: Coding, capsys: Out) -> None:
    text = posts.text("one", "audit")
    for coder in (1, 2):
        posts.answer(text, coder, humor="yes")
    posts.revise(REWORDED)
    codebook_diff.run(None, None, "posts", None, None, as_json=False)
    told = capsys.readouterr().out
    assert "Revision 1 -> 2 of the codebook of 'posts' (current: 2)" in told
    assert "  The wording of the question 'humor' is new: 'Funny?'." in told
    assert "revision 1: 2 answers to 1 texts by 2 coders; they do not count as measured, teach" in told
    assert "to be coded again, since what coders saw has changed: 1 texts of the audit, 0 others" in told
    codebook_diff.same("posts", "humor", None, None, by="Ada", reason="A heading.", withdraw=False)
    told = capsys.readouterr().out
    assert "revision 1: 2 answers to 1 texts by 2 coders; they count" in told and "coded again" not in told
    assert "Ada said on 20" in told and "that revisions 1 and 2 mean the same: A heading." in told
    codebook_diff.run(None, None, "posts", 2, 1, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["from"], found["to"], found["current"]) == (2, 1, 2)
    (humor, *_) = found["questions"]
    assert humor["under"] == [{"revision": 1, "answers": 2, "texts": 1, "coders": 2, "counts": True, "taught": True}]
    assert humor["recode"] == {"audit": 0, "other": 0} and humor["said"][0]["by"] == "Ada"
    codebook_diff.same("posts", "humor", 1, 2, by="Bea", reason="It matters.", withdraw=True)
    assert "1 texts of the audit" in capsys.readouterr().out
    with pytest.raises(MeaningError, match="has no question 'hate'"):
        codebook_diff.same("posts", "hate", 1, 2, by="Ada", reason="?", withdraw=False)


def test_a_codebook_is_tried_on_its_examples_or_a_table(tmp_path: Path, capsys: Out) -> None:
    codebook_test.run(Wishes(**tried("humor")), {"engine": "keyword"})
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["texts"] == {"n": 8, "from": "the codebook's own examples"} and "8 texts are few" in told.err
    assert found["verdict"].startswith("The model passes all 6 checks.")
    assert [c["n"] for c in found["questions"][0]["checks"]] == [8, 2, 8, 8, 8, 8]
    table = tmp_path / "posts.csv"
    table.write_text("post\n" + "".join(f"a joke about {n} horses\n" for n in range(80)), encoding="utf-8")
    given = tried("humor", texts=table, text_column="post", as_json=False)
    codebook_test.run(Wishes(**given), {"engine": "keyword"})
    told = capsys.readouterr()
    assert told.out.startswith(
        "Humor: keyword on 50 texts (posts.csv)\nhumor\n  passed          legal answers: 50 of 50"
    )
    assert told.out.splitlines()[-1].startswith("The model ") and "few" not in told.err
    bare = tmp_path / "bare.csv"
    bare.write_text(TABLE, encoding="utf-8")
    with pytest.raises(CodebookOrderError, match="Give texts with --texts"):
        codebook_test.run(Wishes(**tried(str(bare))), {"engine": "keyword"})


def test_a_projects_codebook_is_tried_on_texts_that_are_none_of_the_audits(posts: Coding, capsys: Out) -> None:
    posts.revise(load("humor"))
    example = posts.book.questions[0].labels[0].examples[0]
    posts.text(example, "audit")
    for n in range(40):
        posts.text(f"an audit text {n}", "audit", rank=n + 1)
        posts.text(f"a work text {n}", "work" if n % 2 else "control")
    posts.text("not drawn yet", None)
    with posts.store.reading() as s:
        drawn = some(s, posts.world.project_id, 100, 0)
        few = some(s, posts.world.project_id, 7, 0)
    assert sorted(drawn) == sorted((f"a work text {n}",) for n in range(40))
    assert len(few) == 7 and few == some_again(posts, 7) and set(few) < set(drawn)
    codebook_test.run(Wishes(**tried(project="posts")), {"engine": "keyword"})
    found = json.loads(capsys.readouterr().out)
    assert found["texts"] == {"n": 40, "from": "work texts of the project"}
    assert found["questions"][0]["checks"][2]["n"] == 7, "without the example that the audit holds"


def some_again(posts: Coding, limit: int) -> list[tuple[str, ...]]:
    with posts.store.reading() as s:
        return some(s, posts.world.project_id, limit, 0)
