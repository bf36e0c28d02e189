from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from tasks.api import TaskError
from tasks.opl.quality import calibration, calibration_error, log_loss, measure, popularity, roc_auc
from tasks.opl.tables import Interactions

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=80).filter(
    lambda pairs: len({label for label, _ in pairs}) == 2
)


@given(PAIRS)
def test_auc_equals_scikit_learns_with_ties(pairs: list[tuple[int, int]]) -> None:
    label, score = np.array([p[0] for p in pairs]), np.array([p[1] / 20 for p in pairs])
    assert roc_auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)


@given(PAIRS)
def test_log_loss_equals_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    label, score = np.array([p[0] for p in pairs]), np.clip([p[1] / 20 for p in pairs], 1e-7, 1 - 1e-7)
    assert log_loss(label, score) == pytest.approx(sklearn_log_loss(label, score), rel=1e-9)


def test_auc_of_perfect_reversed_and_constant_scores() -> None:
    label = np.array([0, 0, 1, 1])
    assert [roc_auc(label, s) for s in (label * 1.0, -label * 1.0, np.zeros(4))] == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("label", [[0, 0], [1, 1, 1]])
def test_auc_needs_both_kinds(label: list[int]) -> None:
    with pytest.raises(TaskError, match="needs both"):
        roc_auc(np.array(label), np.ones(len(label)))


def test_calibration_bins_hold_every_row_once_and_one_belongs_to_the_last() -> None:
    label, probability = np.array([0, 1, 1, 1, 0]), np.array([0.0, 0.05, 1.0, 0.95, 0.3])
    bins = calibration(label, probability)
    assert [b["count"] for b in bins] == [2, 0, 0, 1, 0, 0, 0, 0, 0, 2]
    assert bins[0]["positive_share"] == 0.5
    assert bins[9]["mean_probability"] == pytest.approx(0.975)
    assert bins[1]["mean_probability"] is None
    assert calibration_error(bins) == pytest.approx((2 * abs(0.025 - 0.5) + 0.3 + 2 * 0.025) / 5)


def test_a_calibrated_forecast_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(20_000)
    found = measure((rng.random(20_000) < probability).astype(int), probability)
    assert float(str(found["calibration_error"])) < 0.015
    assert float(str(found["mse"])) == pytest.approx(1 / 6, abs=0.01)


def test_popularity_ranks_by_means_and_shrinks_the_unseen_to_the_mean() -> None:
    train = Interactions(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0]))
    test = Interactions(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1, 0, 1]))
    liked, disliked, unseen = popularity(train, test, 2, 3)
    assert liked > unseen > disliked
    assert unseen == pytest.approx(0.5)
