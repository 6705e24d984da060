"""Takes a Llama of random weights through two steps of instruction tuning by each preset, and scores 2,000 texts.

    python3 scripts/bench_instruct.py [--quick] [--json] [--shape small|medium|7b] [--device auto]

On a GPU the model has the shape of Llama-2 7B in bfloat16, on a processor a small one in float32. It learns twenty
tasks of numbered words, an instruction of 117 tokens and texts of 39 on average each. The last line with --json is one
object: `presets[authors|packed]` with `steps`, `texts_per_second`, `tokens_per_second` (an instruction that texts share
counts once), `step_seconds`, `losses`, `memory_gb` and `estimated_gb`,
`evaluation` with `texts`, `texts_per_second`, `tokens_per_second` and `memory_gb`, and `raw` with `device`, `shape`,
`weights`, `took_s`. Memory is the most that tensors took on a GPU, elsewhere all that the process takes afterwards,
Python and its libraries included.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from backend.engines.causal import CausalEngine
from backend.paper import estimate
from backend.tuners.answers import train
from backend.tuners.instruct import Material, Taught, material
from backend.tuners.labelled import Course
from backend.tuners.presets import PRESETS, Recipe
from backend.tuners.training import Step
from scripts.bench import scoring_material

TASKS, STEPS, LABELS = 20, 2, 4
TEXTS, QUICK_TEXTS = 2000, 200
GB = 1e9


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="socialite-bench-") as place:
        figures = measured(Path(place), asked)
    figures["raw"]["took_s"] = round(time.perf_counter() - start, 1)
    print(table(figures))
    if asked.json:
        print(json.dumps(figures))
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: smaller batches, fewer texts to score")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--shape", choices=[*scoring_material.SHAPES], help="of the model (7b on a GPU, else small)")
    parser.add_argument("--device", default="auto", help="where it runs: auto, cpu, cuda")
    return parser.parse_args(arguments)


def measured(place: Path, asked: argparse.Namespace) -> dict[str, Any]:
    engine = prepared(place / "model", asked.shape, asked.device)
    shape = asked.shape or _shape(engine)
    model = engine.model.base
    posts = [(text,) for text in scoring_material.texts(QUICK_TEXTS if asked.quick else TEXTS)]
    figures: dict[str, Any] = {"presets": {}, "evaluation": scored(engine, posts)}
    for name, preset in PRESETS.items():
        used = replace(preset, batch=32) if asked.quick and not _on_gpu(engine) else preset
        figures["presets"][name] = two_steps(engine, used)
    weights = sum(part.numel() for part in model.parameters())
    figures["raw"] = {"device": _device(engine), "shape": shape, "weights": weights, "tasks": TASKS}
    return figures


def prepared(folder: Path, shape: str | None, device: str) -> CausalEngine:
    """A model of random weights in memory; its folder holds a tokenizer only."""
    import torch

    found = "cuda" if device == "auto" and torch.cuda.is_available() else "cpu" if device == "auto" else device
    return scoring_material.engine(folder, shape or ("small" if found == "cpu" else "7b"), found)


def two_steps(engine: CausalEngine, used: Recipe) -> dict[str, Any]:
    """What two steps take, after one that does not count, on lessons of all tasks."""
    on_gpu = _on_gpu(engine)
    model = with_lora(engine, used)
    whole = material(engine, tasks(STEPS * used.batch, used.together), [], [], used)
    warm, lessons = _cut(whole, used.together, used.together), _cut(whole, STEPS * used.batch, used.together)
    plan = replace(used.plan(), epochs=1)
    train(model, warm.taught, plan)
    _begin(engine)
    told: list[Step] = []
    start = time.perf_counter()
    learned = train(model, lessons.taught, plan, report=told.append)
    took = time.perf_counter() - start
    form = shape_of(engine)
    number = 2 if on_gpu else 4
    rows = [r for step in _steps(lessons.taught, used) for r in estimate.rows_of(step, plan.budget)]
    again = used.options(on_gpu=on_gpu).checkpointing
    kept = max(estimate.activations(form, row, used, number, checkpointing=again) for row in rows)
    standing = sum(estimate.standing(form, used, engine.model.dtype).values())
    engine.model.base = model.unload().eval().requires_grad_(False)
    return {
        "steps": len(told),
        "texts_per_second": sum(len(course.lessons) for course in lessons.taught) / took,
        "tokens_per_second": learned.tokens / took,
        "step_seconds": took / len(told),
        "losses": [step.loss for step in told],
        "memory_gb": _memory(engine) / GB,
        "estimated_gb": (standing + kept) / GB,
    }


def with_lora(engine: CausalEngine, used: Recipe) -> Any:
    """The engine's model with the preset's LoRA, as training has it."""
    import warnings

    from peft import LoraConfig, get_peft_model

    from backend.tuners.lora import TARGETS
    from backend.tuners.rows import attention

    options = used.options(on_gpu=_on_gpu(engine))
    model = engine.model.base
    model.set_attn_implementation(attention())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        if options.checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        config = LoraConfig(
            r=options.rank,
            lora_alpha=options.alpha,
            lora_dropout=options.dropout,
            target_modules=TARGETS[options.targets],
            task_type="CAUSAL_LM",
        )
        return get_peft_model(model, config)


def tasks(texts: int, together: int) -> list[Taught]:
    """Twenty tasks with so many texts together, each with its share, and enough to fill its part of a step."""
    question = scoring_material.question(LABELS)
    made = []
    for number in range(TASKS):
        items = tuple(
            (text,) for text in scoring_material.texts(max(LABELS, together, texts // TASKS + 1), seed=number)
        )
        ids = question.label_ids
        answers = tuple(frozenset({ids[k % LABELS]}) for k in range(len(items)))
        made.append(Taught(f"task{number}", question, items, answers))
    return made


def scored(engine: CausalEngine, posts: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    """Scoring the label set for all texts, after some that do not count."""
    question = scoring_material.question(LABELS)
    engine.score(question, posts[:50])
    _begin(engine)
    start = time.perf_counter()
    found = engine.score(question, posts)
    took = time.perf_counter() - start
    if not np.isfinite(found.log_probabilities).all():
        raise SystemExit("A log-probability is no number.")
    (frame,) = engine.frames(question)
    ids = engine.tokens.encode(frame.ask, frame.seams, posts).ids
    tokens = sum(map(len, ids)) - (len(ids) - 1) * len(frame.seams.prefix) + len(ids) * len(frame.trie.tokens)
    return {
        "texts": len(posts),
        "texts_per_second": len(posts) / took,
        "tokens_per_second": tokens / took,
        "memory_gb": _memory(engine) / GB,
    }


def shape_of(engine: CausalEngine) -> estimate.Shape:
    """Of the model in memory, which has no files."""
    config, base = engine.model.base.config, engine.model.base
    layers = sum(part.numel() for name, part in base.named_parameters() if ".layers." in name and "lora" not in name)
    total = sum(part.numel() for name, part in base.named_parameters() if "lora" not in name)
    return estimate.Shape(
        config.hidden_size,
        config.intermediate_size,
        config.num_hidden_layers,
        config.hidden_size,
        config.hidden_size,
        config.vocab_size,
        total,
        layers,
    )


def table(figures: dict[str, Any]) -> str:
    lines = ["| what | texts/s | tokens/s | s a step | memory, GB | estimated, GB |", "| --- " * 6 + "|"]
    for name, one in figures["presets"].items():
        rates = f"{one['texts_per_second']:,.1f} | {one['tokens_per_second']:,.0f} | {one['step_seconds']:.2f}"
        memory = f"{one['memory_gb']:.2f} | {one['estimated_gb']:.2f}"
        lines.append(f"| {one['steps']} steps of `{name}` | {rates} | {memory} |")
    one = figures["evaluation"]
    what = f"scoring {one['texts']:,} texts | {one['texts_per_second']:,.1f}"
    return "\n".join([*lines, f"| {what} | {one['tokens_per_second']:,.0f} | | {one['memory_gb']:.2f} | |"])


def _cut(whole: Material, lessons: int, together: int) -> Material:
    """So many lessons: of as many tasks as fill their steps, or of all tasks where a step is drawn over all."""
    among = min(len(whole.taught), max(1, lessons // together))
    each, more = divmod(lessons, among)
    taught = [replace(x, lessons=x.lessons[: each + (n < more)]) for n, x in enumerate(whole.taught[:among])]
    return replace(whole, taught=_apart(taught))


def _apart(taught: Sequence[Course]) -> tuple[Course, ...]:
    """Each with an instruction of its own, as long as the others', as twenty tasks have."""
    return tuple(replace(x, prefix=(*x.prefix[:20], 100 + n, *x.prefix[21:])) for n, x in enumerate(taught))


def _steps(taught: Sequence[Course], used: Recipe) -> list[Any]:
    from backend.tuners.labelled import steps

    return list(steps(taught, used.batch, used.together, np.random.default_rng([used.seed, 0])))


def _on_gpu(engine: CausalEngine) -> bool:
    return engine.model.device.startswith("cuda")


def _shape(engine: CausalEngine) -> str:
    return "7b" if _on_gpu(engine) else "small"


def _device(engine: CausalEngine) -> str:
    import torch

    return torch.cuda.get_device_name() if _on_gpu(engine) else f"cpu, {torch.get_num_threads()} threads"


def _begin(engine: CausalEngine) -> None:
    import torch

    if _on_gpu(engine):
        torch.cuda.reset_peak_memory_stats()


def _memory(engine: CausalEngine) -> float:
    """Bytes."""
    import psutil
    import torch

    if _on_gpu(engine):
        return float(torch.cuda.max_memory_allocated())
    info = psutil.Process().memory_info()
    return float(getattr(info, "peak_wset", 0) or info.rss)


if __name__ == "__main__":
    sys.exit(main())
