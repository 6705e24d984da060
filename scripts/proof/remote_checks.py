"""What is shown of the remote engine beside a real vLLM: equal scores, adapters replaced, the server killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from backend.engines.protocol import Engine, EngineError, Item
from backend.engines.remote import RemoteEngine
from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from labelstudio_config.library import load
from scripts.bench.material import texts
from scripts.proof.llamas import Forwards, Llama
from scripts.proof.vllm_server import KEY, NAME, Vllm

Figures = dict[str, Any]
TOLERANCE = 1e-4  # of a probability
METHODS = ("label", "choice")
HARD = ("Output: joy", "", "ü 漢字 🎉 \t ?", "Instruction: say 'not intimate'.\nInput: yes")  # and no end of a prompt


def questions() -> dict[str, Question]:
    """One of each kind, with words that are parts of others, and a pair of texts with titles."""
    degrees = ("not intimate at all", "not intimate", "not very intimate", "somewhat intimate", "intimate")
    figures = ("idiom", "metaphor", "sarcasm", "simile")
    pair = (Field("one", "one", "Premise"), Field("two", "two", "Hypothesis"))
    return {
        "single": load("emotion").questions[0],
        "ordinal": _asked("intimacy", Kind.ORDINAL, degrees, (Field("text", "text"),)),
        "pair": _asked("figure", Kind.SINGLE, figures, pair),
        "multiple": _asked("topics", Kind.MULTIPLE, ("work", "family", "food and drink"), (Field("text", "text"),)),
    }


def _asked(name: str, kind: Kind, words: Sequence[str], fields: tuple[Field, ...]) -> Question:
    labels = tuple(Label(f"l{n}", f"l{n}", word, f"What we mean by {word}.") for n, word in enumerate(words))
    return Question(name, name, kind, Control.CHOICES, fields, labels, instruction="Which of these is it?")


def items(question: Question, n: int) -> list[Item]:
    posts = [*HARD, *texts(None, max(n, 4) - 4)][:n]
    return [(post,) if len(question.fields) == 1 else (post, posts[-1 - i]) for i, post in enumerate(posts)]


def client(server: Vllm, llama: Llama, **more: Any) -> RemoteEngine:
    return RemoteEngine(server.url, NAME, llama.weights, key=KEY, **more)


def equal(server: Vllm, llama: Llama, n: int, causal: Callable[[str], Engine]) -> Figures:
    """The largest difference of a probability from plain forwards and the causal engine, by question and method."""
    forwards = Forwards(llama)
    from_forwards, from_causal = {}, {}
    for method in METHODS:
        remote, local = client(server, llama, method=method), causal(method)
        for name, question in questions().items():
            found = items(question, n)
            p = np.exp(remote.score(question, found).log_probabilities)
            from_forwards[f"{name}, {method}"] = _difference(p, forwards.probabilities(question, found, method))
            from_causal[f"{name}, {method}"] = _difference(p, np.exp(local.score(question, found).log_probabilities))
    return {
        "texts": n,
        "from_forwards": from_forwards,
        "from_causal": from_causal,
        "max_from_forwards": max(from_forwards.values()),
        "max_from_causal": max(from_causal.values()),
    }


def replaced(server: Vllm, llama: Llama, folders: Sequence[Path], batches: int, n: int) -> Figures:
    """Two clients score with adapters in turn; each keeps one on the server, so that they take them from each other.

    All the while a stranger asks the server for completions with log-probabilities of another kind.
    """
    question = questions()["single"]
    found = items(question, n)
    right = [Forwards(llama, folder).probabilities(question, found) for folder in folders]
    between = min(_difference(a, b) for i, a in enumerate(right) for b in right[i + 1 :])
    changes = {"load": 0, "unload": 0}

    def work(number: int) -> list[float]:
        remote = client(server, llama, kept=1)
        loras = remote._server
        load_adapter, unload_adapter = loras.load_adapter, loras.unload_adapter
        loras.load_adapter = _counted(load_adapter, changes, "load")  # type: ignore[method-assign]
        loras.unload_adapter = _counted(unload_adapter, changes, "unload")  # type: ignore[method-assign]
        differences = []
        for batch in range(batches):
            which = (batch // (1 + number)) % len(folders)
            p = np.exp(remote.score(question, found, folders[which]).log_probabilities)
            differences.append(_difference(p, right[which]))
        return differences

    over = threading.Event()
    header = {"Authorization": f"Bearer {KEY}"}
    with ThreadPoolExecutor(3) as pool, httpx.Client(base_url=server.url, headers=header, timeout=60) as other:
        stranger = pool.submit(_stranger, other, over)
        try:
            differences = [x for done in [pool.submit(work, number) for number in range(2)] for x in done.result()]
        finally:
            over.set()
        answered, mixed_up = stranger.result()
    return {
        "batches": len(differences),
        "texts_a_batch": n,
        "adapters": len(folders),
        "requests_of_a_stranger": answered,
        "mixed_up_for_the_stranger": mixed_up,
        "loaded": changes["load"],
        "unloaded": changes["unload"],
        "max_difference": max(differences),
        "smallest_difference_between_adapters": between,
        "wrong_batches": sum(x > TOLERANCE for x in differences),
    }


def _stranger(client: httpx.Client, over: threading.Event) -> tuple[int, int]:
    """How many completions another program got before it is `over`, and how many had not the log-probabilities that it
    got while it was alone.
    """
    alone = _likeliest(client)
    answered = other = 0
    while not over.is_set():
        answered += 1
        other += alone.keys() != (now := _likeliest(client)).keys() or max(abs(now[x] - alone[x]) for x in now) > 0.01
    return answered, other


def _likeliest(client: httpx.Client) -> dict[str, float]:
    body = {"model": NAME, "prompt": "Once upon a time", "max_tokens": 1, "temperature": 0, "logprobs": 5}
    answer = client.post("/v1/completions", json=body).raise_for_status().json()
    return dict(answer["choices"][0]["logprobs"]["top_logprobs"][0])


def killed(server: Vllm, llama: Llama, folder: Path, n: int, *, restart: bool) -> Figures:
    """The server is killed in the middle of a batch: by an engine that gives up soon, then by one that waits for it."""
    question = questions()["single"]
    found = items(question, n)
    right = Forwards(llama, folder).probabilities(question, found)
    without = np.abs(right - Forwards(llama).probabilities(question, found)).max(axis=1)
    hasty = client(server, llama, patience=2.0, concurrency=4)
    figures: Figures = {"texts": n, "texts_the_adapter_changes": int((without > 10 * TOLERANCE).sum())}
    figures["impatient"] = _impatient(server, hasty, folder, question, found)
    if not restart:
        return figures
    server.start()
    p = np.exp(hasty.score(question, found, folder).log_probabilities)
    figures["impatient"] |= {"max_difference_on_retry": _difference(p, right)}
    patient = client(server, llama, patience=300.0, concurrency=4)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patient.score, question, found, folder)
        answered = _kill(server, waiting.done)
        start = time.monotonic()
        server.start()
        p = np.exp(waiting.result().log_probabilities)
    figures["patient"] = {
        "requests_answered_before": answered,
        "seconds_until_it_ended": round(time.monotonic() - start, 1),
        "max_difference": _difference(p, right),
    }
    return figures


def _impatient(server: Vllm, remote: RemoteEngine, folder: Path, question: Question, found: list[Item]) -> Figures:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(remote.score, question, found, folder)
        answered = _kill(server, waiting.done)
        try:
            waiting.result()
            said = ""
        except EngineError as error:
            said = str(error)
    return {"requests_answered_before": answered, "said": said.replace(server.url, "http://...")}


def _kill(server: Vllm, over: Callable[[], bool]) -> int:
    """Kill the server once it has answered some requests of a batch; how many."""
    before = server.answered()
    while not over() and server.answered() < before + 6:
        time.sleep(0.02)
    if over():
        raise RuntimeError("The batch was over before the server could be killed: give it more texts.")
    answered = server.answered() - before
    server.kill()
    return answered


def _counted(call: Callable[..., None], counts: dict[str, int], name: str) -> Callable[..., None]:
    lock = threading.Lock()

    def counted(*arguments: Any) -> None:
        call(*arguments)
        with lock:
            counts[name] += 1

    return counted


def _difference(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one) - np.asarray(other)).max())
