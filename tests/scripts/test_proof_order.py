"""The proof of the order: what is drawn, how labels are counted, what is said of shares, and where a run goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.assist.order import LAST, WORK
from backend.engines.encoder import EncoderEngine
from scripts import proof_order
from scripts.order.audit import corrected, redrawn, shares
from scripts.order.corpus import Corpus, Size, corpus
from scripts.order.course import Course, Shares
from scripts.order.figures import mean_curve, middle_of, needed, sentences, share_table, summary, table
from scripts.order.learner import Learner, cut
from scripts.proof_order import Wanted, name_of, read, run
from tests.moods import task, written

SIZE = Size(texts=80, audit=12, control=3, rounds=(10, 40, 1000), tests=15, redraws=5)


def test_a_corpus_is_an_audit_a_control_and_work_and_other_seeds_draw_others() -> None:
    moods = task(train=100, test=5)
    drawn, other = corpus(moods, SIZE, 0), corpus(moods, SIZE, 1)
    control = [text for text, _ in drawn.control]
    assert (len(drawn.items), len(drawn.audit), len(control), len(drawn.work)) == (80, 12, 3, 65)
    assert sorted([*drawn.audit, *control, *drawn.work]) == list(range(80))
    assert [rank for _, rank in drawn.control] == [12, 13, 14]
    ids = moods.question.label_ids
    labels = [ids[k] for k in drawn.truth]
    assert dict(zip(drawn.items, labels, strict=True)).items() <= dict(moods.train).items()
    assert drawn.items != other.items
    assert corpus(moods, SIZE, 0).items == drawn.items
    again = drawn.random_order(0)
    assert sorted(again) == sorted(drawn.work)
    assert again.tolist() != drawn.work.tolist()


def test_near_duplicates_share_a_cluster_and_a_stream() -> None:
    moods = task(train=40, test=5)
    twins = tuple(((f"{fields[0]}!",), label) for fields, label in moods.train)
    drawn = corpus(replace(moods, train=moods.train + twins), SIZE, 0)
    assert len(drawn.items) == 80
    assert np.bincount(drawn.cluster).tolist() == [2] * 40
    assert len(drawn.audit) == 2 * 8, "a fifth of the clusters, where twelve would be more"
    assert not set(drawn.cluster[drawn.audit]) & set(drawn.cluster[drawn.work])


def test_a_small_corpus_ends_with_its_last_work_text() -> None:
    assert Size().reached(2000) == (50, 100, 200, 400, 700, 1000)
    assert Size().reached(746) == (50, 100, 200, 400, 700, 746)
    assert Size().reached(60) == (50, 60)


def test_labels_needed_are_read_off_straight_lines() -> None:
    curve = [(0, 0.3), (100, 0.5), (200, 0.4), (400, 0.8)]
    assert needed(curve, 0.4) == pytest.approx(50)
    assert needed(curve, 0.5) == pytest.approx(100)
    assert needed(curve, 0.7) == pytest.approx(350)
    assert needed(curve, 0.2) == 0
    assert needed(curve, 0.81) is None


def test_mean_curves_and_a_median_with_some_that_never_arrive() -> None:
    assert mean_curve([[(0, 0.2), (98, 0.4)], [(0, 0.2), (100, 0.6)]]) == [(0, 0.2), (99, 0.5)]
    assert middle_of([0.5, None, 0.7]) == 0.7
    assert middle_of([0.5, None, 0.7, 0.9]) == pytest.approx(0.8)
    assert middle_of([None, None, 0.7]) is None


def made(n: int, seed: int) -> tuple[Corpus, np.ndarray]:
    """Two labels, the second one on a fifth; the model gives it to a third of the others too."""
    random = np.random.default_rng(seed)
    truth = (random.random(n) < 0.2).astype(np.int64)
    model = np.where(truth == 1, random.random(n) < 0.9, random.random(n) < 0.3).astype(np.int64)
    places = np.arange(n)
    items = tuple((str(i),) for i in places)
    return Corpus(items, truth, places, places[:200], (), places[200:]), model


def test_shares_are_corrected_on_average_and_intervals_hold() -> None:
    drawn, model = made(2000, 1)
    truth = shares(drawn.truth, 2)
    assert (shares(model, 2) - truth)[1] > 0.2
    many = redrawn(drawn, model, 2, 300, seed=1)
    errors = np.array([each.error[1] for each in many])
    assert abs(errors.mean()) < 3 * errors.std() / 300**0.5
    assert errors.std() == pytest.approx(0.025, abs=0.008)
    assert all(each.shown.all() for each in many)
    assert 0.9 < np.mean([each.held[1] for each in many]) <= 1


def test_a_census_is_right_and_its_interval_is_a_point() -> None:
    drawn, model = made(400, 2)
    one = corrected(drawn, model, np.arange(400), 2)
    assert one.error == pytest.approx([0, 0])
    assert one.held.all()


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Learner:
    moods = cut(task(train=120, test=40), SIZE.tests)
    engine = EncoderEngine(cache=tmp_path_factory.mktemp("embeddings"))
    return Learner(engine, moods, corpus(moods, replace(SIZE, texts=120), 0))


def test_labels_teach_and_held_out_labels_are_not_looked_up(learner: Learner) -> None:
    untaught = learner.untaught()
    rows = learner.corpus.work
    said = learner.taught(rows, 0)
    assert len(learner.task.test) == 15
    assert said.f1 > untaught.f1 + 0.1
    truth = learner.corpus.truth[rows]
    inside, outside = (said.labels[rows] == truth).mean(), (learner.held_out(rows, 0) == truth).mean()
    assert 0.5 < outside <= inside


def test_labels_that_are_all_alike_leave_the_model_as_it_is(learner: Learner) -> None:
    alike = learner.corpus.work[learner.corpus.truth[learner.corpus.work] == 0][:10]
    assert (learner.taught(alike, 0).corpus == learner.untaught().corpus).all()


def test_control_texts_come_first_and_then_the_most_uncertain(learner: Learner) -> None:
    said = learner.untaught()
    scores = learner.scores(said)
    drawn = learner.corpus
    assert scores.keys() == {text for text, _ in drawn.control} | set(drawn.work.tolist())
    control = [scores[text] for text, _ in drawn.control]
    assert control == sorted(control)
    assert max(control) < WORK
    p = np.exp(said.corpus[drawn.work])
    assert [scores[text] for text in drawn.work.tolist()] == pytest.approx(
        (WORK + (LAST - WORK) * np.abs(p[:, 0] - p[:, 1])).tolist()
    )


def a_course(name: str, seed: int, uncertain: float, off: float) -> Course:
    """After 100 labels random order is at .6, and so is the other one after 100; after 50 all are at .4."""
    return Course(
        task=name,
        seed=seed,
        texts=500,
        clusters=490,
        work=300,
        audit=100,
        control=20,
        tests=200,
        uncertain=[(0, 0.3), (50, 0.4), (100, uncertain)],
        random=[(0, 0.3), (50, 0.4), (100, 0.6)],
        again=[(0, 0.3), (50, 0.4), (100, 0.6)],
        served=120,
        unsorted=0,
        shares=Shares(
            truth=[0.7, 0.3],
            coded=[-0.1, 0.1],
            model=[-0.2, 0.2],
            corrected=[-off, off],
            held_out=[-off / 2, off / 2],
            redrawn=[-0.001, 0.001],
            redrawn_sd=[0.02, 0.02],
            shown={"corrected": 2, "held_out": 2, "redrawn": 10},
            held={"corrected": 1, "held_out": 2, "redrawn": 9},
            redraws=5,
        ),
    )


def test_the_report_counts_labels_and_says_what_never_arrives() -> None:
    some = [a_course("a", 0, 0.8, 0.01), a_course("a", 1, 0.8, 0.03), a_course("b", 0, 0.5, -0.01)]
    report = summary(some)
    assert report["labels_to_random_1000"] == {"a": [75, 75], "b": [None]}
    assert report["labels_of_another_random_order"] == {"a": [100, 100], "b": [100]}
    assert report["ratio"] == {"a": 0.75, "b": None}
    assert (report["tasks_fewer"], report["tasks"], report["median_ratio"]) == (1, 2, None)
    assert report["f1_minus_random_at_the_end"] == {"a": 0.2, "b": -0.1}
    assert (report["served"], report["unsorted"]) == (360, 0)
    assert report["prevalence_bias"] == pytest.approx(0.01)
    assert report["prevalence_bias_se"] == pytest.approx(0.01155, abs=1e-4)
    assert report["coverage"] == 0.5
    assert report["prevalence"]["redrawn"]["coverage"] == 0.9
    assert report["prevalence"]["redrawn"]["bias_se"] == pytest.approx(0.02 / 15**0.5, abs=1e-4)
    rows = table(some, report).splitlines()
    assert rows[2] == "| a | 300 | 30.0 | 60.0 at 100 | 80.0 | 75, 75 | 75 (0.75) | 100 (1.00) |"
    assert rows[3].split(" | ")[5:7] == [">100", ">100"]
    assert "| a | 30.0 | +10.0 | +20.0 | +1.0, +3.0 | +0.5, +1.5 | +0.10 ± 0.63 |" in share_table(some)
    said = sentences(report)
    assert "Fewer labels than random order on 1 of 2 tasks; median ratio above 1 or never" in said
    assert "50.0 % of 6 intervals held the truth" in said


def wanted(folder: Path, seed: int) -> Wanted:
    return Wanted(folder, folder, folder, "a", seed, SIZE)


def test_a_run_goes_on_from_what_it_kept(tmp_path: Path) -> None:
    """Without Label Studio: nothing is left to do."""
    keep = tmp_path / "courses.jsonl"
    courses = [a_course("a", seed, 0.8, 0.01) for seed in (0, 1)]
    lines = [json.dumps({"name": name_of(wanted(tmp_path, one.seed))} | one.plain()) for one in courses]
    keep.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert run([wanted(tmp_path, seed) for seed in (0, 1)], 1, keep) == courses
    other = name_of(Wanted(tmp_path, tmp_path, tmp_path, "a", 0, replace(SIZE, texts=81)))
    assert other not in read(keep), "a corpus of another size is another course"


def test_a_task_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "data", train=20, test=5)
    assert proof_order.main(["--data", str(folder), "--task", "anger"]) == 2
    assert "holds no folder anger with labelled texts" in capsys.readouterr().err
