"""Adapters on a server: each is named by its content, loaded before it is used, and dropped when others need room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from backend.engines.adapter import Manifest, digest, not_lora, read
from backend.engines.protocol import EngineError
from backend.engines.vllm import Server

PREFIX = "socialite-"  # so that other users of the server see whose they are


@dataclass(slots=True)
class Lora:
    """An adapter on the server. `loads` counts how often it was put there."""

    name: str
    folder: Path
    manifest: Manifest
    loads: int = 0


class Loras:
    """The adapters that this program has put on a server: at most `kept`, the last used ones."""

    def __init__(self, server: Server, kept: int) -> None:
        self._server = server
        self._kept = max(1, kept)
        self._loaded: OrderedDict[Path, Lora] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, folder: Path) -> Lora:
        """What the folder holds, a whole LoRA; it need not be on the server yet. `EngineError`: it is none."""
        folder = folder.resolve()
        if folder in self._loaded:
            return self._loaded[folder]
        manifest = read(folder)
        if reason := not_lora(folder, manifest):
            raise EngineError(reason)
        return Lora(f"{PREFIX}{digest(folder)[:12]}", folder, manifest)

    def put(self, lora: Lora) -> None:
        """On the server, and the last used; what has not been used for longest makes room."""
        if lora.folder not in self._loaded:
            while len(self._loaded) >= self._kept:
                folder, oldest = next(iter(self._loaded.items()))
                self._server.unload_adapter(oldest.name)
                del self._loaded[folder]
            self._server.load_adapter(lora.name, str(lora.folder))
            lora.loads += 1
            self._loaded[lora.folder] = lora
        self._loaded.move_to_end(lora.folder)

    def again(self, lora: Lora, loads: int) -> None:
        """The server does not know the adapter that was there when `loads` was counted: it restarted, or someone else
        dropped it. Several threads may notice; one puts it back.
        """
        with self._lock:
            if lora.loads == loads:
                self._server.load_adapter(lora.name, str(lora.folder))
                lora.loads += 1


def lost(server: Server, lora: Lora) -> EngineError:
    """The adapter does not stay on the server."""
    return EngineError(
        f"The server at {server.url} forgets the adapter {lora.folder.name} as soon as it is loaded. Start it with one "
        "API server process (--api-server-count 1), or see what else unloads adapters there."
    )
