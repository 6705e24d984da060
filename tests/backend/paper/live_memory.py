"""Bytes of tensors that are alive while something runs, by watching each that is made and each that goes."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveMemory(TorchDispatchMode):
    """`peak` is the most bytes that tensors made in its block took at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for value in tree_leaves((args, kwargs)):
            if isinstance(value, torch.Tensor):
                self._see(value, new=False)
        out = func(*args, **(kwargs or {}))
        for value in tree_leaves(out):
            if isinstance(value, torch.Tensor):
                self._see(value, new=True)
        return out

    def _see(self, value: torch.Tensor, *, new: bool) -> None:
        storage = value.untyped_storage()
        key, size = storage.data_ptr(), storage.nbytes()
        if key in self._known or not size:
            return
        self._known.add(key)
        counted = size if new else 0
        self.now += counted
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, counted)

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size
