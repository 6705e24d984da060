from __future__ import annotations

import types

import pytest

from backend.engines import devices
from backend.engines.protocol import EngineError

SEVEN = 6_738_000_000


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose second GPU has 24 GB, the first 8."""
    import torch

    sizes = [8e9, 24e9]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: types.SimpleNamespace(total_memory=sizes[n]))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("gpu")
def test_memory_of_the_gpu_that_is_named() -> None:
    assert devices.gpu_memory() == devices.gpu_memory("cuda") == devices.gpu_memory("cuda:0") == 8_000_000_000
    assert devices.gpu_memory("cuda:1") == 24_000_000_000
    assert devices.gpu_memory("cpu") == 0
    assert not devices.on_processor("auto")
    assert devices.on_processor("cpu")


@pytest.mark.usefixtures("gpu")
def test_what_does_not_fit_is_said_with_a_cure() -> None:
    devices.check_memory(SEVEN, "m", "cuda:1")
    with pytest.raises(EngineError, match=r"'m' takes about 15\.5 GB of memory, and the GPU has 8\.0\. Use --four-bit"):
        devices.check_memory(SEVEN, "m", "cuda")
    devices.check_memory(SEVEN, "m", "cuda", four_bit=True)
    with pytest.raises(EngineError, match="Use a larger GPU"):
        devices.check_memory(10 * SEVEN, "m", "cuda", four_bit=True)


@pytest.mark.usefixtures("gpu")
def test_what_another_program_leaves_of_the_gpu_must_hold_what_is_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda place: (9e9, 24e9))
    devices.check_room(SEVEN, "m", "cuda:1", four_bit=True)
    with pytest.raises(EngineError, match=r"takes about 20\.1 GB, and 9\.0 GB of the GPU are free"):
        devices.check_room(SEVEN, "m", "cuda:1")
    devices.check_room(100 * SEVEN, "m", "cpu")


@pytest.mark.usefixtures("no_gpu")
def test_a_processor_holds_four_bytes_a_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.gpu_memory() == 0
    assert devices.on_processor("auto")
    monkeypatch.setattr(devices, "_memory", lambda: 16_000_000_000)
    devices.check_memory(3_000_000_000, "m", "auto")
    with pytest.raises(EngineError, match=r"31\.0 GB of memory, and this computer has 16\.0"):
        devices.check_memory(SEVEN, "m", "auto")
    devices.check_memory(SEVEN, "m", "mps")


def test_this_computer_has_memory() -> None:
    assert devices._memory() > 1e8
