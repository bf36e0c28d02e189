"""Continuous actions: kernels beside quadrature, the bias and variance of bandwidths, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from harness.errors import HarnessError
from harness.opl.evaluation import slope_choice, student_t_interval
from harness.opl.evaluation.continuous import (
    ContinuousFeedback,
    KernelizedDoublyRobust,
    KernelizedInverseProbabilityWeighting,
    KernelizedSelfNormalizedInverseProbabilityWeighting,
)
from harness.opl.evaluation.continuous.kernels import KERNELS

CHOSEN = 0.4  # what the policy does


def reward_at(action: np.ndarray) -> np.ndarray:
    return np.sin(2 * action) + action**2


def log_density(action: np.ndarray) -> np.ndarray:
    return stats.norm.pdf(action, 0.1, 0.8)


def logged(n_rounds: int, seed: int) -> ContinuousFeedback:
    rng = np.random.default_rng(seed)
    action = rng.normal(0.1, 0.8, size=n_rounds)
    reward = reward_at(action) + 0.3 * rng.normal(size=n_rounds)
    return ContinuousFeedback(reward, action, log_density(action))


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_even_densities_by_quadrature(name: str) -> None:
    kernel = KERNELS[name]
    assert quad(lambda u: float(kernel(np.array([u]))[0]), -9, 9, points=[-1, 0, 1])[0] == pytest.approx(1, abs=1e-7)
    grid = np.linspace(0, 3, 301)
    assert kernel(grid) == pytest.approx(kernel(-grid))
    assert (np.diff(kernel(grid)) <= 0).all() and kernel(np.array([0.5]))[0] > 0


def smoothed(kernel: str, bandwidth: float, of: Callable[[np.ndarray], np.ndarray]) -> float:
    """integral K((a - pi) / h) / h f(a) da: the estimate's expectation."""
    return quad(
        lambda u: float((KERNELS[kernel](np.array([u])) * of(np.array([CHOSEN + bandwidth * u])))[0]),
        -9,
        9,
        points=[-1, 0, 1],
    )[0]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("bandwidth", [0.1, 0.6])
def test_the_mean_of_many_logs_is_the_integral(kernel: str, bandwidth: float) -> None:
    rounds = KernelizedInverseProbabilityWeighting(bandwidth, kernel).round_rewards(
        logged(60_000, 0), np.full(60_000, CHOSEN)
    )
    apart = rounds.mean() - smoothed(kernel, bandwidth, reward_at)
    assert abs(apart) < 4 * rounds.std() / math.sqrt(60_000)


@pytest.mark.parametrize("kernel", KERNELS)
def test_bias_falls_with_the_square_of_the_bandwidth(kernel: str) -> None:
    """Exact expectations from a grid of actions in place of a log: each point stands for its share of the density."""
    grid, step = np.linspace(-6, 6, 240_001, retstep=True)
    density = log_density(grid)
    everything = ContinuousFeedback(reward_at(grid), grid, density)
    truth, chosen = float(reward_at(np.array([CHOSEN]))[0]), np.full(len(grid), CHOSEN)
    bias = []
    for bandwidth in (0.1, 0.05, 0.025):
        rounds = KernelizedInverseProbabilityWeighting(bandwidth, kernel).round_rewards(everything, chosen)
        expectation = float((rounds * density).sum() * step)
        assert expectation == pytest.approx(smoothed(kernel, bandwidth, reward_at), abs=1e-6)
        bias.append(expectation - truth)
    assert bias[0] / bias[1] == pytest.approx(4, rel=0.05) and bias[1] / bias[2] == pytest.approx(4, rel=0.05)
    assert abs(bias[2]) < 5e-4


def test_equal_plain_loops() -> None:
    log, rng = logged(50, 1), np.random.default_rng(2)
    chosen, at_policy, at_logged = rng.normal(size=(3, 50))
    for name, kernel in KERNELS.items():
        weights = [
            float(kernel(np.array([(log.action[i] - chosen[i]) / 0.5]))[0]) / (0.5 * log.pscore[i]) for i in range(50)
        ]
        weighted = [w * r for w, r in zip(weights, log.reward, strict=True)]
        robust = [at_policy[i] + weights[i] * (log.reward[i] - at_logged[i]) for i in range(50)]
        ips = KernelizedInverseProbabilityWeighting(0.5, name)
        ratio = KernelizedSelfNormalizedInverseProbabilityWeighting(0.5, name)
        dr = KernelizedDoublyRobust(0.5, name)
        assert ips.estimate(log, chosen) == pytest.approx(sum(weighted) / 50)
        assert ratio.estimate(log, chosen) == pytest.approx(sum(weighted) / sum(weights))
        assert dr.estimate(log, chosen, at_policy, at_logged) == pytest.approx(sum(robust) / 50)


