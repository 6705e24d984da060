"""Whether a server can be trusted to score: it serves the model, cuts texts as we do, and gives log-probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backend.engines.protocol import EngineError
from backend.engines.vllm import SLACK, Server
from backend.engines.vllm_errors import unusable

if TYPE_CHECKING:
    from backend.engines.tokens import Tokens

TRIED = "Instruction: Zoë asks (42 %): 'n/a' or 漢字?\nInput: well... 🎉\nOutput: not"  # tries a vocabulary's corners
PATIENCE = 10.0  # seconds: whoever starts the program waits
DRAWS = 32
ALIKE = 0.1  # between two answers for one token, in half precision and other company


def examine(server: Server, model: str, tokens: Tokens) -> int:
    """The tokens, answer included, that the server takes; `EngineError` says what makes it unfit to score."""
    served = server.models(patience=PATIENCE)
    if model not in served:
        raise EngineError(
            f"The server at {server.url} does not serve '{model}'; it serves: {', '.join(served) or 'nothing'}. "
            "Name one of these, or start it with --served-model-name."
        )
    ours = tokens.tokenizer(TRIED, add_special_tokens=False)["input_ids"]
    theirs = server.tokens(model, TRIED)
    if theirs is None:
        raise unusable(server.url, "it does not say how it cuts a text into tokens, so nothing says that it is a vLLM")
    if theirs != ours:
        raise EngineError(
            f"The server at {server.url} cuts texts into other tokens than the model here, so '{model}' has another "
            "vocabulary. Serve the same weights there, or name here what is served there."
        )
    _compare(server, model, ours, tokens)
    limit = served[model]
    return limit if isinstance(limit, int) and limit > 0 else tokens.window + 1


def _compare(server: Server, model: str, prompt: list[int], tokens: Tokens) -> None:
    """Tokens drawn at random have log-probabilities, and the same ones when they are asked for by name.

    That tells them from logits: those of the tokens that are drawn are large, or those of all tokens are near zero.
    """
    drawn: dict[int, float] = {}
    for position in server.drawn(model, prompt, [tokens.end, tokens.tokenizer.vocab_size - 1], DRAWS):
        drawn |= position
    ids, values = list(drawn), np.array(list(drawn.values()))
    if not (values <= 1e-6).all() or np.exp(values).sum() > 1 + SLACK:
        raise unusable(server.url, "it gives numbers that are no log-probabilities")
    named = server.log_probabilities(model, [prompt], ids)[0]
    if not np.allclose(named, values, atol=ALIKE):
        raise unusable(server.url, "the same token has one when it is drawn and another when it is asked for by name")
