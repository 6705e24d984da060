"""Questions to score, and a tiny encoder of random weights that stands for another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelstudio_config.codebook import Control, Field, Kind, Label, Question

TEXT = Field("text", "text")
MOODS = (
    Label(
        "joy",
        "joy",
        "joy",
        "The writer is happy, delighted or pleased.",
        ("What a lovely day, I could sing!", "So happy with my new bike."),
    ),
    Label(
        "anger",
        "anger",
        "anger",
        "The writer is angry, furious or annoyed.",
        ("How dare they cancel my train again!", "This makes my blood boil."),
    ),
    Label("sadness", "sadness", "sadness", "The writer is sad, lonely or grieving.", ("I miss her every day.",)),
)
GLAD = "I am so glad and happy, this is wonderful news!"
CROSS = "I am furious, what an outrageous and stupid decision!"
DOWN = "I feel so lonely since he died, I cried all night."


def question(kind: Kind = Kind.SINGLE, *, fields: int = 1, labels: tuple[Label, ...] = MOODS, **more: Any) -> Question:
    """A question about moods."""
    control = Control.NUMBER if kind is Kind.NUMBER else Control.CHOICES
    names = (TEXT, Field("reply", "reply"))[:fields]
    return Question("mood", "mood", kind, control, names, () if kind is Kind.NUMBER else labels, **more)


def tiny_encoder(folder: Path, *, hidden: int = 16, window: int | None = None) -> Path:
    """A BERT of random weights with a vocabulary of letters, as save_pretrained writes one."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(parents=True)
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    if window:
        (folder / "sentence_bert_config.json").write_text(f'{{"max_seq_length": {window}}}', encoding="utf-8")
    return folder
