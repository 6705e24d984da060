"""A vocabulary learned on the spot, in which a prompt is about a hundred tokens and a label one to four."""

from __future__ import annotations

from typing import Any

from tests.backend.engines.label_sets import TASKS

SAID = (
    "Instruction: Which of these is it?\n- joy: What is meant by 1.\nAnswer with one of these, from the lowest to the"
    " highest: joy, anger.\nInput: It is fine, a long text, or a short word.\nOutput: Does this apply: yes, no, not"
)


def learned_tokenizer(*more: str, size: int = 420) -> Any:
    """Bytes and what the prompts often put together; `more` texts are learned from, too."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    labels = [f" {word}" for words in TASKS.values() for word in words]
    made.train_from_iterator([SAID] * 3 + labels + list(more), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
