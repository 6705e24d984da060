"""LoRAs over a sentence encoder in memory: one at a time is in effect, or none; peft, safetensors only."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.engines.adapter import LORA_TENSORS
from backend.engines.protocol import EngineError

KEPT = 4  # LoRAs in memory, the last used


@dataclass(frozen=True, slots=True)
class Lora:
    """Where a LoRA lies, and the digest of the adapter it belongs to."""

    folder: Path
    digest: str


class Loras:
    """Puts LoRAs into the layers of `model`. Without one in effect, the model computes exactly what it did before."""

    def __init__(self, model: Any, base: str, kept: int = KEPT) -> None:
        self._model = model
        self._base = base
        self.kept = kept
        self._peft: Any = None
        self._names: OrderedDict[str, str] = OrderedDict()  # digest -> name inside peft
        self._made = 0

    @property
    def digests(self) -> tuple[str, ...]:
        """The adapters in memory, the last used last."""
        return tuple(self._names)

    @contextmanager
    def using(self, lora: Lora | None) -> Iterator[None]:
        """With this LoRA in effect, or with none. `EngineError` when it does not fit the encoder."""
        if lora is None:
            with self._peft.disable_adapter() if self._peft else nullcontext():
                yield
            return
        name = self._name(lora)
        self._peft.set_adapter(name)
        yield

    def _name(self, lora: Lora) -> str:
        if lora.digest not in self._names:
            self._made += 1
            name = f"socialite{self._made}"
            self._put(lora.folder, name)
            self._names[lora.digest] = name
        self._names.move_to_end(lora.digest)
        while len(self._names) > self.kept:
            _, old = self._names.popitem(last=False)
            self._take_out(old)
        return self._names[lora.digest]

    def _put(self, folder: Path, name: str) -> None:
        """Put a LoRA into the model; what cannot be put in is taken out again."""
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
                    self._peft = PeftModel(self._model, config, adapter_name=name, autocast_adapter_dtype=False)
            else:
                self._peft.add_adapter(name, config, autocast_adapter_dtype=False)
            told: Any = set_peft_model_state_dict(self._peft, tensors, adapter_name=name)
            if told.unexpected_keys or any(f".{name}." in key for key in told.missing_keys):
                raise ValueError("keys")
            self._peft.eval()
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            self._take_out(name)
            raise EngineError(
                f"The LoRA of the adapter {folder.name} does not fit the encoder '{self._base}' "
                f"({type(error).__name__}). Use the encoder it was trained on, or train again."
            ) from error

    def _take_out(self, name: str) -> None:
        if self._peft is None or name not in self._peft.peft_config:
            return
        if len(self._peft.peft_config) == 1:
            self._peft.unload()  # gives the model its own layers back, in place
            self._peft = None
        else:
            self._peft.set_adapter(next(other for other in self._peft.peft_config if other != name))
            self._peft.delete_adapter(name)
