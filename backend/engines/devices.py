"""Whether a model of so many weights fits where it is to run: said before minutes of loading, not after."""

from __future__ import annotations

from importlib import import_module

from backend.engines.protocol import EngineError

CUDA = "cuda"
FLOAT32, BFLOAT16, FOUR_BIT = 4.0, 2.0, 0.7  # bytes a weight takes; in four bits some parts stay larger
TUNING = 1.3  # times what scoring takes, for gradients, activations and the optimiser of a LoRA: an estimate
BESIDE = 1.15  # times that, for what scoring needs besides
FULL = ("out of memory", "can't allocate memory", "not enough memory")


def needed(weights: int, *, gpu: bool, four_bit: bool = False) -> float:
    """Bytes of memory that a model takes: bfloat16 or four bits on a GPU, float32 on a processor."""
    return BESIDE * weights * ((FOUR_BIT if four_bit else BFLOAT16) if gpu else FLOAT32)


def gpu_memory(device: str = "auto") -> int:
    """Bytes of memory of the CUDA device that 'auto', 'cuda' or 'cuda:1' names; 0 when there is none."""
    if device != "auto" and not device.startswith(CUDA):
        return 0
    import torch

    if not torch.cuda.is_available():
        return 0
    place = torch.device(CUDA if device == "auto" else device)
    return int(torch.cuda.get_device_properties(place.index or 0).total_memory)


def on_processor(device: str) -> bool:
    """Whether 'auto', 'cpu', 'cuda' ... comes to the processor of this machine."""
    return device == "cpu" or (device == "auto" and not gpu_memory(device))


def check_memory(weights: int, base: str, device: str, *, four_bit: bool = False) -> None:
    """`EngineError` when a model is larger than all the memory of the device that it is to run on."""
    if on_processor(device):
        there, where, cure = _memory(), "this computer", "Use a computer with a large GPU"
        takes = needed(weights, gpu=False)
    elif there := gpu_memory(device):
        where, cure = "the GPU", "Use --four-bit" if not four_bit else "Use a larger GPU"
        takes = needed(weights, gpu=True, four_bit=four_bit)
    else:
        return
    if takes > there:
        raise EngineError(
            f"'{base}' takes about {takes / 1e9:.1f} GB of memory, and {where} has {there / 1e9:.1f}. "
            f"{cure}, a server elsewhere (--engine remote), a smaller model, or the encoder."
        )


def check_room(weights: int, base: str, device: str, *, four_bit: bool = False) -> None:
    """`EngineError` when what is free of the GPU now does not hold the model and what tuning it takes.

    A server may be using the rest. On a processor the system finds room, if slowly.
    """
    if on_processor(device) or not gpu_memory(device):
        return
    import torch

    free = torch.cuda.mem_get_info(torch.device(CUDA if device == "auto" else device))[0]
    takes = TUNING * needed(weights, gpu=True, four_bit=four_bit)
    if takes > free:
        raise EngineError(
            f"Tuning '{base}' takes about {takes / 1e9:.1f} GB, and {free / 1e9:.1f} GB of the GPU are free: what "
            "serves may be using the rest. Tune on another GPU (--device cuda:1), with --four-bit in both, while "
            "`socialite serve` is stopped (Label Studio keeps what was pushed), or elsewhere (`socialite snapshot`)."
        )


def room(device: str) -> tuple[int, str]:
    """Bytes of memory that may be filled, and whose: what is free of a GPU, or all that this computer has."""
    if on_processor(device) or not gpu_memory(device):
        return _memory(), "on this computer"
    import torch

    return int(torch.cuda.mem_get_info(torch.device(CUDA if device == "auto" else device))[0]), "free on the GPU"


def out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says with this error that a device's memory is full."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or any(told in str(error) for told in FULL)


def _memory() -> int:
    """Bytes of memory of this computer."""
    return int(import_module("psutil").virtual_memory().total)  # it has no types of its own
