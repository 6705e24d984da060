"""A causal model in memory, and the adapters over it: transformers and peft, safetensors only, no remote code ever."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from backend.engines.adapter import LORA_TENSORS, Manifest, not_lora, read, unfit
from backend.engines.packs import FAMILIES, register
from backend.engines.protocol import EngineError, Identity
from backend.engines.weights import Weights
from labelstudio_config.codebook import Question

FOUR_BIT = "nf4"


class CausalModel:
    """A causal model with up to `kept` adapters, the last used; `gone` is told the folder of one that is dropped."""

    def __init__(
        self,
        weights: Weights,
        *,
        device: str,
        dtype: str,
        four_bit: bool,
        kept: int,
        gone: Callable[[Path], None] = lambda _: None,
    ) -> None:
        if kept < 1:
            raise EngineError("At least one adapter must be kept in memory: set `kept` to 1 or more.")
        self.weights = weights
        self._wanted = (device, dtype, four_bit)
        self._kept = kept
        self._gone = gone
        self._peft: Any = None
        self._adapters: OrderedDict[Path, tuple[str, Manifest]] = OrderedDict()
        self._made = 0

    @cached_property
    def device(self) -> str:
        wanted = self._wanted[0]
        if wanted != "auto":
            return wanted
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    @property
    def dtype(self) -> str:
        """What numbers the model counts in: bfloat16 on a GPU, float32 on a CPU, unless another is wanted."""
        _, wanted, four_bit = self._wanted
        own = "float32" if self.device == "cpu" else "bfloat16"
        return FOUR_BIT if four_bit else own if wanted == "auto" else wanted

    @cached_property
    def base(self) -> Any:
        """The model, loaded when first used; adapters are put into it."""
        return loaded(self.weights, self.device, self.dtype, register())

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The folders of the adapters in memory, the last used last."""
        return tuple(self._adapters)

    @contextmanager
    def using(self, folder: Path | None, identity: Identity, question: Question) -> Iterator[Any]:
        """The model with this adapter, or with none. `EngineError` when the adapter does not fit it."""
        base = self.base
        if folder is None:
            if self._peft is None:
                yield base
                return
            with self._peft.disable_adapter():
                yield base
            return
        name, manifest = self._adapter(folder)
        if reason := unfit(manifest, identity, question, self.weights.tokenizer):
            raise EngineError(reason)
        self._peft.set_adapter(name)
        yield base

    def _adapter(self, folder: Path) -> tuple[str, Manifest]:
        if folder not in self._adapters:
            manifest = read(folder)
            reason = not_lora(folder, manifest) or _other_weights(manifest, self.weights)
            if reason:
                raise EngineError(reason)
            self._made += 1
            name = f"socialite{self._made}"
            self._put(folder, name)
            self._adapters[folder] = (name, manifest)
        self._adapters.move_to_end(folder)
        while len(self._adapters) > self._kept:
            old, (name, _) = self._adapters.popitem(last=False)
            self._peft.set_adapter(next(reversed(self._adapters.values()))[0])
            self._peft.delete_adapter(name)
            self._gone(old)
        return self._adapters[folder]

    def _put(self, folder: Path, name: str) -> None:
        """Put an adapter into the model; what cannot be put in is taken out again."""
        from peft import LoraConfig, PeftModel, set_peft_model_state_dict
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            config = LoraConfig.from_pretrained(str(folder))
            config.inference_mode = True
            tensors = load_file(folder / LORA_TENSORS)
            if self._peft is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers in a way it will drop
                    self._peft = PeftModel(self.base, config, adapter_name=name, autocast_adapter_dtype=False)
            else:
                self._peft.add_adapter(name, config, autocast_adapter_dtype=False)
            told: Any = set_peft_model_state_dict(self._peft, tensors, adapter_name=name)
            missing = [key for key in told.missing_keys if f".{name}." in key]
            if told.unexpected_keys or missing:
                raise ValueError("keys")
            self._peft.eval()
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            self._take_out(name)
            raise EngineError(
                f"The adapter {folder.name} does not fit the model '{self.weights.base}' ({type(error).__name__}). "
                "Use the base it was trained on, or train again."
            ) from error

    def _take_out(self, name: str) -> None:
        if self._peft is None or name not in self._peft.peft_config:
            return
        if len(self._peft.peft_config) == 1:
            self.base = self._peft.unload()
            self._peft = None
        else:
            self._peft.delete_adapter(name)


def longest(weights: Weights) -> int:
    """Tokens that are read of a prompt and its answer: the weights' window, as far as every layer sees all of it."""
    try:
        config = json.loads((weights.folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"The config.json of the model '{weights.base}' cannot be read. Fetch it again.") from error
    if config.get("model_type") not in FAMILIES:
        raise EngineError(
            f"The model '{weights.base}' is of the type '{config.get('model_type')}', which cannot be scored here. "
            f"Choose one of these types: {', '.join(FAMILIES)}."
        )
    sliding = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return min(weights.window, sliding) if isinstance(sliding, int) and sliding > 0 else weights.window


def _other_weights(manifest: Manifest, weights: Weights) -> str | None:
    """Said before the adapter is put into a model that it may not even fit."""
    if manifest.base_digest == weights.digest:
        return None
    return (
        f"The adapter was trained on the base '{manifest.base}' ({manifest.base_digest[:12]}), "
        f"but '{weights.base}' ({weights.digest[:12]}) is in use. Use the base it was trained on, or train again."
    )


def loaded(weights: Weights, device: str, dtype: str, attention: str) -> Any:
    """The model with this attention, in evaluation mode; `EngineError` when transformers cannot read the folder."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    settings: dict[str, Any] = {"attn_implementation": attention, "use_safetensors": True, "local_files_only": True}
    if dtype == FOUR_BIT:
        settings |= {"quantization_config": _four_bit(device), "device_map": {"": device}, "dtype": torch.bfloat16}
    else:
        settings["dtype"] = _dtype(dtype)
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(weights.folder, trust_remote_code=False, **settings)
        model = model if dtype == FOUR_BIT else model.to(device)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EngineError(
            f"The model '{weights.base}' cannot be loaded by transformers onto '{device}' ({type(error).__name__}). "
            "Its folder may be incomplete, or the device too small: try 4-bit weights or another device."
        ) from error
    return model.eval().requires_grad_(False)


def _dtype(name: str) -> Any:
    import torch

    known = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name not in known:
        raise EngineError(f"There is no dtype '{name}' for a causal model. Choose auto, {', '.join(known)}.")
    return known[name]


def _four_bit(device: str) -> Any:
    if importlib.util.find_spec("bitsandbytes") is None or device == "cpu":
        raise EngineError(
            "4-bit weights need an NVIDIA GPU and the package bitsandbytes: pip install bitsandbytes. "
            "Without them, leave out the 4-bit option."
        )
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True, bnb_4bit_quant_type=FOUR_BIT, bnb_4bit_compute_dtype=torch.bfloat16
    )
