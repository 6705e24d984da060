"""A Llama of random weights with adapters for it, made on the spot, and what they say by plain forwards."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import LORA_CONFIG, LORA_TENSORS, MANIFEST, Manifest
from backend.engines.prompts import Ask, Ours, asks
from backend.engines.protocol import Identity, Item
from backend.engines.weights import Weights
from labelstudio_config.codebook import Kind, Question
from scripts.bench.material import texts

RANK = 8
HEAD = 64  # a head size that vLLM has attention for
VOCABULARY = 1500  # tokens of the vocabulary that is learned when none is given


@dataclass(frozen=True, slots=True)
class Llama:
    """The weights in a folder, and how many tokens vLLM may read of a prompt and its answer."""

    weights: Weights
    tokenizer: str  # for people


def make(home: Path, tokenizer: Path | None, *, window: int, seed: int = 0) -> Llama:
    """A Llama with grouped queries and heads of 64; its vocabulary is the one in the file `tokenizer`, if given."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = home / "base"
    folder.mkdir(parents=True)
    vocabulary = _given(tokenizer, folder) if tokenizer else _learned(folder)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=4 * HEAD,
        intermediate_size=8 * HEAD,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.06,
        bos_token_id=vocabulary.bos_token_id,
        eos_token_id=vocabulary.eos_token_id,
    )
    torch.manual_seed(seed)
    LlamaForCausalLM(config).save_pretrained(folder)
    vocabulary.save_pretrained(folder)
    weights = Weights(
        folder, "a random Llama", _sha(folder / "model.safetensors"), _sha(folder / "tokenizer.json"), window
    )
    return Llama(weights, f"{len(vocabulary)} tokens, {tokenizer.name if tokenizer else 'learned on the spot'}")


def adapters(llama: Llama, home: Path, number: int, identity: Identity, question: Question) -> list[Path]:
    """LoRA adapters of random weights for the question, as peft writes them, with our manifest."""
    import torch
    from peft import LoraConfig, get_peft_model

    made = []
    for seed in range(1, number + 1):
        torch.manual_seed(seed)
        config = LoraConfig(
            r=RANK,
            lora_alpha=2 * RANK,
            target_modules=["q_proj", "v_proj"],
            init_lora_weights=False,
            task_type="CAUSAL_LM",
        )
        folder = home / f"adapter-{seed}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions to come
            model = get_peft_model(_plain(llama.weights.folder), config)
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.data *= 4  # so that each adapter says something of its own
            model.save_pretrained(folder)
        (folder / MANIFEST).write_text(_manifest(llama, folder, identity, question, seed).text(), encoding="utf-8")
        made.append(folder)
    return made


class Forwards:
    """Probabilities of labels by one full forward of transformers' model for each text and answer."""

    def __init__(self, llama: Llama, adapter: Path | None = None) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(llama.weights.folder)
        self._model = _plain(llama.weights.folder)
        if adapter is not None:
            from peft import PeftModel

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of versions to come
                self._model = PeftModel.from_pretrained(self._model, adapter).eval()

    def probabilities(self, question: Question, items: Sequence[Item], method: str = "label") -> NDArray[np.float64]:
        """[n, K]: of each label, or where any number may apply, of 'yes' to each."""
        found = [[self._answers(ask, item, method) for item in items] for ask in asks(question, Ours())]
        if question.kind is Kind.MULTIPLE:
            return np.stack([np.array(one)[:, 0] for one in found], axis=1)
        return np.array(found[0])

    def _answers(self, ask: Ask, item: Item, method: str) -> NDArray[np.float64]:
        import torch

        prompt = str(ask.prompt(item))
        plain = self._ids(prompt)
        answers = [[*self._ids(f"{prompt} {word}"), self._tokenizer.eos_token_id] for word in ask.words]
        shared = min(_common(plain, answer) for answer in answers)
        scores = []
        for answer in answers:
            with torch.inference_mode():
                logits = self._model(torch.tensor([answer]), logits_to_keep=len(answer) - shared + 1).logits[0]
            steps = logits.double().log_softmax(-1)
            score = 0.0
            for place in range(shared, len(answer)):
                step = steps[place - shared]
                score += float(step[answer[place]])
                if method == "choice":
                    rivals = {other[place] for other in answers if other[:place] == answer[:place]}
                    score -= float(torch.logsumexp(step[sorted(rivals)], 0))
            scores.append(score)
        return np.exp(np.array(scores) - np.logaddexp.reduce(scores))

    def _ids(self, text: str) -> list[int]:
        ids = list(self._tokenizer(text)["input_ids"])
        begin = self._tokenizer.bos_token_id
        return ids if ids[:1] == [begin] else [begin, *ids]


def _common(one: list[int], other: list[int]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


@lru_cache(maxsize=1)
def _weights_of(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).eval()


def _plain(folder: Path) -> Any:
    """The model in memory, unshared: an adapter is written into it."""
    import copy

    return copy.deepcopy(_weights_of(folder))


def _given(file: Path, folder: Path) -> Any:
    """Llama's tokenizer with the vocabulary of a sentencepiece file."""
    from transformers import LlamaTokenizer

    shutil.copyfile(file, folder / "tokenizer.model")
    return LlamaTokenizer.from_pretrained(folder)


def _learned(folder: Path) -> Any:
    """A vocabulary of bytes and what the demo's posts often put together."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts(None, 500), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def _manifest(llama: Llama, folder: Path, identity: Identity, question: Question, seed: int) -> Manifest:
    return Manifest(
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
        seed=seed,
        hyperparameters={"r": RANK, "lora_alpha": 2 * RANK},
        metrics={},
        versions={},
        created="2026-01-01T00:00:00+00:00",
        files={name: _sha(folder / name) for name in (LORA_CONFIG, LORA_TENSORS)},
        vocabulary=llama.weights.tokenizer,
    )


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
