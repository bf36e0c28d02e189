"""Kernel weights beside plain loops, in the limits of their bandwidth, and beside simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.errors import HarnessError
from harness.opl.evaluation import (
    BanditFeedback,
    InverseProbabilityWeighting,
    KernelInverseProbabilityWeighting,
    SelfNormalizedKernelInverseProbabilityWeighting,
    output_kernel,
)
from harness.opl.evaluation.output_kernel import OutputKernel
from tests.harness.opl.evaluation.bandits import Logged, logged_bandit

DIM = 3


def with_outputs(seed: int, noise: float = 0.0) -> tuple[Logged, np.ndarray, np.ndarray]:
    """A log whose outputs are u_i + v_a plus noise, and both terms."""
    logged, rng = logged_bandit(seed), np.random.default_rng(seed)
    of_round, of_action = rng.normal(size=(logged.feedback.n_rounds, DIM)), rng.normal(size=(5, DIM))
    output = of_round + of_action[logged.feedback.action] + noise * rng.normal(size=of_round.shape)
    return replace(logged, feedback=replace(logged.feedback, output=output)), of_round, of_action


def looped(logged: Logged, means: np.ndarray, similar: Callable[[float], float]) -> list[float]:
    f, weights = logged.feedback, []
    assert f.output is not None and f.logging_dist is not None
    for i in range(f.n_rounds):
        near = [similar(math.dist(f.output[i], means[i, a]) / DIM) for a in range(f.n_actions)]
        above = sum(logged.pi[i, a] * near[a] for a in range(f.n_actions))
        weights.append(above / sum(f.logging_dist[i, a] * near[a] for a in range(f.n_actions)))
    return weights


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("kernel", "similar"),
    [("gaussian", lambda d: math.exp(-d * d / (2 * 0.3**2))), ("uniform", lambda d: float(d <= 0.3))],
)
def test_equals_plain_loops(seed: int, kernel: str, similar: Callable[[float], float]) -> None:
    logged, of_round, of_action = with_outputs(seed)
    means = of_round[:, None] + of_action
    weights = looped(logged, means, similar)
    for given_as in (means, (of_round, of_action)):
        plain = KernelInverseProbabilityWeighting(given_as, tau=0.3, kernel=kernel)
        assert plain.weight(logged.feedback, logged.pi) == pytest.approx(weights, rel=1e-10)
        expected = np.dot(weights, logged.feedback.reward)
        assert plain.estimate(logged.feedback, logged.pi) == pytest.approx(expected / len(weights))
        ratio = SelfNormalizedKernelInverseProbabilityWeighting(given_as, tau=0.3, kernel=kernel)
        assert ratio.estimate(logged.feedback, logged.pi) == pytest.approx(expected / sum(weights))


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    logged, of_round, of_action = with_outputs(0)
    kernel = KernelInverseProbabilityWeighting(of_round[:, None] + of_action, tau=0.4)
    whole = kernel.weight(logged.feedback, logged.pi)
    monkeypatch.setattr(output_kernel, "_BLOCK_NUMBERS", 1)
    assert kernel.weight(logged.feedback, logged.pi).tolist() == whole.tolist()


@given(st.floats(0.3, 3), st.floats(0.01, 3), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_the_mean_over_noise_is_exact(tau: float, std: float, seed: int) -> None:
    """Beside quadrature in one dimension: the ratio at two distances, in which factors cancel."""
    near, far = sorted(np.random.default_rng(seed).uniform(0, 2, 2))
    noise, kernel = np.linspace(-12, 12, 200_001) * std, OutputKernel("gaussian", tau, 0.0)
    density = stats.norm.pdf(noise, scale=std)
    means = [(np.exp(kernel.log(np.abs(at - noise), 1)) * density).sum() for at in (near, far)]
    closed = np.exp(OutputKernel("gaussian", tau, std).log(np.array([near, far]), 1))
    assert means[1] / means[0] == pytest.approx(closed[1] / closed[0], rel=1e-6)


def test_the_mean_over_noise_is_exact_in_three_dimensions() -> None:
    rng, tau, std = np.random.default_rng(0), 0.4, 0.7
    mean, output = rng.normal(size=DIM), rng.normal(size=DIM)
    drawn = mean + std * rng.normal(size=(400_000, DIM))
    seen = np.exp(OutputKernel("gaussian", tau, 0.0).log(np.linalg.norm(drawn - output, axis=1) / DIM, DIM))
    left_out = ((tau * DIM) ** 2 / ((tau * DIM) ** 2 + std**2)) ** (DIM / 2)
    closed = left_out * np.exp(OutputKernel("gaussian", tau, std).log(np.linalg.norm(mean - output) / DIM, DIM))
    assert abs(seen.mean() - closed) < 4 * seen.std() / math.sqrt(len(seen))


def test_a_narrow_kernel_tells_actions_apart_and_a_wide_one_none() -> None:
    logged, of_round, of_action = with_outputs(1)
    means, f = (of_round, of_action), logged.feedback
    for kernel in ("gaussian", "uniform"):
        narrow = KernelInverseProbabilityWeighting(means, tau=1e-6, kernel=kernel)
        assert narrow.round_rewards(f, logged.pi) == pytest.approx(
            InverseProbabilityWeighting().round_rewards(f, logged.pi)
        )
        wide = KernelInverseProbabilityWeighting(means, tau=1e8, kernel=kernel)
        assert wide.round_rewards(f, logged.pi) == pytest.approx(f.reward)


def test_a_narrow_kernel_of_noisy_outputs_gives_their_marginal_weight() -> None:
    logged, of_round, of_action = with_outputs(2, noise=0.8)
    f = logged.feedback
    assert f.output is not None and f.logging_dist is not None
    means = of_round[:, None] + of_action
    density = np.prod(stats.norm.pdf(f.output[:, None], means, 0.8), axis=2)
    expected = (density * logged.pi).sum(axis=1) / (density * f.logging_dist).sum(axis=1)
    found = KernelInverseProbabilityWeighting(means, tau=1e-9, output_std=0.8).weight(f, logged.pi)
    assert found == pytest.approx(expected)


def test_is_unbiased_and_steadier_where_outputs_are_all_that_counts() -> None:
    """Twenty actions with noisy outputs on a line: the marginal weights' estimate has the truth as its mean."""
    rng, n_rounds, n_actions, std = np.random.default_rng(0), 200, 20, 0.5
    place = np.linspace(-1, 1, n_actions)[:, None]
    logging = np.tile(rng.dirichlet(np.ones(n_actions)), (n_rounds, 1))
    pi = np.tile(rng.dirichlet(np.ones(n_actions)), (n_rounds, 1))
    kernel = KernelInverseProbabilityWeighting((np.zeros((n_rounds, 1)), place), tau=1e-9, output_std=std)
    found = []
    for _ in range(300):
        action = rng.choice(n_actions, size=n_rounds, p=logging[0])
        output = place[action] + std * rng.normal(size=(n_rounds, 1))
        reward = 2 * output[:, 0] + rng.normal(size=n_rounds)
        log = BanditFeedback(reward, action, logging[0, action], n_actions, logging_dist=logging, output=output)
        found.append([kernel.estimate(log, pi), InverseProbabilityWeighting().estimate(log, pi)])
    (ours, ips), truth = np.transpose(found), float(pi[0] @ (2 * place[:, 0]))
    assert abs(ours.mean() - truth) < 4 * ours.std(ddof=1) / math.sqrt(len(ours))
    assert ours.std() < ips.std() / 2


