"""`socialite model`: getting, listing and removing language models."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from backend.commands.console import say

if TYPE_CHECKING:
    from backend.engines.models import Model


def fetch(model: str, revision: str | None, tokenizer_only: bool) -> None:
    """Download a model, and what belongs to it."""
    from backend.engines import models
    from backend.engines.dataset import DATASET

    name, revision = models.split(model, revision)
    if name == DATASET:
        _instructions(revision)
        return
    if terms := models.licence(name):
        say(f"{name} is under {terms}: by using it you accept its terms.")
    weights = models.fetch(name, revision, tokenizer_only=tokenizer_only)
    if tokenizer_only:
        say(f"The tokenizer of {name} is here. It is used with --engine remote.")
    else:
        count = models.parameters(weights.folder)
        say(f"{name} is here: {count / 1e9:,.2f} billion weights, sha256 {weights.digest[:12]}.")
    if models.released(weights):
        _instructions_beside()


def listed(as_json: bool) -> None:
    """The causal language models on this machine, with the instructions of SOCIALITE-LLAMA's authors."""
    from backend.engines import instructions, models
    from backend.engines.dataset import DATASET

    found, words = models.listed(), instructions.known()
    if as_json:
        value = {
            "models": [asdict(one) | {"folder": str(one.folder)} for one in found],
            "instructions": words.revision if words else None,
        }
        print(json.dumps(value, ensure_ascii=False))  # noqa: T201
        return
    for one in found:
        print(_line(one))  # noqa: T201
    if words:
        print(f"{DATASET}  {words.revision[:12]}  {len(words.of)} instructions")  # noqa: T201
    if not found:
        print(f"There is no causal language model here. Get one: socialite model fetch {models.RELEASED}")  # noqa: T201


def remove(model: str) -> None:
    """Delete a model from this machine."""
    from backend.engines import models

    freed = models.remove(model)
    say(f"{model} is removed; {freed / 1e9:,.1f} GB are free again.")


def _instructions(revision: str | None) -> None:
    from backend.engines import instructions, wording
    from backend.engines.dataset import DATASET

    found = instructions.fetch(wording.labels_of_tasks(), revision)
    say(f"{len(found.of)} instructions of {DATASET} are here, revision {found.revision[:12]}.")


def _instructions_beside() -> None:
    """The authors' instructions, unless they are here; the model is of use without them."""
    from backend.engines.instructions import known
    from backend.engines.protocol import EngineError

    if known() is not None:
        return
    try:
        _instructions(None)
    except EngineError as error:
        say(f"The authors' instructions were not read. {error}")


def _line(one: Model) -> str:
    what = "converted" if one.converted else one.revision[:12]
    return f"{one.id}  {what}  {one.size / 1e9:,.1f} GB  {one.folder}"
