"""Weights from a classifier: against those of the policies, of counts, and of what it may not have seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.tree import DecisionTreeClassifier

from harness.errors import HarnessError
from harness.opl.evaluation import (
    BalancedInverseProbabilityWeighting,
    ClassifierBalancedInverseProbabilityWeighting,
)
from tests.harness.opl.evaluation.bandits import logged_bandit

LOGGED = logged_bandit(1, n_rounds=6000)
WITHOUT_POSITION = replace(LOGGED.feedback, position=None)
SATURATED = make_pipeline(PolynomialFeatures(2, interaction_only=True), LogisticRegression(C=100.0, max_iter=2000))


def test_a_saturated_classifier_comes_near_the_true_weights() -> None:
    """It sees no propensity: these are one half."""
    blind = replace(WITHOUT_POSITION, pscore=np.full(6000, 0.5), logging_dist=None)
    balanced = ClassifierBalancedInverseProbabilityWeighting(SATURATED)
    weight = balanced.weight(blind, LOGGED.pi)
    assert np.abs(weight - LOGGED.feedback.importance_weight(LOGGED.pi)).mean() < 0.12
    assert balanced.estimate(blind, LOGGED.pi) == pytest.approx(LOGGED.value, abs=0.03)


def test_is_near_the_saturated_counts() -> None:
    assert WITHOUT_POSITION.context is not None
    counted = BalancedInverseProbabilityWeighting(strata=WITHOUT_POSITION.context.argmax(axis=1))
    odds = ClassifierBalancedInverseProbabilityWeighting(SATURATED, n_folds=5)
    assert odds.estimate(WITHOUT_POSITION, LOGGED.pi) == pytest.approx(
        counted.estimate(WITHOUT_POSITION, LOGGED.pi), abs=0.03
    )


def test_weights_are_the_same_for_the_same_seed_and_leave_the_classifier_alone() -> None:
    model = LogisticRegression()
    balanced = ClassifierBalancedInverseProbabilityWeighting(model, seed=3)
    first = balanced.weight(WITHOUT_POSITION, LOGGED.pi)
    assert first.tolist() == balanced.weight(WITHOUT_POSITION, LOGGED.pi).tolist()
    assert first.tolist() != replace(balanced, seed=4).weight(WITHOUT_POSITION, LOGGED.pi).tolist()
    assert not hasattr(model, "coef_")


class Memory:
    """Finds what it has seen in a log improbable to come from the policy, and all else as probable as not."""

    classes_ = (0, 1)

    def fit(self, features: np.ndarray, label: np.ndarray) -> None:
        self.seen = {tuple(row) for row in features[label == 0]}

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        p = np.array([0.2 if tuple(row) in self.seen else 0.5 for row in features])
        return np.stack([1 - p, p], axis=1)


def test_a_round_is_weighed_by_a_model_that_has_not_seen_it() -> None:
    own = replace(WITHOUT_POSITION, context=np.random.default_rng(0).normal(size=(6000, 2)))
    by_heart = ClassifierBalancedInverseProbabilityWeighting(Memory(), n_folds=1)
    assert by_heart.weight(own, LOGGED.pi) == pytest.approx(0.25)
    assert replace(by_heart, n_folds=3).weight(own, LOGGED.pi) == pytest.approx(1.0)


def test_actions_may_have_features() -> None:
    features = np.random.default_rng(0).normal(size=(5, 2))
    balanced = ClassifierBalancedInverseProbabilityWeighting(LogisticRegression(), action_features=features)
    assert balanced.weight(LOGGED.feedback, LOGGED.pi).mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("balanced", "change", "message"),
    [
        (ClassifierBalancedInverseProbabilityWeighting(LogisticRegression()), {"context": None}, "has no context"),
        (
            ClassifierBalancedInverseProbabilityWeighting(LogisticRegression(), n_folds=6001),
            {},
            "n_folds: is 6001, but must be in 1..6000",
        ),
        (
            ClassifierBalancedInverseProbabilityWeighting(LogisticRegression(), np.zeros((4, 1))),
            {},
            r"action_features: has shape \(4, 1\)",
        ),
        (
            ClassifierBalancedInverseProbabilityWeighting(DecisionTreeClassifier(random_state=0)),
            {"context": np.random.default_rng(0).normal(size=(6000, 1))},
            r"classifier: is certain that round \d+ came from the policy",
        ),
    ],
)
def test_is_refused(
    balanced: ClassifierBalancedInverseProbabilityWeighting, change: dict[str, object], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        balanced.estimate(replace(WITHOUT_POSITION, **change), LOGGED.pi)
