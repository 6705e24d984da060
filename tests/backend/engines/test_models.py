"""Finding, fetching, converting, listing and removing causal language models; the hub is a folder or a stand-in."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.engines import conversion, digests, models, weights
from backend.engines.models import RELEASED, find_causal
from backend.engines.protocol import EngineError
from tests.backend.engines.hub_cache import hub_cache, published
from tests.backend.engines.questions import tiny_encoder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same tiny model three ways: safetensors, one pickle, three pickles."""
    folder = tmp_path_factory.mktemp("llamas")
    for name, pickled in (("safe", 0), ("pickled", 1), ("sharded", 3)):
        published(folder / name, pickled=pickled)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and an empty cache of ours."""
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("SOCIALITE_CACHE", str(tmp_path / "ours"))
    return folder


class Download:
    """In place of `snapshot_download`: what is cached is as it is; a download copies a folder's files that match."""

    def __init__(self, cache: Path, source: Path) -> None:
        import huggingface_hub

        self.real, self.cache, self.source = huggingface_hub.snapshot_download, cache, source
        self.downloads: list[str] = []

    def __call__(self, repo: str, *, allow_patterns: list[str], local_files_only: bool, **more: Any) -> str:
        if local_files_only:
            return self.real(repo, allow_patterns=allow_patterns, local_files_only=True, **more)
        part = self.cache.parent / f"part-{len(self.downloads)}"
        part.mkdir()
        for pattern in allow_patterns:
            for path in self.source.glob(pattern):
                shutil.copy(path, part / path.name)
        self.downloads += sorted(path.name for path in part.iterdir())
        return str(hub_cache(self.cache, repo, part))


def test_a_folder_and_a_cached_model_are_the_same_weights(made: Path, cache: Path) -> None:
    snapshot = hub_cache(cache, "somebody/tiny", made / "safe")
    folder, found = find_causal(str(made / "safe")), find_causal("somebody/tiny")
    assert found.folder == snapshot
    assert (found.base, found.window) == ("somebody/tiny", 512)
    assert (folder.digest, folder.tokenizer) == (found.digest, found.tokenizer)
    assert folder.digest == weights.sha256([made / "safe" / "model.safetensors"])
    assert find_causal("somebody/tiny", "c" * 40) == find_causal("somebody/tiny@" + "c" * 40) == found
    with pytest.raises(EngineError, match="not on this machine"):
        find_causal("somebody/tiny@v2")


def test_the_released_weights_are_the_default_and_read_as_many_tokens_as_they_were_trained_with(
    made: Path, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match=r"socialite model fetch hlab/SocialiteLlama \(about 13 GB, under the Llama"):
        find_causal()
    source = shutil.copytree(made / "safe", tmp_path / "long")
    config = (source / "config.json").read_text(encoding="utf-8")
    (source / "config.json").write_text(config.replace(": 512", ": 4096"), encoding="utf-8")
    hub_cache(cache, RELEASED, source)
    assert (find_causal().base, find_causal().window) == (RELEASED, 3000)
    assert models.released(find_causal())
    assert not models.released(find_causal(str(source)))
    assert find_causal(str(source)).window == 4096


