from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.image import imread

from backend.learning.cards import Kept
from backend.learning.curve import Curve, curve
from backend.learning.estimate import Estimate
from backend.reports.plot import plot
from tests.backend.learning.cards import learned

SVG = "{http://www.w3.org/2000/svg}"


def made(*labels: int, served: int = 1) -> Curve:
    runs = [Kept(learned(n, texts), n == served) for n, texts in enumerate(labels, 1)]
    return curve("posts", runs)


def drawn(path: Path) -> tuple[dict[str, list[float]], list[str]]:
    """Group of points -> their places from left to right; and all words of the picture."""
    root = ElementTree.parse(path).getroot()
    points = {
        group.attrib["id"]: [float(one.attrib["x"]) for one in group.iter(f"{SVG}use")]
        for group in root.iter(f"{SVG}g")
        if group.attrib.get("id", "").startswith("humor-")
    }
    return points, [text.text or "" for text in root.iter(f"{SVG}text")]


def test_every_run_is_a_point_filled_where_it_was_served(tmp_path: Path) -> None:
    plot(made(40, 90, 200, served=2), tmp_path / "curve.svg")
    points, _ = drawn(tmp_path / "curve.svg")
    assert {name: len(places) for name, places in points.items()} == {
        "humor-served": 1,
        "humor-not-served": 2,
        "humor-tfidf": 3,
        "humor-zero-shot": 3,
        "humor-a-coder,-by-the-others": 3,
    }
    (left, right), (middle,) = points["humor-not-served"], points["humor-served"]
    assert (middle - left) / (right - left) == pytest.approx(50 / 160, abs=1e-3)


def test_axes_say_what_they_count_and_how_many_texts(tmp_path: Path) -> None:
    plot(made(40, 90), tmp_path / "curve.svg")
    _, words = drawn(tmp_path / "curve.svg")
    told = " ".join(words)
    assert "labels used (texts)" in told and "macro F1 in points" in told and "n = 40" in told
    assert {"challenger, served", "challenger, not served", "zero-shot", "bars: 95 % intervals"} <= set(words)


def test_a_wide_range_of_labels_is_logarithmic(tmp_path: Path) -> None:
    plot(made(10, 100, 1000, served=0), tmp_path / "curve.svg")
    left, middle, right = drawn(tmp_path / "curve.svg")[0]["humor-not-served"]
    assert middle - left == pytest.approx(right - middle, rel=1e-3)


def test_what_has_no_figure_is_no_point(tmp_path: Path) -> None:
    found = made(40, 90)
    line = found.lines[0]
    none = dict.fromkeys(line.points[0].scores, Estimate(4, missing="too few: 4 of at least 10 texts"))
    bare = replace(line, points=(replace(line.points[0], scores=none), *line.points[1:]))
    plot(replace(found, lines=(bare,)), tmp_path / "curve.svg")
    points, _ = drawn(tmp_path / "curve.svg")
    assert len(points["humor-tfidf"]) == 1 and "humor-served" not in points


def test_one_run_and_many_questions_can_be_drawn(tmp_path: Path) -> None:
    one = made(40)
    plot(replace(one, lines=one.lines * 3), tmp_path / "curve.png")
    height, width, _ = imread(tmp_path / "curve.png").shape
    assert height > width > 1000


def test_equal_curves_give_equal_files(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        plot(made(40, 90), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_words_with_signs_of_formulas_are_words(tmp_path: Path) -> None:
    found = made(40)
    plot(replace(found, project="a$b$c_d"), tmp_path / "curve.svg")
    assert "a$b$c_d: humor" in drawn(tmp_path / "curve.svg")[1]
