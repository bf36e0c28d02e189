"""Estimated propensities, their temperature and their calibration error, beside scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from harness.errors import HarnessError
from harness.opl.evaluation import (
    estimate_propensities,
    expected_calibration_error,
    fit_temperature,
    with_temperature,
)
from harness.opl.evaluation.folds import fitting_folds
from tests.harness.opl.evaluation.bandits import softmax


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def logged(n_rounds: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contexts, a softmax policy that is linear in them, and its actions."""
    draw = rng(seed)
    context = draw.normal(size=(n_rounds, 2))
    policy = softmax(context @ draw.normal(size=(2, 4)))
    return context, policy, (draw.random((n_rounds, 1)) >= policy.cumsum(axis=1)[:, :-1]).sum(axis=1)


def test_one_fold_is_the_classifier_by_hand() -> None:
    context, _, action = logged(300)
    found = estimate_propensities(context, action, 4, LogisticRegression(), n_folds=1, rng=rng())
    assert found == pytest.approx(LogisticRegression().fit(context, action).predict_proba(context))


def test_comes_near_the_policy_that_logged() -> None:
    context, policy, action = logged(20_000)
    found = estimate_propensities(context, action, 4, LogisticRegression(C=1e6), n_folds=3, rng=rng())
    assert np.abs(found - policy).mean() < 0.01
    assert found.sum(axis=1) == pytest.approx(1)


def test_actions_that_were_never_logged_have_their_column() -> None:
    context, _, action = logged(300)
    gaps = np.array([1, 3, 4, 6])
    found = estimate_propensities(context, gaps[action], 8, LogisticRegression(), n_folds=2, rng=rng())
    assert (found[:, [0, 2, 5, 7]] == 0).all() and (found[:, gaps] > 0).all()


def test_folds_are_even_within_strata_and_apart() -> None:
    strata = np.repeat([0, 1, 2], [50, 7, 3])
    folds = list(fitting_folds(60, 3, rng(), strata))
    assert sorted(np.concatenate([unseen for _, unseen in folds]).tolist()) == list(range(60))
    for seen, unseen in folds:
        assert sorted([*seen, *unseen]) == list(range(60)) and len(unseen) == 20
        counts = np.bincount(strata[unseen], minlength=3)
        assert counts[0] in (16, 17) and counts[1] in (2, 3) and counts[2] == 1


@given(st.integers(0, 10**6), st.floats(0.2, 5))
@settings(max_examples=15, deadline=None)
def test_temperature_is_the_most_likely(seed: int, bold: float) -> None:
    draw = rng(seed)
    scores = draw.normal(size=(400, 3))
    policy = softmax(scores)
    action = (draw.random((400, 1)) >= policy.cumsum(axis=1)[:, :-1]).sum(axis=1)
    table = softmax(bold * scores)
    found = fit_temperature(table, action)

    def loss(log_temperature: float) -> float:
        return float(log_loss(action, with_temperature(table, math.exp(log_temperature)), labels=range(3)))

    best = minimize_scalar(loss, bounds=(-3, 4), method="bounded", options={"xatol": 1e-6})
    assert math.log(found) == pytest.approx(best.x, abs=1e-4)
    assert found == pytest.approx(bold, rel=0.5)


def test_temperature_equals_sklearns() -> None:
    features, label = load_digits(return_X_y=True)
    bayes = GaussianNB(var_smoothing=1e-2).fit(features[:900], label[:900])
    table = bayes.predict_proba(features[900:])
    theirs = CalibratedClassifierCV(FrozenEstimator(bayes), method="temperature").fit(features[900:], label[900:])
    raised = table + 1e-12  # as theirs are
    raised /= raised.sum(axis=1, keepdims=True)
    temperature = fit_temperature(raised, label[900:])
    assert temperature > 1.5  # naive Bayes is too bold
    calibrated = with_temperature(raised, temperature)
    assert calibrated == pytest.approx(theirs.predict_proba(features[900:]), abs=1e-5)
    happened = np.eye(10)[label[900:]]
    assert expected_calibration_error(calibrated, happened) < expected_calibration_error(table, happened)


