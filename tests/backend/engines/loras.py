"""LoRA adapters of random weights, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.engines.adapter import Manifest
from backend.engines.causal import CausalEngine
from backend.tuners.adapter import adopt
from labelstudio_config.codebook import Question


def lora(engine: CausalEngine, question: Question, folder: Path, /, *, seed: int = 0, **more: Any) -> Path:
    """An adapter directory for this engine and question; `more` changes its manifest."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(engine.weights.folder)
    tuned = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
    torch.manual_seed(seed)
    for name, part in tuned.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(part, std=0.3)
    saved = folder.with_name(f"{folder.name}-peft")
    tuned.save_pretrained(saved)
    adopt(saved, folder, manifest(engine, question, seed=seed, **more))
    return folder


def manifest(engine: CausalEngine, question: Question, /, **more: Any) -> Manifest:
    identity = engine.identity
    values: dict[str, Any] = {
        "method": "lora",
        "engine": identity.engine,
        "base": identity.base,
        "base_digest": identity.digest,
        "prompt": identity.prompt,
        "question": question.id,
        "kind": question.kind.value,
        "fields": len(question.fields),
        "labels": question.label_ids,
        "examples": dict.fromkeys(question.label_ids, 1),
        "parent": None,
        "snapshot": "",
        "seed": 0,
        "hyperparameters": {"r": 4},
        "metrics": {},
        "versions": {},
        "created": "2026-01-01T00:00:00+00:00",
        "files": {},
        "vocabulary": engine.weights.tokenizer,
    }
    return Manifest(**values | more)
