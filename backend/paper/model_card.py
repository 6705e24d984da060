"""The model card of what was tuned on many tasks, filled from its manifest: README.md with the hub's header.

Mitchell et al. 2019, "Model cards for model reporting", FAT*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from backend.engines import models
from backend.engines.adapter import Manifest
from backend.engines.weights import Weights

LLAMA2 = ("llama2", "Llama 2 Community License (https://ai.meta.com/llama/license/)")
KNOWN = {"meta-llama/Llama-2-": LLAMA2, models.RELEASED: LLAMA2}  # by the beginning of a model's id
HEADER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
OTHER = ("other", "")
RECIPE = (
    *("weights", "rank", "alpha", "dropout", "targets", "rslora", "rate", "warm_up", "schedule", "decay", "clip"),
    *("batch", "together", "epochs", "patience", "window", "per_token", "checkpointing", "dtype", "balance", "cap"),
    *("held_cap", "best_by", "instructions"),
)
OF_A_LORA = ("rank", "alpha", "dropout", "targets", "rslora")


def licence_of(weights: Weights) -> dict[str, str]:
    """The base's licence: its `id` at huggingface.co and its `name`, from its README or from what is known."""
    for start, (known, name) in KNOWN.items():
        if weights.base.startswith(start):
            return {"id": known, "name": name}
    try:
        header = HEADER.match((weights.folder / "README.md").read_text(encoding="utf-8"))
        said = yaml.safe_load(header[1]) if header else {}
    except (OSError, ValueError, yaml.YAMLError):
        said = {}
    key = str(said.get("license") or "") if isinstance(said, dict) else ""
    return {"id": key or OTHER[0], "name": str(said.get("license_name") or key) if key else OTHER[1]}


def text(manifest: Manifest, name: str, *, whole: bool) -> str:
    """The README of an adapter, or of a `whole` model, in the folder of this name."""
    parts = [
        _header(manifest, whole),
        f"# {name}",
        _what(manifest, whole),
        "## Data",
        *_data(manifest),
        "## Recipe",
        *_recipe(manifest, whole),
        "## How training went",
        *_curves(manifest),
        "## What it was not tested on",
        _limits(manifest),
        "## Use",
        *_use(manifest, name, whole),
    ]
    return "\n\n".join(parts) + "\n"


def _header(manifest: Manifest, whole: bool) -> str:
    about = {
        "library_name": "transformers" if whole else "peft",
        "pipeline_tag": "text-generation",
        "base_model": manifest.base,
        "base_model_relation": "finetune" if whole else "adapter",
        "license": _licence(manifest)["id"],
        "tags": ["socialite", "instruction-tuning", "text-classification", "computational-social-science"],
    }
    return f"---\n{yaml.safe_dump(about, sort_keys=False, allow_unicode=True)}---"


def _what(manifest: Manifest, whole: bool) -> str:
    metrics, licence = manifest.metrics, _licence(manifest)
    kind = "A causal language model" if whole else "A LoRA adapter for a causal language model"
    revision = metrics.get("base_revision")
    base = f"`{manifest.base}`" + (f" at revision `{revision}`" if revision else "")
    terms = (
        f"The base's licence, {licence['name']}, applies to what was made of it"
        if licence["name"]
        else "The base's licence is not stated in its folder; look it up before passing this on"
    )
    return (
        f"{kind}, instruction-tuned by socialite on {len(metrics['tasks'])} coding tasks of social science "
        f"({metrics['texts']:,} labelled texts). It reads an instruction and a text, and is asked for the probability "
        f"of each label. Base: {base} (sha256 {manifest.base_digest[:16]}). {terms}."
    )


def _data(manifest: Manifest) -> Iterator[str]:
    rows = [
        [
            one["name"],
            f"{one['texts']:,}",
            f"{one['drawn']:,}" if one["drawn"] is not None else "each once",
            f"{one['validation_texts']:,}",
            ", ".join(f"{label} {n:,}" for label, n in one["labels"].items()),
            one["source"],
            one["licence"] or "not stated",
        ]
        for one in manifest.metrics["data"]
    ]
    yield _table(["task", "texts", "an epoch draws", "validation", "labels", "source", "terms"], rows)
    watched = manifest.metrics["watched"]
    if watched:
        names = ", ".join(f"{one['name']} ({one['texts']:,} texts)" for one in watched)
        yield f"Held-out tasks, of which nothing was learned and whose loss was watched: {names}."
    else:
        yield "No task was held out."
    yield from manifest.metrics.get("remarks", ())


