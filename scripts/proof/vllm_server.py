"""A vLLM on this machine's processor, on a loopback port: started, killed, and started again at the same address."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from scripts.local.processes import Child, clean_environ, free_port
from scripts.local.waiting import wait_until_ready
from scripts.proof.vllm_environment import command

KEY = "a-key-for-this-proof"
NAME = "base"
USUAL = 60.0  # seconds until it answers, on 2 cores


class Vllm:
    """The server of one model; `log` is what it prints."""

    def __init__(self, venv: Path, model: Path, home: Path, *, length: int, rank: int, loras: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [
            *(str(command(venv)), "serve", str(model), "--served-model-name", NAME),
            *("--host", "127.0.0.1", "--port", str(self.port), "--dtype", "float32", "--max-model-len", str(length)),
            *("--enforce-eager", "--enable-lora", "--max-lora-rank", str(rank), "--max-loras", str(loras)),
            *("--max-logprobs", "20", "--api-key", KEY),
        ]
        self._home = home
        self._starts = 0
        self._child: Child | None = None

    def start(self) -> None:
        """Returns when it answers. StartError, with its last words, when it does not."""
        self._starts += 1
        environ = clean_environ() | {
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "HF_HUB_OFFLINE": "1",
        }
        self._child = Child("vLLM", self._command, environ, self._home / f"vllm-{self._starts}.log")
        wait_until_ready(self._child, f"{self.url}/health", usual=USUAL, limit=300)

    def answered(self) -> int:
        """Completions answered since it was started last."""
        assert self._child is not None
        text = self._child.log.read_text(encoding="utf-8", errors="replace")
        return text.count('"POST /v1/completions HTTP/1.1" 200')

    def kill(self) -> None:
        """End it and what it started, at once and without a word, as a crash or a full memory would."""
        assert self._child is not None
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
        self._child.end()

    def end(self) -> None:
        if self._child is not None:
            self._child.end()
