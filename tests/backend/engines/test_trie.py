from __future__ import annotations

import numpy as np
import pytest

from backend.engines.protocol import EngineError
from backend.engines.trie import ROOT, build

END = 0
ANSWERS = [(1, END), (1, 2, 3, END), (1, 2, 4, END), (5, END)]


def test_every_inner_node_is_fed_and_read_for_whole_labels() -> None:
    trie = build(ANSWERS)
    assert trie.tokens == (1, 5, 2, 3, 4)
    assert trie.parents == (ROOT, ROOT, 0, 2, 2)
    assert trie.depths == (1, 1, 2, 3, 3)
    assert sorted(trie.reads) == [ROOT, 0, 1, 2, 3, 4]
    assert dict(zip(trie.reads, trie.children, strict=True))[0] == (END, 2)


def test_only_branching_nodes_are_read_for_choices() -> None:
    trie = build(ANSWERS, "choice")
    assert trie.tokens == (1, 2)
    assert trie.parents == (ROOT, 0)
    assert set(trie.reads) == {ROOT, 0, 1}
    assert set(trie.children) == {(1, 5), (END, 2), (3, 4)}


def test_a_node_sees_its_ancestors() -> None:
    assert build(ANSWERS).visible().tolist() == [
        [True, False, False, False, False],
        [False, True, False, False, False],
        [True, False, True, False, False],
        [True, False, True, True, False],
        [True, False, True, False, True],
    ]


@pytest.mark.parametrize("method", ["label", "choice"])
def test_scores_are_what_the_method_says(method: str) -> None:
    trie = build(ANSWERS, method)  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    edges = -rng.exponential(size=(7, len(trie.edges)))
    scores = trie.scores(edges)
    at = {(trie.reads[read], token): edges[:, n] for n, (read, token) in enumerate(trie.edges)}
    node = {(): ROOT} | {(1,): 0, (5,): 1, (1, 2): 2, (1, 2, 3): 3, (1, 2, 4): 4}
    if method == "choice":
        node = {(): ROOT, (1,): 0, (1, 2): 1}
    expected = []
    for answer in ANSWERS:
        total = np.zeros(7)
        for place, token in enumerate(answer):
            path = answer[:place]
            if path not in node:
                continue
            value = at[node[path], token]
            if method == "choice":
                beside = [v for (where, _), v in at.items() if where == node[path]]
                value = value - np.logaddexp.reduce(beside)
            total += value
        expected.append(total)
    wanted = np.stack(expected, axis=1)
    if method == "choice":
        np.testing.assert_allclose(np.exp(wanted).sum(axis=1), 1)
    wanted -= np.logaddexp.reduce(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(scores, wanted, atol=1e-12)


def test_two_equal_answers_are_refused() -> None:
    with pytest.raises(EngineError, match="Two labels have the same word"):
        build([(1, END), (2, END), (1, END)])
