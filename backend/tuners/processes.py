"""Several processes that train one model together, as `accelerate launch` or `torchrun` starts them.

Each takes its part of every step; what they find is summed, so that all keep the same weights. Without such a start
there is one process, and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

BUCKET = 1 << 24  # numbers that are sent at once
PATIENCE = timedelta(hours=2)  # that the others wait, such as for the main one to write a large model

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """This process (`rank`, from 0) of `size`, the `local` one of its machine. The main one alone writes and speaks."""

    rank: int = 0
    size: int = 1
    local: int = 0

    @property
    def main(self) -> bool:
        return self.rank == 0

    def device(self, wanted: str) -> str:
        """The device of this process where all were told the same one: a GPU each."""
        import torch

        if self.size == 1 or wanted not in ("auto", "cuda"):
            return wanted
        return f"cuda:{self.local}" if torch.cuda.is_available() else "cpu"

    def start(self, device: str) -> None:
        """Find the others; NCCL on GPUs, Gloo elsewhere."""
        import torch
        from torch import distributed

        if self.size == 1 or distributed.is_initialized():
            return
        on_gpu = device.startswith("cuda")
        if on_gpu:
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)

    def end(self) -> None:
        """Leave the others, once all are here."""
        from torch import distributed

        if self.size > 1 and distributed.is_initialized():
            distributed.barrier()
            distributed.destroy_process_group()

    def add(self, tensors: Sequence[Any]) -> None:
        """Put into each tensor its sum over all processes."""
        import torch
        from torch import distributed

        if self.size == 1:
            return
        for part in _buckets(tensors):
            flat = torch.cat([one.reshape(-1) for one in part])
            distributed.all_reduce(flat)
            for one, summed in zip(part, torch.split(flat, [one.numel() for one in part]), strict=True):
                one.copy_(summed.view_as(one))

    def total(self, values: Sequence[float], device: Any) -> list[float]:
        """The sum of each number over all processes."""
        import torch

        if self.size == 1:
            return list(values)
        found = torch.tensor(list(values), dtype=torch.float64, device=device)
        self.add([found])
        return [float(value) for value in found]

    def told(self, value: T) -> T:
        """The main process's value, in all of them."""
        from torch import distributed

        if self.size == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]

    def gathered(self, value: T) -> list[T]:
        """The values of all processes, in all of them."""
        from torch import distributed

        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        distributed.all_gather_object(found, value)
        return found


def processes() -> Processes:
    """What the launcher's variables say; one process without them."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    rank, size, local = (int(os.environ.get(name) or default) for name, default in zip(names, (0, 1, 0), strict=True))
    return Processes(rank, size, local) if size > 1 else Processes()


def _buckets(tensors: Sequence[Any]) -> list[list[Any]]:
    """The tensors in groups of one dtype that are sent at once."""
    found: list[list[Any]] = []
    numbers = 0
    for one in tensors:
        if not found or numbers + one.numel() > BUCKET or found[-1][0].dtype != one.dtype:
            found.append([])
            numbers = 0
        found[-1].append(one)
        numbers += one.numel()
    return found
