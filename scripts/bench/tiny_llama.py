"""A small Llama of random weights with a vocabulary learned from given texts, saved as any other model's folder is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SPECIAL = ("<unk>", "<s>", "</s>")


def make(
    folder: Path,
    texts: Iterable[str],
    *,
    seed: int,
    words: int = 6000,
    width: int = 128,
    layers: int = 2,
    window: int = 1024,
) -> int:
    """Write the model and its tokenizer into the folder; the number of its weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    size = vocabulary(folder, texts, words, window)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        max_position_embeddings=window,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=width**-0.5,
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    return sum(weight.numel() for weight in model.parameters())


def vocabulary(folder: Path, texts: Iterable[str], words: int, window: int) -> int:
    """Byte pairs in the manner of Llama's; a byte that was never seen is still a token. The size."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=words, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(texts, trainer)
    unknown, begin, end = SPECIAL
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token=unknown, bos_token=begin, eos_token=end, model_max_length=window
    )
    tokenizer.save_pretrained(folder)
    return len(tokenizer)
