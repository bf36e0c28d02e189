"""Reward models: what they are fitted to, what they may not have seen, and what the weighting methods are for."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from harness.errors import HarnessError
from harness.opl.evaluation import BanditFeedback, DoublyRobust, fit_rewards
from tests.harness.opl.evaluation.bandits import logged_bandit

LOGGED = logged_bandit(0, n_rounds=300)
FEEDBACK = replace(LOGGED.feedback, position=None)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def pairs(feedback: BanditFeedback, action: np.ndarray) -> np.ndarray:
    assert feedback.context is not None
    return np.hstack([feedback.context, np.eye(feedback.n_actions)[action]])


def test_one_fold_is_the_model_by_hand() -> None:
    model = LogisticRegression().fit(pairs(FEEDBACK, FEEDBACK.action), FEEDBACK.reward)
    found = fit_rewards(FEEDBACK, LogisticRegression(), rng=rng())
    for action in range(5):
        by_hand = model.predict_proba(pairs(FEEDBACK, np.full(300, action)))[:, 1]
        assert found[:, action] == pytest.approx(by_hand, abs=1e-6)


def test_weights_are_the_importance_weights() -> None:
    features = np.random.default_rng(1).normal(size=(5, 2))
    assert FEEDBACK.context is not None
    logged = np.hstack([FEEDBACK.context, features[FEEDBACK.action]])
    weight = FEEDBACK.importance_weight(LOGGED.pi)
    for method, by_hand in (("iw", weight), ("mrdr", weight**2 * (1 - FEEDBACK.pscore))):
        model = Ridge().fit(logged, FEEDBACK.reward, sample_weight=by_hand)
        found = fit_rewards(
            FEEDBACK, Ridge(), action_features=features, method=method, action_dist=LOGGED.pi, rng=rng()
        )
        assert FEEDBACK.of_logged(found) == pytest.approx(model.predict(logged), abs=1e-10)


def test_a_model_has_not_seen_what_it_predicts() -> None:
    """A tree learns rewards by heart: its own round's by one fold, not by two."""
    unique = replace(FEEDBACK, context=np.random.default_rng(2).normal(size=(300, 2)))
    seen = fit_rewards(unique, DecisionTreeRegressor(random_state=0), rng=rng())
    unseen = fit_rewards(unique, DecisionTreeRegressor(random_state=0), n_folds=2, rng=rng())
    assert unique.of_logged(seen) == pytest.approx(unique.reward)
    assert np.abs(unique.of_logged(unseen) - unique.reward).mean() > 0.3


def test_leaving_one_out_equals_sklearns() -> None:
    log = replace(logged_bandit(0, n_rounds=60).feedback, position=None)
    found = fit_rewards(log, LinearRegression(), n_folds=60, rng=rng())
    by_hand = cross_val_predict(LinearRegression(), pairs(log, log.action), log.reward, cv=KFold(60))
    assert log.of_logged(found) == pytest.approx(by_hand, abs=1e-8)


def test_cross_fitting_keeps_the_doubly_robust_estimator_unbiased() -> None:
    """With a tree that knows by heart whatever it has seen."""
    errors = []
    for seed in range(150):
        logged = logged_bandit(seed, n_rounds=60)
        own = replace(logged.feedback, context=np.random.default_rng(seed).normal(size=(60, 3)))
        q_hat = fit_rewards(own, DecisionTreeRegressor(random_state=0), n_folds=3, rng=rng(seed))
        errors.append(DoublyRobust().estimate(own, logged.pi, q_hat) - logged.value)
    assert abs(np.mean(errors)) < 4 * np.std(errors, ddof=1) / math.sqrt(150)


