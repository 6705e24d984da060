"""The engine that a person's settings name, made of its model, its wording and its device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from backend.engines import devices, models
from backend.engines.protocol import Engine, EngineError
from backend.engines.registry import engine
from backend.engines.weights import Weights

if TYPE_CHECKING:
    from backend.engines.prompts import Wording
    from backend.settings import Settings
    from labelstudio_config.codebook import Question


def choose(settings: Settings, *, ready: bool = True) -> Engine:
    """The engine of the settings, loaded unless `ready` is False. `EngineError`: what is missing, and what to do."""
    name, _ = resolved(settings)
    if name == "keyword":
        if settings.model:
            raise EngineError("The keyword engine has no model: leave the model unset, or choose the encoder.")
        return engine(name)
    if name == "encoder":
        _check_wording_is_unset(settings)
        return engine(name, model=settings.model or None, device=settings.device, ready=ready)
    if name == "causal":
        return engine(name, **_causal(settings), ready=ready)
    return engine(name, **_remote(settings), ready=ready)


def resolved(settings: Settings, *, copies: int = 1) -> tuple[str, str]:
    """The engine that the settings come to, and a sentence to tell where weights are left unused ('' if there is none).

    'auto' is the encoder, unless the model that is named is a causal one, or none is named and SOCIALITE-LLAMA is on
    this machine with a GPU that holds it `copies` times: once for each process that scores. It never downloads.
    """
    if settings.engine != "auto":
        return settings.engine, ""
    if settings.model:
        return ("causal" if models.is_causal(settings.model) else "encoder"), ""
    if not models.is_causal(models.RELEASED):
        return "encoder", ""
    memory = devices.gpu_memory(settings.device)
    if not memory:
        return "encoder", ""
    needed = copies * devices.needed(
        models.parameters(models.find_causal().folder), gpu=True, four_bit=settings.four_bit
    )
    if memory >= needed:
        return "causal", ""
    return "encoder", (
        f"{models.RELEASED} is on this machine, but would take {needed / 1e9:.0f} GB of the GPU's {memory / 1e9:.0f}: "
        "the encoder is used. To use it nevertheless: --engine causal --four-bit."
    )


def settled(settings: Settings, *, copies: int) -> tuple[Settings, str]:
    """The settings with the engine that 'auto' stands for, so that every process of one service takes the same."""
    name, said = resolved(settings, copies=copies)
    return settings.model_copy(update={"engine": name}), said


def wording_of(settings: Settings, weights: Weights) -> Wording:
    """The wording that the settings choose for these weights.

    The authors' wording, and the words that their weights learned for labels, belong to those weights and to what was
    tuned from them: 'auto' knows the released ones by their name, 'on' says that these are some.
    """
    from backend.engines.wording import wording

    return wording(settings.instructions, verbalised=verbalised(settings, weights))


def verbalised(settings: Settings, weights: Weights) -> bool:
    """Whether these weights are asked for the words that SOCIALITE-LLAMA's learned for labels."""
    return settings.verbalisers == "on" or (settings.verbalisers == "auto" and models.released(weights))


def remarks(settings: Settings, questions: Iterable[Question]) -> list[str]:
    """What a person should know of how these questions are asked: a sentence each."""
    name, _ = resolved(settings)
    if settings.instructions == "ours" or name not in ("causal", "remote"):
        return []
    from backend.engines import wording

    return wording.remarks(wording.wording(settings.instructions, verbalised=False), questions)


def _causal(settings: Settings) -> dict[str, Any]:
    weights = models.find_causal(settings.model or None)
    devices.check_memory(models.parameters(weights.folder), weights.base, settings.device, four_bit=settings.four_bit)
    return {
        "weights": weights,
        "wording": wording_of(settings, weights),
        "device": settings.device,
        "four_bit": settings.four_bit,
        "method": settings.method,
        "shots": settings.shots,
    }


def _remote(settings: Settings) -> dict[str, Any]:
    """The server's address, and the model's tokenizer, which must be here."""
    if not settings.remote_url:
        raise EngineError(
            "Where is the server that scores? Put its address into SOCIALITE_REMOTE_URL, such as http://127.0.0.1:8000."
        )
    weights = models.find_tokenizer(settings.model or None)
    return {
        "url": settings.remote_url,
        "model": settings.remote_model or weights.base,
        "weights": weights,
        "wording": wording_of(settings, weights),
        "method": settings.method,
        "key": settings.remote_key.get_secret_value() or None,
        "shots": settings.shots,
    }


def _check_wording_is_unset(settings: Settings) -> None:
    if settings.instructions == "authors":
        raise EngineError(
            "The authors' instructions are for a causal language model; the encoder compares texts with the codebook. "
            "Leave out --instructions, or choose --engine causal."
        )
