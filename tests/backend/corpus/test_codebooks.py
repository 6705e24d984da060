"""Codebooks by what a person types."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.corpus.codebooks import configuration, several, together, xml_text
from labelstudio_config.errors import CodebookError, UnknownCodebookError
from labelstudio_config.library import to_yaml
from labelstudio_config.xml import to_xml


def test_names_yaml_and_xml_in_one_list(tmp_path: Path) -> None:
    (humor,) = several("humor")
    (tmp_path / "mine.yaml").write_text(to_yaml(humor), encoding="utf-8")
    (tmp_path / "Theirs.XML").write_text(to_xml(humor), encoding="utf-8-sig")
    found = several(f"emotion, {tmp_path / 'mine.yaml'}, {tmp_path / 'Theirs.XML'}, emotion")
    assert [book.key for book in found] == ["emotion", "humor", "theirs"]
    assert found[1] == humor
    assert [q.name for q in found[2].questions] == [q.name for q in humor.questions]


def test_one_codebook_under_the_projects_key() -> None:
    assert together(several("humor"), "posts", "Posts").key == "posts"
    both = together(several("humor,emotion"), "posts", "Posts")
    assert ([q.id for q in both.questions], both.title) == (["humor", "emotion"], "Posts")
    assert all(q.instruction for q in both.questions)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownCodebookError, match=r"No codebook is named\. There are: .*emotion"):
        several(" , ")
    with pytest.raises(UnknownCodebookError, match="cannot be read"):
        xml_text(tmp_path / "absent.xml")
    (tmp_path / "latin.xml").write_bytes(b"<View>\xe9</View>")
    with pytest.raises(CodebookError, match="is not UTF-8"):
        configuration(tmp_path / "latin.xml")
