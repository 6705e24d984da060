"""What goes wrong between here and a vLLM server, as sentences; a key or a text is in none of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.engines.protocol import EngineError

if TYPE_CHECKING:
    import httpx

LORA_CURE = (
    "Start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora, a --max-lora-rank that is not below the "
    "adapter's, one API server process, and a file system on which it finds the folder under the same path."
)


class UnknownModelError(EngineError):
    """The server does not serve the model or adapter."""


def address(url: str) -> str:
    """The server's address without `/v1`; EngineError when it is none, or holds a password."""
    try:
        parts = urlsplit(url.strip())
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment:
        raise EngineError(
            "The address of the model server is not one: it must look like http://gpu-server:8000, with http or https."
        )
    if parts.username or parts.password:
        raise EngineError(
            "The address of the model server holds a user name or a password, which would end up in logs. "
            "Give the address alone; the key is a setting of its own."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/").removesuffix("/v1")


def bearer(key: str) -> dict[str, str]:
    """The header that carries the key, if there is one."""
    key = key.strip()
    if not key:
        return {}
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EngineError("The key of the model server holds characters that no key has. Copy it again.")
    return {"Authorization": f"Bearer {key}"}


def no_answer(url: str, what: str) -> EngineError:
    """There is no answer, or none of a vLLM server."""
    return EngineError(
        f"The model server at {url} does not answer as it should: {what}. See whether it runs, whether the address is "
        "right, and what its log says; then try again."
    )


def unusable(url: str, what: str) -> EngineError:
    """An answer without the log-probabilities that were asked for."""
    return EngineError(
        f"The server at {url} gives no usable log-probabilities: {what}. It must be a vLLM that knows "
        "`logprob_token_ids` (0.32 does), started without --logprobs-mode, and reached without anything that changes "
        "its answers."
    )


def refused(
    url: str, answer: httpx.Response, *, keyed: bool, model: str | None = None, adapter: str | None = None
) -> EngineError:
    """The sentence for an error status."""
    status = answer.status_code
    message = _message(answer)
    said = message.lower()
    if status in (401, 403):
        what = "refuses the key" if keyed else "asks for a key, and none was given"
        return EngineError(f"The model server at {url} {what}. Set the key it was started with (--api-key).")
    if adapter is not None:
        return EngineError(
            f"The server at {url} did not load the adapter {adapter} ({status}). {LORA_CURE}{_why(said)}"
        )
    if status == 404 and model is not None and "does not exist" in said:
        return UnknownModelError(
            f"The server at {url} does not serve '{model}'. Give the name it was started with (--served-model-name)."
        )
    if status == 404:
        return no_answer(url, "it has no such page, so it may be another program than vLLM")
    if status == 400 and ("out-of-vocab" in said or "out of vocab" in said):
        return EngineError(
            f"The vocabulary of the server at {url} is smaller than that of the model here, so it is another model. "
            "Serve the same weights there, or name here what is served there."
        )
    if status == 400 and ("context length" in said or "max_model_len" in said or "maximum model length" in said):
        return EngineError(
            f"A prompt is longer than the server at {url} takes. Start it with a larger --max-model-len."
        )
    if status == 429:
        return EngineError(f"The model server at {url} has too many requests. Try again when it has fewer.")
    if status >= 500:
        return EngineError(f"The model server at {url} fails ({status}). See its log, and try again when it works.")
    return EngineError(
        f"The model server at {url} refuses the request ({status}). It must be a vLLM that knows `logprob_token_ids` "
        "(0.32 does); its log may say more."
    )


def _message(answer: httpx.Response) -> str:
    """What the server says of its error."""
    try:
        value: Any = json.loads(answer.text[:20_000])
        inner = value.get("error", value)
        return str(inner.get("message", "")) if isinstance(inner, dict) else ""
    except (ValueError, AttributeError):
        return ""


def _why(said: str) -> str:
    """The known reasons for which vLLM takes no adapter: its own words could hold anything."""
    if "rank" in said:
        return " The server says that the rank is too high."
    if "not found" in said or "no such file" in said or "no adapter" in said:
        return " The server says that it does not find the folder."
    if "target" in said or "module" in said:
        return " The server says that the adapter changes modules which the model does not have."
    return ""
