"""Writing a trained encoder: its folder and its model card, under a temporary name, then renamed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backend.engines.classifier_manifest import HEADS, MANIFEST, Answered, ClassifierManifest
from backend.engines.classifier_model import tensors
from backend.tuners.adapter import CARD, sha256, staged
from backend.tuners.multitask_learner import Learner
from backend.tuners.targets import TrainingError


def free(folder: Path) -> None:
    """Nothing is there yet, else `TrainingError`."""
    if folder.exists():
        raise TrainingError(f"{folder} exists already; a trained encoder is never overwritten. Give a new folder.")


def write(folder: Path, learner: Learner, manifest: ClassifierManifest) -> ClassifierManifest:
    """Write encoder, tokenizer, heads, manifest and card; gives back the manifest with the files' sha256."""
    from safetensors.torch import save_file

    free(folder)
    with staged(folder, "encoder") as part:
        learner.body.encoder.save_pretrained(part)
        learner.body.tokenizer.save_pretrained(part)
        save_file(tensors(learner.heads), part / HEADS)
        files = {path.name: sha256(path) for path in sorted(part.iterdir()) if path.is_file()}
        whole = replace(manifest, files=files)
        (part / MANIFEST).write_text(whole.text(), encoding="utf-8", newline="\n")
        (part / CARD).write_text(card(whole), encoding="utf-8", newline="\n")
        free(folder)
    return whole


def card(manifest: ClassifierManifest) -> str:
    """The model card: what it is, what it was made of, how well it does, how it is used."""
    used = "\n".join(f"| {name} | {value} |" for name, value in sorted(manifest.hyperparameters.items()))
    made = ", ".join(f"{name} {number}" for name, number in sorted(manifest.versions.items()))
    mean = manifest.metrics.get("validation_macro_f1")
    over = f"Mean over the tasks: {mean:.3f}. " if mean is not None else ""
    return f"""---
base_model: {manifest.base}
library_name: transformers
pipeline_tag: text-classification
---

# One encoder for {len(manifest.tasks)} coding tasks

`{manifest.base}` (revision {manifest.revision or "of a local folder"}, sha256 {manifest.base_digest[:12]}), all of it
fine-tuned with a linear head for each task, by `socialite train-encoder`. It reads {manifest.length} tokens of a
text, or of a pair together, and pools them by the {manifest.pooling}{" one" if manifest.pooling == "first" else ""}.

Use it with `--engine encoder --model FOLDER` in `socialite serve`, `predict`, `push` and `evaluate`. It answers the
tasks below and no others; an ordinal task is scored as a choice among its labels, whose order was not used.

| task | kind | labels | texts learned from | validation texts | macro F1 there | data | licence |
|---|---|---|---|---|---|---|---|
{chr(10).join(map(_row, manifest.tasks))}

{over}The validation texts chose the epoch ({manifest.metrics.get("best_epoch")} of
{manifest.metrics.get("epochs")}), so these figures are a little too high: report those of a test set that was not
looked at. Labels were learned as often as they occur. The data's terms and those of the base apply to this model, too.

| hyperparameter | value |
|---|---|
{used}
| seed | {manifest.seed} |

Made {manifest.created} (UTC) with {made}.
"""


def _row(task: Answered) -> str:
    counted = ", ".join(f"{label} {n:,}" for label, n in task.examples.items())
    f1 = f"{task.macro_f1:.3f}" if task.macro_f1 is not None else "none"
    cells = [
        f"`{task.question}`" + (" (pair)" if task.fields > 1 else ""),
        task.kind,
        counted,
        f"{task.texts:,}",
        f"{task.validation_texts:,}",
        f1,
        task.source or "not stated",
        task.licence or "not stated",
    ]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
