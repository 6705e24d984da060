from __future__ import annotations

from pathlib import Path

import pytest
from label_studio_sdk.label_interface import LabelInterface
from typer.testing import CliRunner, Result

from backend import cli
from labelstudio_config.errors import ConfigError, UnknownCodebookError
from labelstudio_config.library import load, load_many, to_yaml
from labelstudio_config.xml import from_xml, to_xml


def answer(*words: str) -> Result:
    done = CliRunner().invoke(cli.app, ["config", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done


def test_the_configuration_and_nothing_else_is_printed() -> None:
    assert answer("emotion").stdout == to_xml(load("emotion"))
    assert answer("flute").stdout == to_xml(load("flute"))


def test_several_are_one_configuration() -> None:
    xml = answer("humor, emotion,humor").stdout
    LabelInterface(xml).validate()
    assert xml == to_xml(load_many("humor,emotion"))
    assert [q.name for q in from_xml(xml, key="both").questions] == ["humor", "emotion"]


def test_files_of_ones_own(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine.yaml", tmp_path / "theirs.xml"
    mine.write_text(to_yaml(load("complaints")), encoding="utf-8")
    theirs.write_text(to_xml(load("irony")), encoding="utf-8")
    xml = answer(f"{mine},{theirs}").stdout
    assert [q.name for q in from_xml(xml, key="both").questions] == ["complaints", "irony"]


def test_into_a_file_that_is_not_replaced_unasked(tmp_path: Path) -> None:
    file = tmp_path / "emotion.xml"
    done = answer("emotion", "-o", str(file))
    assert (done.stdout, file.read_bytes()) == ("", to_xml(load("emotion")).encode())
    assert "Labeling Interface" in done.stderr
    with pytest.raises(ConfigError, match=r"emotion\.xml is there already: give --overwrite"):
        answer("humor", "-o", str(file))
    assert file.read_bytes() == to_xml(load("emotion")).encode()
    answer("humor", "-o", str(file), "--overwrite")
    assert file.read_bytes() == to_xml(load("humor")).encode()


def test_an_unknown_name_is_said() -> None:
    with pytest.raises(UnknownCodebookError, match="Did you mean 'sexist'"):
        answer("sexism")