def test_mrdr_owes_the_doubly_robust_estimator_least_variance() -> None:
    """A constant cannot fit two kinds of reward; for a deterministic policy mrdr chooses the best constant."""
    rewards, logging = np.array([0.9, 0.2]), np.array([0.05, 0.95])  # by context, the policy's action in each
    kind = np.tile([0, 1], 5_000)
    draw = np.random.default_rng(0)
    action = (draw.random(10_000) >= logging[kind]).astype(int)  # action 0 is the policy's
    reward = np.where(action == 0, rewards[kind], 0.5) + 0.1 * draw.normal(size=10_000)
    pscore = np.where(action == 0, logging[kind], 1 - logging[kind])
    log = BanditFeedback(reward, action, pscore, 2, context=np.zeros((10_000, 1)))
    pi = np.tile([1.0, 0.0], (10_000, 1))

    def spread(constant: float) -> float:
        return float(DoublyRobust().round_rewards(log, pi, np.full((10_000, 2), constant)).var())

    def constant(method: str) -> float:
        arguments = {} if method == "normal" else {"action_dist": pi}
        model = fit_rewards(log, LinearRegression(), method=method, rng=rng(), **arguments)
        return float(model[0, 0])

    best = min(np.linspace(0, 1, 101), key=spread)
    assert constant("mrdr") == pytest.approx(best, abs=0.02)
    assert spread(constant("mrdr")) < 0.5 * spread(constant("normal"))


def test_positions_are_seen_and_are_enough() -> None:
    position = np.random.default_rng(0).integers(3, size=300)
    log = replace(FEEDBACK, context=None, position=position, reward=position * 1.0)
    assert fit_rewards(log, LinearRegression(), rng=rng()) == pytest.approx(np.tile(position[:, None], 5))


def test_the_given_model_stays_unfitted() -> None:
    model = LinearRegression()
    fit_rewards(FEEDBACK, model, n_folds=3, rng=rng())
    assert not hasattr(model, "coef_")


class Mean:
    """Predicts the mean of all rewards; keeps nothing else."""

    def fit(self, features: np.ndarray, reward: np.ndarray) -> None:
        self.mean = reward.mean()

    def predict(self, features: np.ndarray) -> np.ndarray:
        return np.full(len(features), self.mean)


def test_memory_stays_flat_with_many_actions() -> None:
    """All pairs of rounds and one-hot actions at once would be 577 MB."""
    feedback = BanditFeedback(np.arange(200.0), np.arange(200), np.ones(200), 600, context=np.ones((200, 2)))
    tracemalloc.start()
    found = fit_rewards(feedback, Mean(), rng=rng())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == pytest.approx(np.full((200, 600), 99.5))
    assert peak < 110e6


def fits(feedback: BanditFeedback = FEEDBACK, model: object = None, **more: object) -> Callable[[], object]:
    return lambda: fit_rewards(feedback, model or LinearRegression(), rng=rng(), **more)  # type: ignore[arg-type]


NEVER = np.tile([0.0, 0, 0, 0, 1], (300, 1))
WITHOUT = replace(FEEDBACK, action=np.zeros(300, int), logging_dist=None)
CASES: list[tuple[Callable[[], object], str]] = [
    (fits(n_folds=301), "n_folds: is 301, but must be in 1..300, the number of rounds"),
    (fits(n_folds=0), "n_folds: is 0"),
    (fits(n_folds=2.0), "n_folds: is 2.0, but must be a whole number of at least 1"),
    (fits(replace(FEEDBACK, context=None)), "feedback: has no context, which a model needs"),
    (fits(method="best"), "method: 'best' is not known; choose one of normal, iw, mrdr"),
    (fits(method="iw"), "action_dist: goes with the methods iw and mrdr"),
    (fits(action_dist=LOGGED.pi), "action_dist: goes with the methods iw and mrdr"),
    (fits(method="iw", action_dist=LOGGED.pi[:2]), r"action_dist: has shape \(2, 5\)"),
    (fits(WITHOUT, method="iw", action_dist=NEVER), "action_dist: gives every logged action of a fold weight 0"),
    (
        fits(model=KNeighborsRegressor(), method="mrdr", action_dist=LOGGED.pi),
        "KNeighborsRegressor.fit takes no sample",
    ),
    (fits(action_features=np.zeros((4, 2))), r"action_features: has shape \(4, 2\), but \(n_actions, dim_action\)"),
    (
        fits(replace(FEEDBACK, reward=FEEDBACK.reward / 2), LogisticRegression()),
        r"LogisticRegression is a classifier, but reward \[\d+\] = 0.5 is neither 0 nor 1",
    ),
    (fits(replace(FEEDBACK, reward=np.ones(300)), LogisticRegression()), "would see the label 1 alone in a fold"),
]


@pytest.mark.parametrize(("act", "message"), CASES, ids=[message[:30] for _, message in CASES])
def test_is_refused(act: Callable[[], object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        act()