def _recipe(manifest: Manifest, whole: bool) -> Iterator[str]:
    used = manifest.hyperparameters
    names = [name for name in RECIPE if used["weights"] == "lora" or name not in OF_A_LORA]
    merged = " The LoRA was merged into the weights." if whole and used["weights"] == "lora" else ""
    yield f"Preset `{used['preset']}`, as changed by what was given; seed {manifest.seed}.{merged}"
    yield _table(["what", "value"], [[name.replace("_", "-"), _value(used[name])] for name in names])
    yield "Made with " + ", ".join(f"{name} {number}" for name, number in manifest.versions.items()) + "."


def _curves(manifest: Manifest) -> Iterator[str]:
    metrics = manifest.metrics
    by_task: Mapping[str, Sequence[float]] = metrics["losses_of_tasks"]
    losses, held = metrics["losses"], metrics["validation_losses"]
    rows = []
    for epoch in range(len(losses) + 1):
        before = metrics["validation_loss_before"]
        value = before if epoch == 0 else held[epoch - 1] if held else None
        if epoch or value is not None:
            taught = losses[epoch - 1] if epoch else None
            rows.append([str(epoch), _loss(taught), _loss(value), *(_loss(row[epoch]) for row in by_task.values())])
    out = set(metrics["held_out_tasks"])
    heads = [f"{name} (held out)" if name in out else name for name in by_task]
    yield (
        "Loss: minus the log-probability of the right answer and its end, in nats; a text counts by its weight. The "
        f"weights are those of epoch {metrics['best_epoch']}; {metrics['tokens']:,} tokens were trained on."
    )
    yield _table(["epoch", "training", "validation", *heads], rows)


def _limits(manifest: Manifest) -> str:
    return (
        "Nothing here is a test: the losses above are of validation texts, which chose the epoch. No test text, and no "
        "near-duplicate of one, was learned; `socialite evaluate` scores the test parts. It was not tested on other "
        "languages, times or platforms than those of its data, nor on tasks that are not named above, nor for "
        "differences between groups of authors. Labels of a new corpus need a blind sample coded by people before "
        "anything is concluded from them."
    )


def _use(manifest: Manifest, name: str, whole: bool) -> Iterator[str]:
    metrics = manifest.metrics
    setting = "SOCIALITE_VERBALISERS=on " if metrics.get("verbalised") else ""
    source = manifest.hyperparameters["instructions"]
    if whole:
        yield (
            f"```\n{setting}socialite predict posts.csv --codebook emotion --engine causal --model {name} "
            f"--instructions {source} -o labelled.csv\n```"
        )
    else:
        wording = f"wording({source!r}, verbalised={bool(metrics.get('verbalised'))})"
        yield (
            "```python\nfrom pathlib import Path\n\n"
            "from backend.engines.causal import CausalEngine\nfrom backend.engines.models import find_causal\n"
            "from backend.engines.wording import wording\n\n"
            f"engine = CausalEngine(find_causal({manifest.base!r}), wording={wording})\n"
            f"scores = engine.score(question, [(text,)], adapter=Path({name!r}))\n```"
        )
    model = name if whole else f"{manifest.base}+{name}"
    data = " ".join(f"--data {one}" for one in metrics.get("sources", ()))
    yield (
        f"Beside other models, on test texts:\n\n```\n{setting}socialite evaluate --model {model} {data} "
        f"--instructions {source} -o table\n```"
    )
    if metrics.get("verbalised"):
        yield "It says the words that SOCIALITE-LLAMA's weights learned for labels, some of which are turned round."


def _licence(manifest: Manifest) -> dict[str, str]:
    found: dict[str, str] = manifest.metrics.get("base_licence") or {"id": OTHER[0], "name": OTHER[1]}
    return found


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(map(_row, [heads, ["---"] * len(heads), *rows]))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _value(value: Any) -> str:
    if value is None:
        return "no limit"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
