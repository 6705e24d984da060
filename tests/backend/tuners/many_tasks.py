"""Three questions that a tiny encoder can learn at once: one label, ordered labels of a pair, any number of labels."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.engines.classifier_manifest import ClassifierManifest
from backend.engines.weights import find
from backend.tuners.multitask import EncoderOptions, Subject, Texts, train_encoder
from backend.tuners.training import Step
from labelstudio_config.codebook import Kind, Label, Question
from tests.backend.engines.questions import question, tiny_encoder

WORDS = ("aaa", "kkk", "xxx")  # what tells the first, second and third label, as far as there are so many
NOISE = list("cdefghij")
MOOD = question()
DEGREE = replace(
    question(Kind.ORDINAL, fields=2, labels=tuple(Label(x, x, x) for x in ("low", "middle", "high"))),
    id="degree",
    name="degree",
)
TOPICS = replace(
    question(Kind.MULTIPLE, labels=tuple(Label(x, x, x) for x in ("home", "work"))), id="topics", name="topics"
)
QUICK = EncoderOptions(epochs=8, rate=4e-3, batch=8, seed=3, patience=8, head_rate=1.0, dropout=0.0)


def texts(asked: Question, n: int, seed: int = 0) -> Texts:
    """n texts of letters, whose words tell their labels: of a pair those of the second."""
    random, ids = np.random.default_rng(seed), asked.label_ids
    items, answers = [], []
    for row in range(n):
        given = [row % len(ids)] if asked.kind is not Kind.MULTIPLE else [k for k in range(len(ids)) if row >> k & 1]
        words = [[*random.choice(NOISE, size=3)] for _ in asked.fields]
        words[-1] += [WORDS[k] for k in given]
        items.append(tuple(" ".join(random.permutation(own)) for own in words))
        answers.append(frozenset(ids[k] for k in given))
    return Texts(items, answers)


def subjects(n: int = 60) -> list[Subject]:
    """The three questions, of n, n and n/2 texts, with their validation texts."""
    sizes = {MOOD: n, DEGREE: n, TOPICS: n // 2}
    return [
        Subject(asked, texts(asked, size), texts(asked, 12, seed=1), f"made of {asked.id}", "CC0")
        for asked, size in sizes.items()
    ]


def trained(
    folder: Path,
    asked: Sequence[Subject] | None = None,
    options: EncoderOptions = QUICK,
    *,
    base: Path | None = None,
    report: Callable[[Step], None] = lambda _: None,
    **more: Any,
) -> ClassifierManifest:
    """An encoder in `folder`; its base and its checkpoints lie beside it."""
    base = base or folder.with_name("base")
    if not base.exists():
        tiny_encoder(base, hidden=32)
    work = folder.with_name(f"{folder.name}-work")
    given: dict[str, Any] = {"work": work, "device": "cpu", "report": report} | more
    return train_encoder(find(str(base)), subjects() if asked is None else asked, folder, options, **given)


def published_deberta(folder: Path) -> Path:
    """A DeBERTa-v3 of random weights as its makers publish theirs: SentencePiece's file, a pickle of 16-bit weights
    with more in it than the encoder, and neither tokenizer.json nor safetensors.
    """
    import sentencepiece
    import torch
    from transformers import DebertaV2Config, DebertaV2Model

    folder.mkdir(parents=True)
    vocabulary = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([item[-1] for item in texts(MOOD, 60).items] + ["A fine café, all in all."] * 9),
        model_writer=vocabulary,
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
    )
    (folder / "spm.model").write_bytes(vocabulary.getvalue())
    said = {"do_lower_case": False, "vocab_type": "spm"}
    (folder / "tokenizer_config.json").write_text(json.dumps(said), encoding="utf-8")
    config = DebertaV2Config(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        type_vocab_size=0,
        relative_attention=True,
        position_buckets=16,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type="p2c|c2p",
        position_biased_input=False,
    )
    shape = config.to_dict()
    for key in ("architectures", "dtype", "transformers_version"):
        shape.pop(key, None)
    (folder / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    torch.manual_seed(7)
    tensors = {f"deberta.{name}": x.half() for name, x in DebertaV2Model(config).state_dict().items()}
    torch.save(tensors | {"lm_predictions.lm_head.bias": torch.zeros(64).half()}, folder / "pytorch_model.bin")
    return folder
