"""Adapters with random numbers, written by hand in PEFT's layout, and a model's weights with one added to them."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from backend.engines.adapter import LORA_CONFIG, LORA_TENSORS, MANIFEST, Manifest
from backend.engines.protocol import Identity
from labelstudio_config.codebook import Question

RANK, ALPHA = 4, 8
MODULES = ("q_proj", "v_proj")


def lora(folder: Path, model: Path, *, seed: int, size: float = 0.5) -> Path:
    """A LoRA for the model in a folder, in PEFT's two files."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig

    folder.mkdir(parents=True)
    config = AutoConfig.from_pretrained(model)
    head = config.hidden_size // config.num_attention_heads
    wide = {"q_proj": head * config.num_attention_heads, "v_proj": head * config.num_key_value_heads}
    made = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(config.num_hidden_layers):
        for module in MODULES:
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{name}.lora_A.weight"] = torch.randn(RANK, config.hidden_size, generator=made) * size
            tensors[f"{name}.lora_B.weight"] = torch.randn(wide[module], RANK, generator=made) * size
    save_file(tensors, folder / LORA_TENSORS, metadata={"format": "pt"})
    said = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": ALPHA,
        "target_modules": list(MODULES),
        "base_model_name_or_path": model.name,
        "bias": "none",
        "inference_mode": True,
    }
    (folder / LORA_CONFIG).write_text(json.dumps(said), encoding="utf-8")
    return folder


def signed(folder: Path, identity: Identity, question: Question, vocabulary: str, /, **changes: Any) -> Path:
    """The adapter with the manifest that says it was trained for this base and question by the causal engine."""
    manifest = Manifest(
        method="lora",
        engine="causal",
        base=identity.base,
        base_digest=identity.digest,
        prompt=identity.prompt,
        question=question.id,
        kind=question.kind.value,
        fields=len(question.fields),
        labels=question.label_ids,
        examples={},
        parent=None,
        snapshot="0" * 64,
        seed=0,
        hyperparameters={},
        metrics={},
        versions={},
        created="2026-01-01T00:00:00+00:00",
        files={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (LORA_CONFIG, LORA_TENSORS)},
        vocabulary=vocabulary,
    )
    value = json.loads(manifest.text()) | changes
    (folder / MANIFEST).write_text(json.dumps(value), encoding="utf-8")
    return folder


def merged(model: Any, folder: Path) -> Any:
    """A copy of a model in memory with the adapter's products added to its weights."""
    import torch
    from safetensors.torch import load_file

    changed = copy.deepcopy(model)
    config = json.loads((folder / LORA_CONFIG).read_text(encoding="utf-8"))
    tensors = load_file(folder / LORA_TENSORS)
    parameters = dict(changed.named_parameters())
    with torch.no_grad():
        for name in {name.split(".lora_")[0] for name in tensors}:
            change = tensors[f"{name}.lora_B.weight"] @ tensors[f"{name}.lora_A.weight"]
            weight = parameters[f"{name.removeprefix('base_model.model.')}.weight"]
            weight += change * (config["lora_alpha"] / config["r"])
    return changed
