"""Bandits from multi-class data, whose every policy has a known value; and the replay method on uniform logs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from harness.errors import HarnessError
from harness.opl.evaluation import (
    BanditFeedback,
    DoublyRobust,
    InverseProbabilityWeighting,
    MulticlassBandit,
    Replay,
    SelfNormalizedInverseProbabilityWeighting,
    fit_rewards,
    multiclass_to_bandit,
)

PIXELS, LABEL = load_digits(return_X_y=True)
FEATURES = PIXELS / 16
NAMES = np.array(list("abcdefghij"))[LABEL]


def digits(seed: int = 0, alpha_b: float = 0.6) -> MulticlassBandit:
    rng = np.random.default_rng(seed)
    return multiclass_to_bandit(FEATURES, NAMES, GaussianNB(), alpha_b=alpha_b, rng=rng)


def test_logs_a_softened_classifier() -> None:
    bandit = digits()
    f = bandit.feedback
    assert f.context is not None and f.logging_dist is not None and f.expected_reward is not None
    assert (f.n_rounds, f.n_actions, len(bandit.label)) == (898, 10, 899)
    assert bandit.classes == tuple("abcdefghij")
    chosen = GaussianNB().fit(bandit.features, bandit.label).predict(f.context)
    assert f.logging_dist.argmax(axis=1).tolist() == chosen.tolist()
    assert sorted(set(f.pscore.round(12).tolist())) == pytest.approx([0.04, 0.64])
    assert f.reward == pytest.approx(f.of_logged(f.expected_reward))
    known = {tuple(row): label for row, label in zip(FEATURES, LABEL, strict=True)}
    right = [known[tuple(row)] for row in f.context]
    assert f.expected_reward.tolist() == np.eye(10)[right].tolist()
    accuracy = (chosen == right).mean()
    assert f.policy_value(f.logging_dist) == pytest.approx(0.6 * accuracy + 0.04)


def test_actions_come_from_the_logging_policy() -> None:
    greedy, n = 0, 0
    for seed in range(5):
        f = digits(seed).feedback
        assert f.logging_dist is not None
        greedy, n = greedy + int((f.pscore > 0.5).sum()), n + f.n_rounds
    assert abs(greedy / n - 0.64) < 4 * math.sqrt(0.64 * 0.36 / n)


def test_the_evaluation_policy_is_a_softened_classifier_too() -> None:
    bandit = digits()
    policy = bandit.evaluation_policy(LogisticRegression(max_iter=500), alpha=0.9)
    assert bandit.feedback.context is not None
    chosen = LogisticRegression(max_iter=500).fit(bandit.features, bandit.label).predict(bandit.feedback.context)
    assert policy == pytest.approx(0.9 * np.eye(10)[chosen] + 0.01)


def test_estimates_find_the_known_value() -> None:
    errors = []
    for seed in range(6):
        bandit = digits(seed)
        policy = bandit.evaluation_policy(LogisticRegression(max_iter=500), alpha=0.9)
        truth = bandit.feedback.policy_value(policy)
        q_hat = fit_rewards(
            bandit.feedback, LogisticRegression(max_iter=500), n_folds=2, rng=np.random.default_rng(seed)
        )
        assert truth is not None and truth > 0.75
        errors.append(
            [
                InverseProbabilityWeighting().estimate(bandit.feedback, policy) - truth,
                DoublyRobust().estimate(bandit.feedback, policy, q_hat) - truth,
            ]
        )
    mean, spread = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1)
    assert (np.abs(mean) < 4 * spread / math.sqrt(6)).all()
    assert np.abs(errors).max() < 0.2


def uniform_log(n_rounds: int = 4000, n_actions: int = 4) -> tuple[BanditFeedback, np.ndarray]:
    rng = np.random.default_rng(0)
    rewards = rng.random((n_rounds, n_actions))
    action = rng.integers(n_actions, size=n_rounds)
    reward = (rng.random(n_rounds) < rewards[np.arange(n_rounds), action]).astype(float)
    pi = np.eye(n_actions)[rewards.argmax(axis=1)]
    log = BanditFeedback(reward, action, np.full(n_rounds, 1 / n_actions), n_actions, expected_reward=rewards)
    return log, pi


def test_replay_is_the_mean_of_the_rounds_that_match() -> None:
    log, pi = uniform_log()
    match = log.action == pi.argmax(axis=1)
    assert Replay().estimate(log, pi) == pytest.approx(log.reward[match].mean(), abs=1e-12)
    assert Replay().estimate(log, pi) == pytest.approx(log.policy_value(pi), abs=0.06)
    assert Replay().weight(log, pi).tolist() == match.astype(float).tolist()
    snips = SelfNormalizedInverseProbabilityWeighting()
    assert Replay().round_rewards(log, pi) == pytest.approx(snips.round_rewards(log, pi))


def made(label: object = LABEL, share: float = 0.5, alpha: float = 0.5, rows: int = 1797) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    return lambda: multiclass_to_bandit(
        FEATURES[:rows],
        label,
        GaussianNB(),
        alpha_b=alpha,
        logged_share=share,
        rng=rng,  # type: ignore[arg-type]
    )


LOG, PI = uniform_log(8)
CASES: list[tuple[Callable[[], object], str]] = [
    (made(rows=9), r"features: has shape \(9, 64\), but \(n_samples, dim_context\) is \(1797, 64\)"),
    (made(share=1.0), "logged_share: is 1.0, of 1797 samples; both parts must hold at least one"),
    (made(share=1e-9), "logged_share: is 1e-09"),
    (made(label=[], rows=0), "logged_share: is 0.5, of 0 samples"),
    (made(label=np.zeros(1797)), "label: of the 899 samples to fit a classifier on all are alike; give more samples"),
    (made(alpha=1.5), r"alpha_b: is 1.5, but must be in \[0, 1\]"),
    (lambda: digits().evaluation_policy(GaussianNB(), alpha=-1), "alpha: is -1"),
    (lambda: Replay().estimate(LOG, np.full((8, 4), 0.25)), "action_dist: row 0 is not deterministic"),
    (lambda: Replay().estimate(replace(LOG, pscore=np.linspace(0.1, 0.9, 8)), PI), "pscore: runs from 0.1 to 0.9"),
    (
        lambda: Replay().estimate(LOG, np.eye(4)[(LOG.action + 1) % 4]),
        "gives every logged action probability 0, so replay is undefined",
    ),
]


@pytest.mark.parametrize(("act", "message"), CASES, ids=[message[:30] for _, message in CASES])
def test_is_refused(act: Callable[[], object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        act()
