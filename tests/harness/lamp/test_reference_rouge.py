"""The emulated bootstrap median, held to the aggregator of rouge_score."""

from __future__ import annotations

import numpy as np
import pytest
from rouge_score.scoring import BootstrapAggregator, Score

from harness.errors import HarnessError
from harness.lamp import reference_rouge as module
from harness.lamp.reference_rouge import reference_rouge


def by_rouge_score(rouge1: np.ndarray, rougeL: np.ndarray, seed: int) -> tuple[float, float]:
    np.random.seed(seed)
    aggregator = BootstrapAggregator()
    for values in zip(rouge1, rougeL, strict=True):
        one, longest = (Score(0.5, 0.5, value) for value in values)
        aggregator.add_scores({"rouge1": one, "rouge2": Score(0, 0, 0), "rougeL": longest, "rougeLsum": longest})
    found = aggregator.aggregate()
    return found["rouge1"].mid.fmeasure, found["rougeL"].mid.fmeasure


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (2, 1), (3, 4), (17, 2**32 - 1), (128, 7), (1000, 42)])
def test_equals_the_aggregator(n: int, seed: int) -> None:
    rouge1, rougeL = np.random.default_rng(n).random((2, n))
    assert reference_rouge(rouge1, rougeL, seed) == by_rouge_score(rouge1, rougeL, seed)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rouge1, rougeL = np.random.default_rng(0).random((2, 300))
    whole = reference_rouge(rouge1, rougeL, 5)
    monkeypatch.setattr(module, "_BLOCK_DRAWS", 1000)
    assert reference_rouge(rouge1, rougeL, 5) == whole
    monkeypatch.setattr(module, "_BLOCK_DRAWS", 1)
    assert reference_rouge(rouge1, rougeL, 5) == whole


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_numpy_does_not_take(seed: int) -> None:
    with pytest.raises(HarnessError, match="seed"):
        reference_rouge(np.ones(2), np.ones(2), seed)


def test_columns_empty_or_unequal() -> None:
    for rouge1, rougeL in ((np.ones(0), np.ones(0)), (np.ones(2), np.ones(3))):
        with pytest.raises(HarnessError, match="as many of each"):
            reference_rouge(rouge1, rougeL, 0)