def test_only_what_the_model_has_wrong_is_smoothed() -> None:
    log, chosen = logged(40_000, 3), np.full(40_000, CHOSEN)
    truth = float(reward_at(np.array([CHOSEN]))[0])
    wide = 1.0  # a bandwidth at which plain weights are far off
    assert abs(smoothed("gaussian", wide, reward_at) - truth) > 0.1
    exact = KernelizedDoublyRobust(wide).round_rewards(log, chosen, reward_at(chosen), reward_at(log.action))
    assert abs(exact.mean() - truth) < 4 * exact.std() / math.sqrt(40_000)
    off = lambda action: reward_at(action) + 0.5 * action  # noqa: E731
    robust = KernelizedDoublyRobust(wide).round_rewards(log, chosen, off(chosen), off(log.action))
    expected = float(off(chosen)[0]) - smoothed("gaussian", wide, lambda action: 0.5 * action)
    assert abs(robust.mean() - expected) < 4 * robust.std() / math.sqrt(40_000)


def test_self_normalised_shifts_with_the_rewards_and_keeps_their_range() -> None:
    log, chosen = logged(300, 4), np.full(300, CHOSEN)
    ratio = KernelizedSelfNormalizedInverseProbabilityWeighting(0.3)
    moved = ContinuousFeedback(log.reward + 7, log.action, log.pscore)
    assert ratio.estimate(moved, chosen) == pytest.approx(ratio.estimate(log, chosen) + 7)
    assert log.reward.min() <= ratio.estimate(log, chosen) <= log.reward.max()


def test_slope_chooses_a_bandwidth() -> None:
    """Near the best of the candidates, on a mean over logs."""
    bandwidths, truth = (0.01, 0.03, 0.1, 0.2, 0.4, 0.8, 1.2), float(reward_at(np.array([CHOSEN]))[0])
    errors, ours = [], []
    for seed in range(60):
        log, chosen = logged(2000, seed), np.full(2000, CHOSEN)
        intervals = [
            student_t_interval(KernelizedInverseProbabilityWeighting(h, "epanechnikov").round_rewards(log, chosen))
            for h in bandwidths
        ]
        errors.append([(found.mean - truth) ** 2 for found in intervals])
        ours.append(errors[-1][slope_choice(intervals)])
    by_bandwidth = np.sqrt(np.mean(errors, axis=0))
    assert np.sqrt(np.mean(ours)) < 2 * by_bandwidth.min()
    assert by_bandwidth.max() > 4 * by_bandwidth.min()


LOG, AT = logged(3, 0), np.zeros(3)
CASES: list[tuple[Callable[[], object], str]] = [
    (lambda: ContinuousFeedback([], [], []), "reward: is empty"),  # type: ignore[arg-type]
    (lambda: ContinuousFeedback(AT, AT[:2], AT), r"action: has shape \(2,\), but \(n_rounds,\) is \(3,\)"),
    (lambda: ContinuousFeedback(AT, AT + np.nan, AT), r"action: \[0\] = nan is not finite"),
    (lambda: ContinuousFeedback(AT, AT, AT), r"pscore: \[0\] = 0, but the density of a logged action is positive"),
    (lambda: KernelizedInverseProbabilityWeighting(0.0), r"bandwidth: is 0.0, but must be in \(0"),
    (lambda: KernelizedInverseProbabilityWeighting(1.0, "box"), "kernel: 'box' is not known; choose one of gaussian"),
    (lambda: KernelizedInverseProbabilityWeighting(1.0).estimate(LOG, AT[:1]), r"policy_action: has shape \(1,\)"),
    (
        lambda: KernelizedInverseProbabilityWeighting(1e-200).estimate(ContinuousFeedback(AT, AT, AT + 1e-200), AT),
        r"weights of kernelized-ipw: \[0\] = inf, as a pscore is too small",
    ),
    (lambda: KernelizedDoublyRobust(1.0).estimate(LOG, AT, AT[:1], AT), r"q_hat_policy: has shape \(1,\)"),
    (lambda: KernelizedDoublyRobust(1.0).estimate(LOG, AT, AT, AT[:1]), r"q_hat_logged: has shape \(1,\)"),
    (
        lambda: KernelizedSelfNormalizedInverseProbabilityWeighting(0.1, "cosine").estimate(LOG, AT + 99),
        "so kernelized-snipw is undefined",
    ),
    (lambda: slope_choice([]), "intervals: are none"),
]


@pytest.mark.parametrize(("act", "message"), CASES, ids=[message[:30] for _, message in CASES])
def test_is_refused(act: Callable[[], object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        act()
