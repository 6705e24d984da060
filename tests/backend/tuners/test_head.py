from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.engines.adapter import TENSORS, read
from backend.engines.encoder import EncoderEngine
from backend.engines.head import load
from backend.engines.protocol import Item
from backend.tuners.head import train
from backend.tuners.targets import TrainingError
from labelstudio_config.codebook import Kind
from tests.backend.engines.questions import CROSS, DOWN, GLAD, MOODS, question

THINGS = ("a bike", "the bus", "my tea", "this phone", "her garden", "the exam", "our team", "an old film")
SAID = {
    "joy": ("I love {}!", "So happy about {}.", "What a delight, {} again.", "{} made me smile all day."),
    "anger": ("I hate {}!", "So angry about {}.", "What an outrage, {} again.", "{} makes me furious."),
    "sadness": ("I miss {}.", "So sad about {}.", "What a loss, {} is gone.", "{} made me cry all day."),
}
ROWS = [
    (one.format(thing), mood) for thing in THINGS for n in range(4) for mood, said in SAID.items() for one in [said[n]]
]
ITEMS: list[Item] = [(text,) for text, _ in ROWS]
ANSWERS = [frozenset({mood}) for _, mood in ROWS]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.sampled_from(range(len(ROWS))), st.sampled_from([0, 1, 2])), min_size=4, max_size=12))
@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.ORDINAL, Kind.MULTIPLE])
def test_an_infinite_prior_gives_the_zero_shot_scores_back(
    encoder: EncoderEngine, tmp_path_factory: pytest.TempPathFactory, kind: Kind, rows: list[tuple[int, int]]
) -> None:
    items, answers = [ITEMS[i] for i, _ in rows], [frozenset({MOODS[k].id}) for _, k in rows]
    if len(set(answers)) < 2:
        return
    folder = tmp_path_factory.mktemp("a") / "adapter"
    train(encoder, question(kind), items, answers, folder, strength=math.inf)
    np.testing.assert_array_equal(
        encoder.score(question(kind), ITEMS[:20], folder).log_probabilities,
        encoder.score(question(kind), ITEMS[:20]).log_probabilities,
    )


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.ORDINAL])
def test_labels_that_contradict_the_codebook_are_learned(encoder: EncoderEngine, tmp_path: Path, kind: Kind) -> None:
    """Coders who use 'joy' for anger and the reverse."""
    other = {"joy": "anger", "anger": "joy", "sadness": "sadness"}
    swapped = [frozenset(other[label] for label in answer) for answer in ANSWERS]
    train(encoder, question(kind), ITEMS, swapped, tmp_path / "swapped", seed=3)
    new = [(GLAD,), (CROSS,), (DOWN,)]
    found = encoder.score(question(kind), new, tmp_path / "swapped").log_probabilities
    assert [MOODS[k].id for k in found.argmax(axis=1)] == ["anger", "joy", "sadness"]


def test_few_labels_leave_the_suggestions_good(encoder: EncoderEngine, tmp_path: Path) -> None:
    """Two labels of the three, four texts: the third is not forgotten."""
    rows = [0, 1, 3, 4]
    train(encoder, question(), [ITEMS[i] for i in rows], [ANSWERS[i] for i in rows], tmp_path / "few")
    truth = np.array([[label.id for label in MOODS].index(mood) for _, mood in ROWS])
    before = (encoder.score(question(), ITEMS).log_probabilities.argmax(axis=1) == truth).mean()
    after = (encoder.score(question(), ITEMS, tmp_path / "few").log_probabilities.argmax(axis=1) == truth).mean()
    assert after >= before - 0.05


