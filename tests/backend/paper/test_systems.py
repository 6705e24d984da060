"""What is typed for a model, and the system that comes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend import settings
from backend.engines import adapter as adapters
from backend.engines.keyword import KeywordEngine
from backend.engines.models import RELEASED, find_causal
from backend.engines.protocol import Identity
from backend.engines.weights import MINILM
from backend.paper.named import Spec, SystemsError, spec, systems
from backend.paper.run import Plan, Row, run, scored
from backend.paper.saw import Saw, saw
from backend.paper.systems import AUTHORS, LABELS, Baseline, Scorer
from backend.settings import Settings
from scripts.bench.tiny_llama import make
from tests.backend.engines.bundles import adapter, bundle
from tests.backend.engines.random_loras import lora, signed
from tests.backend.paper.small import task

MOOD, TONE = task("mood", 1, tuning="seen", test=12), task("tone", 2, labels=3, tuning="related", test=12)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Llama with weights at random."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    make(folder, [item[0] for item in MOOD.train.items], seed=1, words=400, width=32)
    return folder


@pytest.fixture
def in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SOCIALITE_CACHE", str(tmp_path / "cache"))
    return settings.load(device="cpu")


def answers(folder: Path, found: list[object], plan: Plan) -> dict[tuple[Row, str], object]:
    texts = [scored(one, plan) for one in (MOOD, TONE)]
    return dict(run(found, texts, plan, folder, bar=lambda name: lambda done, total: None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("majority", Spec("majority", "majority")),
        ("base=llama", Spec("base", "llama")),
        ("mine = hlab/Some-Model@abc", Spec("mine", "hlab/Some-Model@abc")),
        ("hlab/Some-Model", Spec("hlab/Some-Model", "hlab/Some-Model")),
        (r"C:\models\a=b", Spec(r"C:\models\a=b", r"C:\models\a=b")),
    ],
)
def test_a_name_may_stand_before_the_model(text: str, expected: Spec) -> None:
    assert spec(text) == expected


def test_a_folder_is_called_by_its_last_part_and_may_have_any_sign(tmp_path: Path) -> None:
    folder = tmp_path / "a=b+c"
    folder.mkdir()
    assert spec(str(folder)) == Spec("a=b+c", str(folder))
    assert spec(f"x={folder}") == Spec("x", str(folder))
    assert spec(f"llama+{folder}").name == "a=b+c"


def test_models_that_cannot_be_had_are_named_before_anything_runs(in_force: Settings, tmp_path: Path) -> None:
    with pytest.raises(SystemsError, match=r"'socialite'.*socialite model fetch hlab/SocialiteLlama"):
        systems(["socialite"], in_force)
    with pytest.raises(SystemsError, match="Two models are called 'x'"):
        systems(["x=majority", "x=tfidf"], in_force)
    with pytest.raises(SystemsError, match="names no model"):
        systems([" "], in_force)
    with pytest.raises(SystemsError, match="bundle"):
        systems([str(bundle(tmp_path, name="empty"))], in_force)


def test_the_codebooks_own_examples_are_not_shown_besides(in_force: Settings, llama: Path) -> None:
    (found,) = systems([str(llama)], in_force.model_copy(update={"shots": 3}))
    assert isinstance(found, Scorer)
    assert found.engine.shots == 0  # type: ignore[attr-defined]


def test_a_llama_answers_with_examples_and_without(in_force: Settings, llama: Path, tmp_path: Path) -> None:
    found = systems([f"tiny={llama}", "keyword", "majority"], in_force)
    cells = answers(tmp_path, list(found), Plan(shots=(0, 2)))
    zero, few = cells[Row("tiny", 0), "mood"], cells[Row("tiny", 2, "random"), "mood"]
    assert isinstance(zero, dict)
    assert isinstance(few, dict)
    assert np.exp(zero[0, 0].scores).sum(axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    assert not np.allclose(zero[0, 0].scores, few[0, 0].scores)
    assert (zero[0, 0].marks.sum(axis=1) == 1).all()
    words = cells[Row("keyword", None), "mood"]
    assert isinstance(words, dict)
    assert (words[0, 0].scores == KeywordEngine().score(MOOD.question, MOOD.test.items).log_probabilities).all()
    tiny = found[0]
    assert isinstance(tiny, Scorer)
    assert tiny._engine is None  # it was given back
    about = tiny.about(MOOD)
    assert (about["engine"], about["model"], about["wording"]) == ("causal", str(llama), "ours")
    assert about["base_digest"] == find_causal(str(llama)).digest


def test_a_lora_answers_its_own_question_and_no_other(in_force: Settings, llama: Path, tmp_path: Path) -> None:
    (base,) = systems([str(llama)], in_force)
    assert isinstance(base, Scorer)
    weights = find_causal(str(llama))
    mine = signed(lora(tmp_path / "mine", llama, seed=3), base.identity, MOOD.question, weights.tokenizer)
    found = systems([f"base={llama}", str(mine), f"again={llama}+{mine}"], in_force)
    cells = answers(tmp_path / "out", list(found), Plan())
    tuned, again, plain = (cells[Row(name, 0), "mood"] for name in ("mine", "again", "base"))
    assert isinstance(tuned, dict)
    assert isinstance(again, dict)
    assert isinstance(plain, dict)
    assert (tuned[0, 0].scores == again[0, 0].scores).all()
    assert not np.allclose(tuned[0, 0].scores, plain[0, 0].scores)
    assert "not the single question 'tone'" in str(cells[Row("mine", 0), "tone"])
    assert found[1].saw(MOOD) is Saw.TRAINED
    assert found[1].about(MOOD)["adapter_digest"] == adapters.digest(mine)
    assert found[0].saw(MOOD) is Saw.UNKNOWN


def test_what_was_tuned_on_many_tasks_answers_any_and_knows_which_it_saw(
    in_force: Settings, llama: Path, tmp_path: Path
) -> None:
    (base,) = systems([str(llama)], in_force)
    assert isinstance(base, Scorer)
    weights = find_causal(str(llama))
    given = {
        "method": "instruct",
        "question": "*",
        "kind": "*",
        "fields": 0,
        "labels": (),
        "metrics": {"tasks": ["MOOD"]},
    }
    mine = signed(lora(tmp_path / "many", llama, seed=3), base.identity, MOOD.question, weights.tokenizer, **given)
    (found,) = systems([str(mine)], in_force)
    cells = answers(tmp_path / "out", [found], Plan())
    assert all(isinstance(cells[Row("many", 0), name], dict) for name in ("mood", "tone"))
    assert (found.saw(MOOD), found.saw(TONE)) == (Saw.SEEN, Saw.UNSEEN)


def test_a_bundle_answers_what_it_was_tuned_for(in_force: Settings, tmp_path: Path) -> None:
    (encoder,) = systems(["encoder"], in_force)
    assert isinstance(encoder, Scorer)
    mine = encoder.identity
    given = {"engine": "encoder", "base": MINILM, "base_digest": mine.digest, "prompt": mine.prompt}
    folder = bundle(tmp_path, "mood", **given, labels=("l0", "l1"))
    (found,) = systems([str(folder)], in_force)
    assert found.why_not(MOOD, LABELS) is None
    assert found.why_not(TONE, LABELS) == "The adapter bundle was not tuned for the question 'tone'."
    assert not found.shows
    assert "writes no answers" in str(found.why_not(MOOD, AUTHORS))


def test_what_released_weights_saw_is_what_their_authors_say() -> None:
    causal = Identity("causal", RELEASED, "d", "p", "float32", "label")
    assert (saw(MOOD, causal, None), saw(TONE, causal, None)) == (Saw.SEEN, Saw.UNSEEN)
    here = replace(causal, base=str(Path("models") / "SocialiteLlama"))
    assert saw(MOOD, here, None) is Saw.SEEN
    assert saw(MOOD, replace(causal, base="meta-llama/Llama-2-7b-hf"), None) is Saw.UNKNOWN
    assert saw(MOOD, replace(causal, engine="encoder", base=MINILM), None) is Saw.UNSEEN
    assert Baseline("x", "tfidf").saw(MOOD) is Saw.TRAINED


def test_a_models_own_manifest_says_what_it_saw(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"method": "instruct", "metrics": {"tasks": ["mood"]}}))
    merged = Identity("causal", str(tmp_path), "d", "p", "float32", "label")
    assert (saw(MOOD, merged, None), saw(TONE, merged, None)) == (Saw.SEEN, Saw.UNSEEN)
    tuned = adapter(tmp_path / "head", "tone")
    assert saw(TONE, merged, tuned) is Saw.TRAINED


def test_answers_depend_on_the_adapter_and_the_training_texts(in_force: Settings, tmp_path: Path) -> None:
    first, second = Baseline("a", "tfidf"), Baseline("b", "tfidf")
    assert first.depends(MOOD, LABELS, 0) == second.depends(MOOD, LABELS, 0)
    assert first.depends(MOOD, LABELS, 0) != first.depends(replace(MOOD, train=TONE.train), LABELS, 0)
    (encoder,) = systems(["encoder"], in_force)
    assert isinstance(encoder, Scorer)
    given = {"engine": "encoder", "base": MINILM, "base_digest": encoder.identity.digest}
    tuned = adapter(tmp_path / "one", "mood", **given, prompt=encoder.identity.prompt, labels=("l0", "l1"))
    (other,) = systems([str(tuned)], in_force)
    assert encoder.depends(MOOD, LABELS, 0) != other.depends(MOOD, LABELS, 0)


def test_a_llama_is_asked_in_other_words_and_writes_answers(in_force: Settings, llama: Path, tmp_path: Path) -> None:
    found = systems([f"tiny={llama}", "keyword"], in_force)
    cells = answers(tmp_path, list(found), Plan(paraphrases=True, limit=4))
    asked = cells[Row("tiny", 0), "mood"]
    assert isinstance(asked, dict)
    assert len(asked) == found[0].wordings(MOOD) > 3
    assert len({one.scores.tobytes() for one in asked.values()}) == len(asked)
    words = cells[Row("keyword", None), "mood"]
    assert isinstance(words, dict)
    assert len(words) == 1
    plan = Plan(shots=(0, 1), decode=AUTHORS, limit=3)
    wrote = answers(tmp_path, list(found), plan)
    spoken = wrote[Row("tiny", 0, decode=AUTHORS), "mood"]
    assert isinstance(spoken, dict)
    assert (spoken[0, 0].marks.any(axis=1) != spoken[0, 0].unparsed).all()
    assert np.isnan(spoken[0, 0].scores).all()
    assert "writes no answers" in str(wrote[Row("keyword", None, decode=AUTHORS), "mood"])


def test_a_lora_of_one_wording_is_asked_in_that_one(in_force: Settings, llama: Path, tmp_path: Path) -> None:
    (base,) = systems([str(llama)], in_force)
    assert isinstance(base, Scorer)
    tokenizer = find_causal(str(llama)).tokenizer
    mine = signed(lora(tmp_path / "mine", llama, seed=3), base.identity, MOOD.question, tokenizer)
    (found,) = systems([str(mine)], in_force)
    cells = answers(tmp_path / "out", [found], Plan(paraphrases=True, limit=3))
    one = cells[Row("mine", 0), "mood"]
    assert isinstance(one, dict)
    assert len(one) == 1