@pytest.mark.parametrize("kind", ["pickled", "sharded"])
def test_pickled_weights_are_converted_once(
    kind: str, made: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    hub_cache(cache, "somebody/tiny", made / kind)
    found = find_causal("somebody/tiny")
    assert found.folder.parent == cache.parent / "ours" / "models"
    assert not list(found.folder.glob("*.bin*"))
    assert found.tokenizer == find_causal(str(made / "safe")).tokenizer
    mine = AutoModelForCausalLM.from_pretrained(found.folder, local_files_only=True).state_dict()
    theirs = AutoModelForCausalLM.from_pretrained(made / "safe", local_files_only=True).state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    monkeypatch.setattr(conversion, "_convert", None)
    assert find_causal("somebody/tiny") == found
    monkeypatch.undo()
    monkeypatch.setenv("SOCIALITE_CACHE", str(cache.parent / "ours"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    next(found.folder.glob("*.safetensors")).unlink()
    assert find_causal("somebody/tiny") == found, "a conversion that is not whole is made again"


def test_weights_that_share_memory_are_converted(made: Path, cache: Path, tmp_path: Path) -> None:
    import torch

    folder = shutil.copytree(made / "safe", tmp_path / "tied")
    (folder / "model.safetensors").unlink()
    one = torch.arange(6.0).reshape(2, 3)
    torch.save({"a": one, "b": one, "c": one.T}, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    from safetensors.torch import load_file

    tensors = load_file(find_causal(str(folder)).folder / "model.safetensors")
    assert torch.equal(tensors["a"], one) and torch.equal(tensors["b"], one) and torch.equal(tensors["c"], one.T)
    assert cache.parent.joinpath("ours").is_dir()


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> Any:
        return Path.touch, (self.made,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_is_refused(zipped: bool, made: Path, cache: Path, tmp_path: Path) -> None:
    import torch

    folder, trace = shutil.copytree(made / "pickled", tmp_path / "bad"), tmp_path / "ran"
    bad = folder / "pytorch_model.bin"
    torch.save({"weight": torch.ones(2), "bomb": Bomb(trace)}, bad, _use_new_zipfile_serialization=zipped)
    with pytest.raises(EngineError, match="a stranger's code"):
        find_causal(str(folder))
    bad.write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(EngineError, match="a stranger's code"):
        find_causal(str(folder))
    torch.save({"weight": [1, 2]}, bad)
    with pytest.raises(EngineError, match="no table of tensors"):
        find_causal(str(folder))
    assert not trace.exists()
    assert not list((cache.parent / "ours" / "models").iterdir()), "nothing half done is left"
    with bad.open("wb") as stream:
        pickle.dump(Bomb(trace), stream)
    with bad.open("rb") as stream:
        pickle.load(stream)
    assert trace.exists(), "the bomb is one"


def test_too_little_space_is_said_before(made: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="GB left"):
        find_causal(str(made / "pickled"))
    assert not list((cache.parent / "ours" / "models").iterdir())


def test_a_tokenizer_is_enough_where_the_weights_are_elsewhere(
    made: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineError, match="fetch somebody/tiny --tokenizer-only"):
        models.find_tokenizer("somebody/tiny")
    hub = Download(cache, made / "safe")
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    found = models.fetch("somebody/tiny", tokenizer_only=True)
    assert all(name.endswith((".json", ".jinja")) for name in hub.downloads)
    assert (found.base, found.tokenizer) == ("somebody/tiny", find_causal(str(made / "safe")).tokenizer)
    with pytest.raises(EngineError, match="not whole"):
        find_causal("somebody/tiny")
    assert models.find_tokenizer("somebody/tiny") == found
    whole = models.fetch("somebody/tiny")
    assert models.find_tokenizer("somebody/tiny") == whole == find_causal("somebody/tiny")
    assert whole.digest != found.digest


def test_what_is_no_whole_causal_model_is_refused(made: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="--engine encoder"):
        find_causal(str(tiny_encoder(tmp_path / "encoder")))
    folder = shutil.copytree(made / "safe", tmp_path / "part")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(EngineError, match="no tokenizer"):
        find_causal(str(folder))
    (folder / "model.safetensors").unlink()
    with pytest.raises(EngineError, match="not whole"):
        find_causal(str(folder))
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EngineError, match="is an adapter"):
        find_causal(str(adapter))


def test_digests_are_remembered_until_a_file_changes(
    made: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    first = digests.sha256([path])
    monkeypatch.setattr(digests, "_computed", lambda _: "computed again")
    assert digests.sha256([path]) == first
    path.write_bytes(b"other")
    assert digests.sha256([path]) == "computed again"
    (tmp_path / "ours" / digests.FILE).write_text("[damaged", encoding="utf-8")
    assert digests.sha256([path]) == "computed again"


@pytest.mark.parametrize("kind", ["safe", "sharded"])
def test_fetch_takes_what_is_needed_and_nothing_else(
    kind: str, made: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shutil.copytree(made / kind, tmp_path / "source")
    (source / "run.py").write_text("raise SystemExit", encoding="utf-8")
    (source / "training_args.bin").write_bytes(b"a pickle")
    if kind == "safe":
        (source / "pytorch_model.bin").write_bytes(b"not needed where there are safetensors")
    hub = Download(cache, source)
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    found = models.fetch("somebody/tiny")
    assert found == find_causal("somebody/tiny")
    assert {name for name in hub.downloads if not name.endswith((".json", ".safetensors"))} == (
        {f"pytorch_model-0000{n}-of-00003.bin" for n in (1, 2, 3)} if kind == "sharded" else set()
    )
    listed = models.listed()
    assert [(one.id, one.converted) for one in listed] == [("somebody/tiny", False)] + (
        [("somebody/tiny", True)] if kind == "sharded" else []
    )
    assert all(one.size > 10_000 for one in listed)
    assert models.remove("somebody/tiny") >= 10_000
    assert models.listed() == []
    with pytest.raises(EngineError, match="no model 'somebody/tiny'"):
        models.remove("somebody/tiny")


def test_encoders_are_not_listed_as_language_models(cache: Path, tmp_path: Path) -> None:
    assert models.listed() == []
    hub_cache(cache, "somebody/encoder", tiny_encoder(tmp_path / "encoder"))
    assert models.listed() == []
    assert not models.is_causal("somebody/encoder")


@pytest.mark.usefixtures("cache")
def test_offline_the_cure_is_said() -> None:
    with pytest.raises(EngineError, match="HF_HUB_OFFLINE forbids a download"):
        models.fetch("somebody/tiny")
    with pytest.raises(EngineError, match="no name of a model"):
        models.fetch("a/b/c")


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("GatedRepoError", "HF_TOKEN"),
        ("RepositoryNotFoundError", "There is no model 'somebody/tiny'"),
        ("RevisionNotFoundError", "no revision 'v9'"),
        ("LocalEntryNotFoundError", "Check the connection"),
    ],
)
def test_why_a_download_failed_is_a_sentence(kind: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.errors

    def failing(*_: object, **__: object) -> str:
        error = getattr(huggingface_hub.errors, kind)
        raise error.__new__(error)

    monkeypatch.setattr("huggingface_hub.snapshot_download", failing)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(EngineError, match=sentence):
        models.fetch("somebody/tiny", "v9")


def test_weights_are_counted_without_loading_them(made: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(made / "safe", local_files_only=True)
    assert models.parameters(made / "safe") == sum(p.numel() for p in model.parameters())