def test_labels_that_apply_by_themselves(encoder: EncoderEngine, tmp_path: Path) -> None:
    """'sadness' never occurs: nothing is learned of it, and it keeps its zero-shot scores."""
    chosen = [i for i, answer in enumerate(ANSWERS) if answer != {"sadness"}]
    answers = [ANSWERS[i] | {"joy"} for i in chosen]
    multiple = question(Kind.MULTIPLE)
    made = train(encoder, multiple, [ITEMS[i] for i in chosen], answers, tmp_path / "several")
    assert made.hyperparameters["strength"].keys() == {"anger"}
    plain = encoder.score(multiple, [(CROSS,), (GLAD,)]).log_probabilities
    found = encoder.score(multiple, [(CROSS,), (GLAD,)], tmp_path / "several").log_probabilities
    np.testing.assert_array_equal(found[:, [0, 2]], plain[:, [0, 2]])
    assert found[0, 1] > math.log(0.5) > found[1, 1]


def test_a_pair_is_told_apart_by_its_difference(encoder: EncoderEngine, tmp_path: Path) -> None:
    """Which of the two texts is the happier: the same texts occur on both sides."""
    pairs: list[Item] = []
    answers = []
    for n in range(0, len(ROWS), 3):
        glad, cross = ROWS[n][0], ROWS[n + 1][0]
        pairs += [(glad, cross), (cross, glad)]
        answers += [frozenset({"joy"}), frozenset({"anger"})]
    train(encoder, question(fields=2), pairs, answers, tmp_path / "pair")
    found = encoder.score(question(fields=2), [(GLAD, CROSS), (CROSS, GLAD)], tmp_path / "pair").log_probabilities
    assert found.argmax(axis=1).tolist() == [0, 1]


def test_words_are_learned_from_many_labels_and_none_is_written_down(encoder: EncoderEngine, tmp_path: Path) -> None:
    texts = [(f"{text} {word}",) for word in ("zyxomma", "quokka", "axolotl") for text, _ in ROWS]
    answers = [frozenset({mood}) for mood in ("joy", "anger", "sadness") for _ in ROWS]
    made = train(encoder, question(), texts, answers, tmp_path / "words")
    assert made.hyperparameters["terms"] > 50
    found = encoder.score(question(), [("an axolotl",), ("a quokka",)], tmp_path / "words").log_probabilities
    assert [MOODS[k].id for k in found.argmax(axis=1)] == ["sadness", "anger"]
    assert all(b"quokka" not in path.read_bytes() for path in (tmp_path / "words").iterdir())


def test_what_is_written_is_what_was_learned(encoder: EncoderEngine, tmp_path: Path) -> None:
    made = train(
        encoder, question(), ITEMS, ANSWERS, tmp_path / "deep" / "one", seed=5, snapshot="abc", parent="f" * 64
    )
    assert read(tmp_path / "deep" / "one") == made
    assert (made.seed, made.snapshot, made.parent) == (5, "abc", "f" * 64)
    assert made.metrics["held_out"]["mood"]["macro_f1"] >= made.metrics["held_out"]["mood"]["zero_shot_macro_f1"] - 0.05
    assert made.files.keys() == {TENSORS}
    _, head = load(tmp_path / "deep" / "one")
    assert head.weights.shape == (2 * encoder.embedder.width, 3)
    again = train(encoder, question(), ITEMS, ANSWERS, tmp_path / "two", seed=5, snapshot="abc", parent="f" * 64)
    assert again.files == made.files  # the same labels and seed give the same head
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["one"]


def test_an_adapter_is_never_overwritten(encoder: EncoderEngine, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(TrainingError, match="never overwritten"):
        train(encoder, question(), ITEMS, ANSWERS, tmp_path / "taken")
    assert list((tmp_path / "taken").iterdir()) == []


def test_nothing_is_left_behind_by_a_training_that_is_refused(encoder: EncoderEngine, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="same answer"):
        train(encoder, question(), ITEMS[:2], [frozenset({"joy"})] * 2, tmp_path / "refused")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises((TrainingError, OSError)):
        train(encoder, question(), ITEMS, ANSWERS, tmp_path / "file" / "inside")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