def test_temperature_at_its_ends() -> None:
    even = np.array([[0.6, 0.4], [0.4, 0.6]])
    assert fit_temperature(even, np.array([1, 0])) == math.inf  # always the less probable one: uniform is best
    assert with_temperature(np.array([[0.6, 0.4, 0.0]]), math.inf).tolist() == [[0.5, 0.5, 0.0]]
    assert with_temperature(even, 1.0) == pytest.approx(even)
    assert with_temperature(np.array([[1e-300, 1.0]]), 1e-3).tolist() == [[0.0, 1.0]]
    with pytest.raises(HarnessError, match="each round's action is its most probable one"):
        fit_temperature(even, np.array([0, 1]))


@given(st.integers(0, 10**6), st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_calibration_error_equals_sklearns_curve(seed: int, n_bins: int) -> None:
    draw = rng(seed)
    said = draw.random(500)
    happened = (draw.random(500) < said**2).astype(float)
    seen, mean = calibration_curve(happened, said, n_bins=n_bins, strategy="quantile")
    sizes = np.bincount(np.searchsorted(np.quantile(said, np.linspace(0, 1, n_bins + 1))[1:-1], said))
    expected = np.dot(sizes, np.abs(seen - mean)) / 500
    assert expected_calibration_error(said, happened, n_bins) == pytest.approx(expected)


def test_calibration_error_by_hand() -> None:
    assert expected_calibration_error([0.5] * 4, [0, 1, 0, 1]) == 0  # equal ones share a bin
    assert expected_calibration_error([[0.2, 0.8]], [[1, 0]], n_bins=2) == pytest.approx(0.8)
    assert expected_calibration_error([0.2, 0.8], [1, 0], n_bins=1) == 0


CONTEXT, _, ACTION = logged(40)
CASES: list[tuple[Callable[[], object], str]] = [
    (
        lambda: estimate_propensities(CONTEXT, np.r_[9, ACTION[1:]], 10, LogisticRegression(), n_folds=2, rng=rng()),
        "classifier: gives action 9, logged in round 0 and 0 others, probability 0",
    ),
    (
        lambda: estimate_propensities(CONTEXT, ACTION, 4, DecisionTreeClassifier(random_state=0), n_folds=2, rng=rng()),
        r"classifier: gives action \d, logged in round \d+ and \d+ others, probability 0; give fewer folds, a smoother",
    ),
    (
        lambda: estimate_propensities(CONTEXT, ACTION, 4, LogisticRegression(), n_folds=41, rng=rng()),
        "n_folds: is 41, but must be in 1..40",
    ),
    (
        lambda: estimate_propensities(CONTEXT, 0 * ACTION, 4, LogisticRegression(), n_folds=2, rng=rng()),
        "would see the label 0 alone",
    ),
    (
        lambda: estimate_propensities(CONTEXT, ACTION, 4, LinearSVC(), n_folds=2, rng=rng()),
        "classifier: LinearSVC has no predict_proba; give one that tells probabilities",
    ),
    (
        lambda: estimate_propensities(CONTEXT[:3], ACTION, 4, LogisticRegression(), n_folds=2, rng=rng()),
        r"context: has shape \(3, 2\), but \(n_rounds, dim_context\) is \(40, 2\)",
    ),
    (
        lambda: estimate_propensities(CONTEXT, ACTION, 2, LogisticRegression(), n_folds=2, rng=rng()),
        "action: .* is out of range; numbers must be in 0..1",
    ),
    (lambda: fit_temperature(np.array([[1.0, 0.0]]), np.array([1])), "gives the action of round 0 probability 0"),
    (lambda: fit_temperature(np.zeros((0, 2)), np.zeros(0, int)), r"action_dist: has shape \(0, 2\), but must be"),
    (lambda: with_temperature(np.full((1, 2), 0.5), 0), r"temperature: is 0, but must be in \(0, inf\]"),
    (lambda: expected_calibration_error([0.5, 1.5], [0, 1]), r"give numbers in \[0, 1\]"),
    (lambda: expected_calibration_error([0.5], [0.5]), "what came of each, 0 or 1"),
    (lambda: expected_calibration_error([], []), r"give numbers in \[0, 1\]"),
    (lambda: expected_calibration_error([0.5], [1, 0]), r"happened: has shape \(2,\), but that of probability"),
    (lambda: expected_calibration_error([0.5], [1], 0), "n_bins: is 0"),
]


@pytest.mark.parametrize(("act", "message"), CASES, ids=[message[:30] for _, message in CASES])
def test_is_refused(act: Callable[[], object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        act()
