"""A server that speaks as vLLM does, with a small Llama behind it: whole forwards, nothing cached, faults on order."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from backend.engines.weights import Weights
from tests.backend.engines.random_loras import merged

Json = dict[str, Any]


class FakeVllm(ThreadingHTTPServer):
    """Serves `weights` as "base". `faults` are used up by completions, one each: a status, or what `_completion` knows.

    `tamper` changes an answer before it is sent; `before` is called with every completion's body.
    """

    daemon_threads = False  # they are waited for at the end

    def __init__(self, weights: Weights, *, key: str = "", limit: int = 256, port: int = 0) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        super().__init__(("127.0.0.1", port), Handler)
        self.tokenizer = AutoTokenizer.from_pretrained(weights.folder)
        self.models = {"base": AutoModelForCausalLM.from_pretrained(weights.folder, dtype=torch.float32).eval()}
        self.key, self.limit, self.size = key, limit, self.models["base"].config.vocab_size
        self.folders: dict[str, str] = {}
        self.connections: set[socket.socket] = set()
        self.gone: list[Any] = []  # keeps their ids from being used again
        self.faults: list[str] = []
        self.asked: list[tuple[str, Json]] = []
        self.tamper: Callable[[Json], Json] = lambda answer: answer
        self.before: Callable[[Json], None] = lambda _: None
        self.slow = 0.0  # seconds each completion takes longer
        self.busy = self.peak = 0
        self.lock, self.computing = threading.Lock(), threading.Lock()
        self.known: dict[tuple[int, tuple[int, ...]], Any] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def forget(self) -> None:
        """What a restart does: the adapters are gone."""
        with self.lock:
            for name in list(self.folders):
                del self.folders[name]
                self.gone.append(self.models.pop(name))

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def complete(self, body: Json, model: Any) -> tuple[int, Json]:
        prompts = body["prompt"]
        if isinstance(prompts, str):
            prompts = [self.tokenizer(prompts, add_special_tokens=body.get("add_special_tokens", True))["input_ids"]]
        elif isinstance(prompts[0], int):
            prompts = [prompts]
        ids = body.get("logprob_token_ids")
        if any(len(prompt) + body["max_tokens"] > self.limit for prompt in prompts):
            return error(400, "This model's maximum context length was exceeded")
        if ids and max(ids) >= self.size:
            return error(400, f"token_id(s) {ids} in logprob_token_ids contain out-of-vocab token ids")
        if ids and len(ids) > 128:
            return error(400, "Requested logprob_token_ids is greater than max allowed: 128")
        if body["max_tokens"] > 1:
            choices = [self._said(n, model, prompt, body["max_tokens"]) for n, prompt in enumerate(prompts)]
            return 200, self.tamper({"model": body["model"], "choices": choices[::-1]})
        rows = zip(prompts, self._rows(model, prompts), strict=True)
        choices = [self._choice(n, prompt, body, row) for n, (prompt, row) in enumerate(rows)]
        return 200, self.tamper({"model": body["model"], "choices": choices[::-1]})

    def _rows(self, model: Any, prompts: list[list[int]]) -> list[Any]:
        """Log-probabilities [vocabulary] after each prompt, by whole forwards; what was asked for before is known."""
        import torch

        with self.computing:
            new = [p for p in dict.fromkeys(map(tuple, prompts)) if (id(model), p) not in self.known]
            if new:
                longest = max(map(len, new))
                padded = torch.tensor([[*p, *[0] * (longest - len(p))] for p in new])  # nothing looks to the right
                with torch.inference_mode():
                    logits = model(padded).logits.double()
                for row, p in enumerate(new):
                    self.known[id(model), p] = logits[row, len(p) - 1].log_softmax(-1)
            return [self.known[id(model), tuple(p)] for p in prompts]

    def _choice(self, index: int, prompt: list[int], body: Json, values: Any) -> Json:
        ids = body.get("logprob_token_ids")
        shown = dict.fromkeys([int(values.argmax()), *(ids or values.topk(body.get("logprobs") or 1).indices.tolist())])
        top = {f"token_id:{x}": float(values[x]) for x in shown}
        found: Json = {"index": index, "text": "x", "logprobs": {"top_logprobs": [top]} if "logprobs" in body else None}
        if body.get("return_token_ids"):
            found["prompt_token_ids"] = prompt
        return found

    def _said(self, index: int, model: Any, prompt: list[int], longest: int) -> Json:
        """The likeliest tokens, without the one that ends the text: a server need not give that."""
        ids: list[int] = []
        while len(ids) < longest:
            ids.append(int(self._rows(model, [[*prompt, *ids]])[0].argmax()))
            if ids[-1] == self.tokenizer.eos_token_id:
                return {"index": index, "text": "x", "token_ids": ids[:-1], "finish_reason": "stop"}
        return {"index": index, "text": "x", "token_ids": ids, "finish_reason": "length"}

    def load(self, body: Json) -> tuple[int, Json]:
        name, folder = body["lora_name"], body["lora_path"]
        if name in self.models:
            return error(400, f"The lora adapter '{name}' has already been loaded.")
        if not Path(folder, "adapter_config.json").is_file():
            return error(404, f"Loading lora {name} failed: No adapter found for {folder}")
        changed = merged(self.models["base"], Path(folder))
        with self.lock:
            self.models[name], self.folders[name] = changed, folder
        return 200, {}

    def unload(self, body: Json) -> tuple[int, Json]:
        with self.lock:
            if self.folders.pop(body["lora_name"], None) is None:
                return error(404, "The lora adapter cannot be found.")
            self.gone.append(self.models.pop(body["lora_name"]))
        return 200, {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeVllm

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.lock:
            self.server.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        if self._allowed():
            served = [{"id": name, "max_model_len": self.server.limit} for name in self.server.models]
            self._answer(200, {"data": served} if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.asked.append((self.path, body))
        if not self._allowed():
            return
        if self.path == "/v1/load_lora_adapter":
            self._answer(*server.load(body))
        elif self.path == "/v1/unload_lora_adapter":
            self._answer(*server.unload(body))
        elif self.path == "/v1/completions":
            self._completion(body)
        else:
            self._answer(*error(404, "Not Found"))

    def _completion(self, body: Json) -> None:
        server = self.server
        server.before(body)
        with server.lock:
            server.busy += 1
            server.peak = max(server.peak, server.busy)
            fault = server.faults.pop(0) if server.faults else ""
            model = server.models.get(body["model"])
        try:
            time.sleep(server.slow)
            if fault.isdigit():
                self._answer(*error(int(fault), "a prompt may be quoted here"))
            elif fault == "drop":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif fault == "half":
                self._answer(200, {"model": "base", "choices": []}, missing=9)
                self.close_connection = True
            elif fault == "late":
                time.sleep(1.0)
                self.close_connection = True
            elif model is None:
                self._answer(*error(404, f"The model `{body['model']}` does not exist."))
            else:
                self._answer(*server.complete(body, model))
        finally:
            with server.lock:
                server.busy -= 1

    def _allowed(self) -> bool:
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            self._answer(401, {"error": "Unauthorized"})
            return False
        return True

    def _answer(self, status: int, value: Json, *, missing: int = 0) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data) + missing))
        if status == 429:
            self.send_header("Retry-After", "0.2")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        return


def error(status: int, message: str) -> tuple[int, Json]:
    return status, {"error": {"message": message, "type": "Error", "code": status}}


@contextmanager
def serving(server: FakeVllm) -> Iterator[FakeVllm]:
    """The server at work, until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        with server.lock:
            for connection in server.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        server.server_close()
        thread.join()
