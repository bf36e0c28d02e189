"""Every estimator beside plain loops over rounds and actions, and the identities that tie them to each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.opl.evaluation import (
    BalancedInverseProbabilityWeighting,
    DirectMethod,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    InverseProbabilityWeighting,
    MarginalizedInverseProbabilityWeighting,
    OffCEM,
    OffPolicyEstimator,
    SelfNormalizedDoublyRobust,
    SelfNormalizedInverseProbabilityWeighting,
    SubGaussianDoublyRobust,
    SubGaussianInverseProbabilityWeighting,
    SwitchDoublyRobust,
)
from tests.harness.opl.evaluation.bandits import Logged, logged_bandit

CLUSTERS = np.array([4, 0, 4, 2, 0])
SEEDS = st.integers(0, 10**6)


def weights(logged: Logged, change: Callable[[float], float] = float) -> list[float]:
    f = logged.feedback
    return [change(logged.pi[i][int(f.action[i])] / f.pscore[i]) for i in range(f.n_rounds)]


def modelled(logged: Logged) -> list[float]:
    return [
        sum(logged.pi[i][a] * logged.q_hat[i][a] for a in range(logged.feedback.n_actions))
        for i in range(logged.feedback.n_rounds)
    ]


def residuals(logged: Logged) -> list[float]:
    f = logged.feedback
    return [f.reward[i] - logged.q_hat[i][int(f.action[i])] for i in range(f.n_rounds)]


def weighted(logged: Logged, w: list[float]) -> float:
    return sum(w[i] * logged.feedback.reward[i] for i in range(len(w))) / len(w)


def robust(logged: Logged, w: list[float]) -> float:
    parts = zip(modelled(logged), w, residuals(logged), strict=True)
    return sum(dm + weight * residual for dm, weight, residual in parts) / len(w)


def cluster_weights(logged: Logged) -> list[float]:
    f, out = logged.feedback, []
    assert f.logging_dist is not None
    for i in range(f.n_rounds):
        members = [a for a in range(f.n_actions) if CLUSTERS[a] == CLUSTERS[int(f.action[i])]]
        out.append(sum(logged.pi[i][a] for a in members) / sum(f.logging_dist[i][a] for a in members))
    return out


def balanced_weights(logged: Logged) -> list[float]:
    f, out = logged.feedback, []
    assert f.position is not None
    for i in range(f.n_rounds):
        same = [j for j in range(f.n_rounds) if f.position[j] == f.position[i]]
        count = sum(1 for j in same if f.action[j] == f.action[i])
        out.append(sum(logged.pi[j][int(f.action[i])] for j in same) / count)
    return out


def snips(logged: Logged) -> float:
    w = weights(logged)
    return sum(a * b for a, b in zip(w, logged.feedback.reward, strict=True)) / sum(w)


def sndr(logged: Logged) -> float:
    w = weights(logged)
    correction = sum(a * b for a, b in zip(w, residuals(logged), strict=True)) / sum(w)
    return sum(modelled(logged)) / len(w) + correction


ORACLES: list[tuple[OffPolicyEstimator, Callable[[Logged], float]]] = [
    (DirectMethod(), lambda x: sum(modelled(x)) / x.feedback.n_rounds),
    (InverseProbabilityWeighting(), lambda x: weighted(x, weights(x))),
    (InverseProbabilityWeighting(lambda_=1.3), lambda x: weighted(x, weights(x, lambda w: w if w < 1.3 else 1.3))),
    (SelfNormalizedInverseProbabilityWeighting(), snips),
    (DoublyRobust(), lambda x: robust(x, weights(x))),
    (DoublyRobust(lambda_=0.8), lambda x: robust(x, weights(x, lambda w: w if w < 0.8 else 0.8))),
    (SelfNormalizedDoublyRobust(), sndr),
    (SwitchDoublyRobust(tau=1.1), lambda x: robust(x, weights(x, lambda w: w if w <= 1.1 else 0.0))),
    (DoublyRobustWithShrinkage(lambda_=2.5), lambda x: robust(x, weights(x, lambda w: 2.5 / (w**2 + 2.5) * w))),
    (SubGaussianInverseProbabilityWeighting(0.4), lambda x: weighted(x, weights(x, lambda w: w / (0.6 + 0.4 * w)))),
    (SubGaussianDoublyRobust(0.4), lambda x: robust(x, weights(x, lambda w: w / (0.6 + 0.4 * w)))),
    (BalancedInverseProbabilityWeighting(), lambda x: weighted(x, balanced_weights(x))),
    (MarginalizedInverseProbabilityWeighting(CLUSTERS), lambda x: weighted(x, cluster_weights(x))),
    (OffCEM(CLUSTERS), lambda x: robust(x, cluster_weights(x))),
]


@pytest.mark.parametrize(("estimator", "oracle"), ORACLES, ids=lambda case: getattr(case, "name", ""))
@pytest.mark.parametrize("seed", range(5))
def test_equals_plain_loops(estimator: OffPolicyEstimator, oracle: Callable[[Logged], float], seed: int) -> None:
    logged = logged_bandit(seed, sharpness=2.0, world=seed)
    rounds = estimator.round_rewards(logged.feedback, logged.pi, logged.q_hat)
    assert rounds.shape == (logged.feedback.n_rounds,)
    assert math.fsum(rounds) / len(rounds) == pytest.approx(oracle(logged), rel=0, abs=1e-12)
    assert estimator.estimate(logged.feedback, logged.pi, logged.q_hat) == pytest.approx(oracle(logged), abs=1e-12)


def test_embeddings_drawn_given_the_action_equal_plain_loops() -> None:
    logged, rng = logged_bandit(4), np.random.default_rng(0)
    f = logged.feedback
    assert f.logging_dist is not None
    given_action = rng.dirichlet(np.ones(3), size=f.n_actions)
    seen = rng.integers(3, size=f.n_rounds)
    total = 0.0
    for i in range(f.n_rounds):
        above = sum(logged.pi[i][a] * given_action[a][seen[i]] for a in range(f.n_actions))
        below = sum(f.logging_dist[i][a] * given_action[a][seen[i]] for a in range(f.n_actions))
        total += above / below * f.reward[i]
    mips = MarginalizedInverseProbabilityWeighting(embedding_probability=given_action, embedding=seen)
    assert mips.estimate(f, logged.pi) == pytest.approx(total / f.n_rounds, abs=1e-12)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_logging_policy_earns_what_was_logged(seed: int) -> None:
    f = logged_bandit(seed).feedback
    assert f.logging_dist is not None
    for estimator in (
        InverseProbabilityWeighting(),
        SelfNormalizedInverseProbabilityWeighting(),
        SubGaussianInverseProbabilityWeighting(0.5),
        MarginalizedInverseProbabilityWeighting(CLUSTERS),
    ):
        assert estimator.estimate(f, f.logging_dist) == pytest.approx(f.reward.mean(), abs=1e-12)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_doubly_robust_lies_between_its_parents(seed: int) -> None:
    logged = logged_bandit(seed)
    f, pi = logged.feedback, logged.pi
    ips = InverseProbabilityWeighting().round_rewards(f, pi)
    assert DoublyRobust().round_rewards(f, pi, np.zeros_like(pi)) == pytest.approx(ips, abs=1e-12)
    exact = np.where(np.arange(f.n_actions) == f.action[:, None], f.reward[:, None], logged.q_hat)
    dm = DirectMethod().round_rewards(f, pi, exact)
    for estimator in (DoublyRobust(), DoublyRobust(2.0), SelfNormalizedDoublyRobust(), OffCEM(CLUSTERS)):
        assert estimator.round_rewards(f, pi, exact) == pytest.approx(dm, abs=1e-12)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_hyper_parameters_end_in_the_known_estimators(seed: int) -> None:
    logged = logged_bandit(seed)
    arguments = (logged.feedback, logged.pi, logged.q_hat)
    dm, dr = DirectMethod().round_rewards(*arguments), DoublyRobust().round_rewards(*arguments)
    ips = InverseProbabilityWeighting().round_rewards(*arguments)
    for estimator, same in (
        (SwitchDoublyRobust(0), dm),
        (SwitchDoublyRobust(), dr),
        (DoublyRobustWithShrinkage(0), dm),
        (DoublyRobustWithShrinkage(), dr),
        (DoublyRobustWithShrinkage(1e18), dr),
        (SubGaussianDoublyRobust(0), dr),
        (SubGaussianInverseProbabilityWeighting(0), ips),
        (MarginalizedInverseProbabilityWeighting(np.arange(5)), ips),
        (OffCEM(np.arange(5)), dr),
    ):
        assert estimator.round_rewards(*arguments) == pytest.approx(same, abs=1e-9)


@given(SEEDS, st.floats(-100, 100))
@settings(max_examples=30, deadline=None)
def test_self_normalised_shifts_with_the_rewards(seed: int, shift: float) -> None:
    logged = logged_bandit(seed)
    snips = SelfNormalizedInverseProbabilityWeighting()
    moved = replace(logged.feedback, reward=logged.feedback.reward + shift)
    before, after = snips.estimate(logged.feedback, logged.pi), snips.estimate(moved, logged.pi)
    assert after - shift == pytest.approx(before, abs=1e-10)
    constant = replace(logged.feedback, reward=np.full(logged.feedback.n_rounds, shift))
    assert snips.round_rewards(constant, logged.pi) == pytest.approx(shift, abs=1e-10)


@given(SEEDS, st.floats(0.1, 1.0))
@settings(max_examples=30, deadline=None)
def test_weights_keep_their_bounds(seed: int, lambda_: float) -> None:
    logged = logged_bandit(seed, sharpness=3.0)
    for estimator, bound in (
        (InverseProbabilityWeighting(lambda_), lambda_),
        (SubGaussianInverseProbabilityWeighting(lambda_), 1 / lambda_),
        (DoublyRobustWithShrinkage(lambda_), math.sqrt(lambda_) / 2),
    ):
        weight = estimator.weight(logged.feedback, logged.pi)
        assert weight is not None and weight.min() >= 0 and weight.max() <= bound * (1 + 1e-12)


def test_sub_gaussian_weights_of_impossible_actions_are_zero() -> None:
    f = logged_bandit(0).feedback
    pi = np.zeros((f.n_rounds, 5))
    pi[:, 0] = 1.0
    weight = SubGaussianInverseProbabilityWeighting(1.0).weight(f, pi)
    assert weight.tolist() == (f.action == 0).astype(float).tolist()


def test_balanced_weights_need_no_propensities() -> None:
    logged = logged_bandit(2, n_rounds=4000)
    assert logged.feedback.context is not None
    f = replace(logged.feedback, pscore=np.full(4000, 0.5), logging_dist=None)
    balanced = BalancedInverseProbabilityWeighting(strata=logged.feedback.context.argmax(axis=1))
    assert balanced.estimate(f, logged.pi) == pytest.approx(logged.value, abs=0.05)
