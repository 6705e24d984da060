"""Which engine the settings come to; `auto` downloads nothing and takes the large model only where it fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.engines import cache, devices, instructions, models, registry
from backend.engines.choice import choose, remarks, resolved, settled, wording_of
from backend.engines.prompts import Ours
from backend.engines.protocol import EngineError
from backend.settings import Settings
from labelstudio_config import library
from tests.backend.engines.hub_cache import hub_cache, published
from tests.backend.engines.questions import question, tiny_encoder


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("llama") / "tiny")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and a `snapshot_download` that may only look into it."""
    import huggingface_hub

    real = huggingface_hub.snapshot_download

    def looking(*given: Any, local_files_only: bool, **more: Any) -> str:
        assert local_files_only, "something would be downloaded"
        return real(*given, local_files_only=True, **more)

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.snapshot_download", looking)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "ours"))
    return tmp_path / "hub"


def gpu_of(size: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpu_memory", lambda device="auto": 0 if device == "cpu" else int(size))


def test_auto_is_the_encoder_until_the_weights_are_here_and_a_gpu_holds_them(
    llama: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu_of(80e9, monkeypatch)
    assert resolved(Settings()) == ("encoder", "")
    hub_cache(hub, models.RELEASED, llama)
    size = devices.needed(models.parameters(llama), gpu=True)
    assert resolved(Settings()) == ("causal", "")
    assert resolved(Settings(device="cpu")) == ("encoder", "")
    gpu_of(1.5 * size, monkeypatch)
    assert resolved(Settings()) == ("causal", "")
    name, said = resolved(Settings(), copies=2)
    assert name == "encoder"
    assert "--engine causal --four-bit" in said
    assert resolved(Settings(four_bit=True), copies=2) == ("causal", "")
    gpu_of(0, monkeypatch)
    assert resolved(Settings()) == ("encoder", "")


def test_auto_takes_the_kind_of_the_model_that_is_named(llama: Path, hub: Path, tmp_path: Path) -> None:
    assert resolved(Settings(model=str(llama)))[0] == "causal"
    assert resolved(Settings(model=str(tiny_encoder(tmp_path / "encoder"))))[0] == "encoder"
    assert resolved(Settings(model="somebody/absent"))[0] == "encoder"
    hub_cache(hub, "somebody/tiny", llama)
    assert resolved(Settings(model="somebody/tiny"))[0] == "causal"
    assert resolved(Settings(engine="remote", model="somebody/tiny"))[0] == "remote"
    assert settled(Settings(model="somebody/tiny"), copies=2)[0] == Settings(model="somebody/tiny", engine="causal")


class Made(Exception):
    """An engine would be made of these."""

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self.given = given


def made(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the engine's class is given."""

    def make(**given: Any) -> Any:
        raise Made(**given)

    monkeypatch.setitem(registry.ENGINES, settings.engine, make)
    with pytest.raises(Made) as caught:
        choose(settings, ready=False)
    return caught.value.given


def test_a_causal_engine_gets_what_is_set(llama: Path, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(engine="causal", model=str(llama), device="cpu", method="choice", shots=2, verbalisers="on")
    assert made(settings, monkeypatch) == {
        "weights": models.find_causal(str(llama)),
        "wording": Ours(verbalised=True),
        "device": "cpu",
        "four_bit": False,
        "method": "choice",
        "shots": 2,
        "ready": False,
    }
    monkeypatch.setattr(devices, "_memory", lambda: 1000)
    with pytest.raises(EngineError, match="this computer has"):
        choose(settings)


def test_a_remote_engine_gets_what_is_set(llama: Path, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://gpu.example:8000"
    settings = Settings(engine="remote", model=str(llama), remote_url=url, remote_key="k", remote_model="base")
    given = made(settings, monkeypatch)
    assert (given["url"], given["model"], given["key"]) == (url, "base", "k")
    assert given["weights"] == models.find_causal(str(llama))
    assert made(settings.model_copy(update={"remote_model": ""}), monkeypatch)["model"] == str(llama)
    with pytest.raises(EngineError, match="SOCIALITE_REMOTE_URL"):
        choose(Settings(engine="remote", model=str(llama)))


def test_verbalisers_belong_to_the_released_weights(llama: Path, hub: Path) -> None:
    hub_cache(hub, models.RELEASED, llama)
    theirs, mine = models.find_causal(), models.find_causal(str(llama))
    assert [wording_of(Settings(verbalisers=v), theirs) for v in ("auto", "on", "off")] == [
        Ours(verbalised=v) for v in (True, True, False)
    ]
    assert [wording_of(Settings(verbalisers=v), mine) for v in ("auto", "on", "off")] == [
        Ours(verbalised=v) for v in (False, True, False)
    ]


def test_the_authors_words_are_for_a_language_model(hub: Path, llama: Path) -> None:
    with pytest.raises(EngineError, match="Leave out --instructions"):
        choose(Settings(engine="encoder", instructions="authors"))
    settings = Settings(engine="causal", model=str(llama), instructions="authors")
    with pytest.raises(EngineError, match="socialite model fetch"):
        choose(settings)
    kept = {"revision": "r", "instructions": {"EMOTION": "Which?"}}
    cache.write_json(cache.folder() / instructions.FILE, kept)
    book = library.load("emotion")
    emotion = book.standalone(book.questions[0])
    assert remarks(settings, [emotion]) == []
    assert len(remarks(settings, [emotion, question()])) == 1
    assert remarks(settings.model_copy(update={"instructions": "ours"}), [question()]) == []
