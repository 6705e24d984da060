"""The client of a vLLM server: exact log-probabilities of named tokens, and adapters loaded and unloaded.

A fault that passes (no connection, too many requests, a server that restarts) is tried again with growing pauses. What
a server says in an error is never repeated where it could quote a prompt.
"""

from __future__ import annotations

import math
import random
import threading
import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.vllm_errors import address, bearer, no_answer, refused, unusable

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]
CONNECT = 10.0  # seconds to open a connection
FIRST, LONGEST = 0.25, 8.0  # seconds of the first and the longest pause before another try
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that another try may cure
IDS = 128  # tokens vLLM takes in one request for log-probabilities
SLACK = 1e-3  # by which probabilities may add up to more than 1: servers compute in half precision
# The scores are the model's own, whatever sampling the server's settings prefer.
ONE: Json = {
    "max_tokens": 1,
    "return_tokens_as_token_ids": True,
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}


class Server:
    """A vLLM server at `url` (with or without `/v1`); threads may use it at the same time.

    `timeout`: seconds a single try may take; `patience`: seconds after its first fault for which a request is tried
    again; `connections`: how many are open at once.
    """

    def __init__(
        self, url: str, key: str = "", *, timeout: float = 120.0, patience: float = 60.0, connections: int = 16
    ) -> None:
        import httpx  # the help text does without it

        self.url = address(url)
        self._patience = patience
        self._keyed = bool(key.strip())
        self._given_up = threading.Event()
        self._client = httpx.Client(
            base_url=self.url,
            headers=bearer(key),
            timeout=httpx.Timeout(timeout, connect=CONNECT, pool=None),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )
        self.close = weakref.finalize(self, self._client.close)  # also when nobody holds the server any more

    def give_up(self) -> None:
        """Whatever waits to be tried again fails now."""
        self._given_up.set()

    def resume(self) -> None:
        self._given_up.clear()

    def models(self, *, patience: float | None = None) -> dict[str, int | None]:
        """The models and adapters served: name -> tokens of prompt and answer together, where it says so."""
        answer = self._json(self._send("GET", "/v1/models", patience=patience))
        try:
            return {str(x["id"]): x.get("max_model_len") for x in answer["data"]}
        except (KeyError, TypeError, AttributeError):
            raise no_answer(self.url, "its list of models is not one") from None

    def tokens(self, model: str, text: str) -> list[int] | None:
        """The text as the server's tokenizer cuts it, without a beginning; None when the server does not say."""
        body = {"model": model, "prompt": text, "max_tokens": 1, "add_special_tokens": False, "return_token_ids": True}
        ids = self._choices(model, body, 1)[0].get("prompt_token_ids")
        return [int(x) for x in ids] if isinstance(ids, list) else None

    def drawn(self, model: str, prompt: Sequence[int], ids: Sequence[int], count: int) -> list[dict[int, float]]:
        """The log-probabilities of `ids` and of a token drawn at random after the prompt, `count` times.

        Not by `logprobs` alone: vLLM 0.32 mixes these up where requests for named tokens are under way.
        """
        body = {"model": model, "prompt": [list(prompt)] * count, "logprobs": 1, "logprob_token_ids": list(ids), **ONE}
        found = []
        for choice in self._choices(model, body, count):
            position = _position(self.url, choice)
            try:
                found.append({int(name.removeprefix("token_id:")): float(x) for name, x in position.items()})
            except (TypeError, ValueError):
                raise unusable(self.url, "it does not name tokens by their ids") from None
            if not found[-1].keys() >= set(ids):
                raise unusable(self.url, "it leaves out tokens that were asked for")
        return found

    def log_probabilities(
        self, model: str, prompts: Sequence[Sequence[int]], ids: Sequence[int]
    ) -> NDArray[np.float64]:
        """log P(token | prompt) [n, len(ids)] of the tokens `ids` after each of the prompts (token ids).

        EngineError when the server's answer is not that; UnknownModelError when it does not serve `model` (any more).
        """
        parts = [self._part(model, prompts, ids[start : start + IDS]) for start in range(0, len(ids), IDS)]
        found = np.concatenate(parts, axis=1)
        if not (found <= 1e-6).all() or (np.exp(found).sum(axis=1) > 1 + SLACK).any():
            raise unusable(self.url, "it gives numbers that are no log-probabilities")
        return np.minimum(found, 0.0)

    def continued(self, model: str, prompts: Sequence[Sequence[int]], longest: int, end: int) -> list[list[int]]:
        """The likeliest tokens one after the other behind each prompt, at most `longest`, `end` included if it came."""
        body = {
            "model": model,
            "prompt": [list(prompt) for prompt in prompts],
            "return_token_ids": True,
            **ONE,
            "max_tokens": longest,
            "temperature": 0.0,
        }
        found = []
        for choice in self._choices(model, body, len(prompts)):
            ids = choice.get("token_ids")
            if not isinstance(ids, list):
                raise unusable(self.url, "it does not say which tokens it gives")
            stopped = choice.get("finish_reason") == "stop" and ids[-1:] != [end]
            found.append([*map(int, ids), *([end] if stopped else [])])
        return found

    def load_adapter(self, name: str, folder: str) -> None:
        """The server reads the adapter in `folder`, as a model of that name; nothing happens if it has it already."""
        body = {"lora_name": name, "lora_path": folder}
        answer = self._send("POST", "/v1/load_lora_adapter", body, passing=PASSING - {500})
        if answer.status_code != 200 and "already been loaded" not in _said(answer):
            raise refused(self.url, answer, keyed=self._keyed, adapter=folder)

    def unload_adapter(self, name: str) -> None:
        """The server forgets the adapter; nothing happens if it does not have it."""
        answer = self._send("POST", "/v1/unload_lora_adapter", {"lora_name": name})
        if answer.status_code not in (200, 404):
            raise refused(self.url, answer, keyed=self._keyed)

    def _part(self, model: str, prompts: Sequence[Sequence[int]], ids: Sequence[int]) -> NDArray[np.float64]:
        body = {
            "model": model,
            "prompt": [list(prompt) for prompt in prompts],
            "logprobs": 1,  # without it the tokens' own are not given
            "logprob_token_ids": list(ids),
            **ONE,
        }
        found = np.empty((len(prompts), len(ids)))
        for row, choice in enumerate(self._choices(model, body, len(prompts))):
            position = _position(self.url, choice)
            try:
                found[row] = [float(position[f"token_id:{x}"]) for x in ids]
            except (KeyError, TypeError, ValueError):
                raise unusable(self.url, "it leaves out tokens that were asked for") from None
        return found

    def _choices(self, model: str, body: Json, count: int) -> list[Json]:
        """The completions, in the order of the prompts."""
        answer = self._send("POST", "/v1/completions", body)
        if answer.status_code != 200:
            raise refused(self.url, answer, keyed=self._keyed, model=model)
        value = self._json(answer)
        try:
            named, choices = value["model"], sorted(value["choices"], key=lambda x: int(x["index"]))
            complete = [int(x["index"]) for x in choices] == list(range(count))
        except (KeyError, TypeError, ValueError):
            raise no_answer(self.url, "its completion has no choices") from None
        if named != model:
            raise no_answer(self.url, "it answers for another model than the one asked for")
        if not complete:
            raise no_answer(self.url, f"it did not give {count} completions for as many prompts")
        return choices

    def _json(self, answer: httpx.Response) -> Json:
        if answer.status_code != 200:
            raise refused(self.url, answer, keyed=self._keyed)
        try:
            value = answer.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise no_answer(self.url, "its answer is no JSON object")
        return value

    def _send(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        passing: frozenset[int] = PASSING,
        patience: float | None = None,
    ) -> httpx.Response:
        """The answer, tried again while its status is a `passing` one; EngineError when patience ends."""
        import httpx

        patience = self._patience if patience is None else patience
        first: float | None = None
        pause = FIRST
        while True:
            asked = 0.0
            try:
                answer = self._client.request(method, path, json=body)
                if answer.status_code not in passing:
                    return answer
                fault = refused(self.url, answer, keyed=self._keyed)
                asked = _seconds(answer.headers.get("retry-after"))
            except httpx.TimeoutException:
                fault = no_answer(self.url, "it takes too long")
            except httpx.TransportError:
                fault = no_answer(self.url, "it cannot be reached")
            now = time.monotonic()
            first = now if first is None else first
            wait = max(asked, pause * random.uniform(0.5, 1.0))
            if now + wait - first > patience or self._given_up.wait(wait):
                raise fault from None
            pause = min(2 * pause, LONGEST)


def _position(url: str, choice: Json) -> Json:
    """The log-probabilities at the one position that was generated, by token."""
    try:
        position = choice["logprobs"]["top_logprobs"][0]
    except (KeyError, TypeError, IndexError):
        position = None
    if not isinstance(position, dict):
        raise unusable(url, "it gives no log-probabilities")
    return position


def _seconds(header: str | None) -> float:
    """What `Retry-After` asks for; dates and nonsense ask for nothing."""
    try:
        value = float(header or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0


def _said(answer: httpx.Response) -> str:
    return answer.text[:1000]