def test_outputs_far_from_all_means_keep_their_weight() -> None:
    """Kernels of e^-5000 vanish as numbers; their ratio does not."""
    log = BanditFeedback(
        np.ones(1),
        np.zeros(1, int),
        np.full(1, 0.5),
        2,
        logging_dist=[[0.5, 0.5]],
        output=[[100.0]],  # type: ignore[arg-type]
    )
    kernel = KernelInverseProbabilityWeighting((np.zeros((1, 1)), np.array([[0.0], [1e-3]])))
    ratio = math.exp((100**2 - (100 - 1e-3) ** 2) / 2)
    expected = (0.9 * ratio + 0.1) / (0.5 * ratio + 0.5)
    assert kernel.weight(log, np.array([[0.1, 0.9]])) == pytest.approx([expected])


LOG, OF_ROUND, OF_ACTION = with_outputs(0)
FLAT = BanditFeedback(np.ones(2), np.zeros(2, int), np.ones(2), 2, logging_dist=np.array([[1.0, 0.0]] * 2))
FAR = replace(FLAT, output=np.array([[0.0], [9.0]]))
LINE = (np.zeros((2, 1)), np.array([[0.0], [9.0]]))


def weighed(log: BanditFeedback, *arguments: object, **more: object) -> Callable[[], object]:
    kernel = KernelInverseProbabilityWeighting(*arguments, **more)  # type: ignore[arg-type]
    return lambda: kernel.estimate(log, np.full((log.n_rounds, log.n_actions), 1 / log.n_actions))


CASES: list[tuple[Callable[[], object], str]] = [
    (weighed(FLAT, LINE), r"feedback: has no output \(n_rounds, dim_output\), which kernel weights need"),
    (weighed(replace(FAR, logging_dist=None), LINE), "feedback: has no logging_dist"),
    (weighed(FAR, LINE, kernel="uniform"), "the output of round 1 is out of reach of every action"),
    (weighed(FAR, LINE, tau=0.01), "the kernel weight of round 1 is too large for a float; raise tau"),
    (weighed(FAR, (*LINE, 0)), "mean_output: has 3 terms"),
    (weighed(FAR, (LINE[0], np.zeros((3, 1)))), r"mean_output\[1\]: has shape \(3, 1\), but \(n_actions, dim_output\)"),
    (weighed(FAR, np.zeros((2, 2))), r"mean_output: has shape \(2, 2\), but \(n_rounds, n_actions, dim_output\)"),
    (weighed(FAR, np.full((2, 2, 1), np.nan)), "mean_output of the rounds from 0: .* is not finite"),
    (lambda: KernelInverseProbabilityWeighting(LINE, tau=0), r"tau: is 0, but must be in \(0"),
    (lambda: KernelInverseProbabilityWeighting(LINE, tau=math.inf), "tau: is inf"),
    (lambda: KernelInverseProbabilityWeighting(LINE, kernel="box"), "kernel: 'box' is not known"),
    (lambda: KernelInverseProbabilityWeighting(LINE, output_std=-1), "output_std: is -1"),
    (lambda: KernelInverseProbabilityWeighting(LINE, kernel="uniform", output_std=1), "takes outputs without noise"),
    (lambda: replace(FLAT, output=np.zeros(2)), r"output: has shape \(2,\), but \(n_rounds, dim_output\)"),
    (lambda: replace(FLAT, output=np.full((2, 1), np.inf)), r"output: \[0, 0\] = inf is not finite"),
]


@pytest.mark.parametrize(("act", "message"), CASES, ids=[message[:30] for _, message in CASES])
def test_is_refused(act: Callable[[], object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        act()
