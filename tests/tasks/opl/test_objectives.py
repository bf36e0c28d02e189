from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from harness.opl.evaluation import (
    BanditFeedback,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    OffPolicyEstimator,
    SubGaussianInverseProbabilityWeighting,
    SwitchDoublyRobust,
)
from tasks.opl import objectives as o

NO_CLIP = 1e12


class Problem:
    """Seven rounds of three actions in double precision, logged by a policy of known probabilities."""

    def __init__(self, seed: int = 0, n: int = 7, n_actions: int = 3) -> None:
        g = torch.Generator().manual_seed(seed)
        draw = {"generator": g, "dtype": torch.float64}
        self.logits = torch.randn(n, n_actions, **draw)
        self.logging = torch.softmax(torch.randn(n, n_actions, **draw), dim=1)
        self.action = torch.multinomial(self.logging, 1, generator=g).squeeze(1)
        self.pscore = self.logging.gather(1, self.action[:, None]).squeeze(1)
        self.reward = torch.randn(n, **draw)
        self.predicted = torch.randn(n, n_actions, **draw)

    def log_prob(self, logits: Tensor) -> Tensor:
        return torch.log_softmax(logits, dim=1).gather(1, self.action[:, None]).squeeze(1)

    def weight(self, logits: Tensor, clip: float = NO_CLIP) -> Tensor:
        return o.importance_weights(self.log_prob(logits), self.pscore, clip)

    @property
    def residual(self) -> Tensor:
        return self.reward - self.predicted.gather(1, self.action[:, None]).squeeze(1)

    def estimate(self, estimator: OffPolicyEstimator, logits: Tensor) -> float:
        """The harness's estimate of the softmax policy's value, in NumPy."""
        feedback = BanditFeedback(self.reward.numpy(), self.action.numpy(), self.pscore.numpy(), self.logits.shape[1])
        return estimator.estimate(feedback, torch.softmax(logits, dim=1).numpy(), self.predicted.numpy())

    def dr(self, logits: Tensor) -> Tensor:
        return o.dr_value(torch.softmax(logits, dim=1), self.predicted, self.weight(logits), self.reward, self.action)


SEEDS = st.integers(0, 10_000)


@given(SEEDS)
def test_ips_of_the_logging_policy_is_the_mean_reward(seed: int) -> None:
    p = Problem(seed)
    weight = o.importance_weights(p.pscore.log(), p.pscore, NO_CLIP)
    assert float(o.ips_value(weight, p.reward)) == pytest.approx(float(p.reward.mean()))
    assert float(o.snips_value(weight, p.reward)) == pytest.approx(float(p.reward.mean()))


@given(SEEDS)
def test_dr_is_dm_when_the_residuals_vanish_and_ips_when_the_model_is_zero(seed: int) -> None:
    p = Problem(seed)
    action_dist, weight = torch.softmax(p.logits, dim=1), p.weight(p.logits)
    explained = p.predicted.gather(1, p.action[:, None]).squeeze(1)
    dm = o.expected_value(action_dist, p.predicted)
    assert float(o.dr_value(action_dist, p.predicted, weight, explained, p.action)) == pytest.approx(float(dm))
    ips = o.ips_value(weight, p.reward)
    none = torch.zeros_like(p.predicted)
    assert float(o.dr_value(action_dist, none, weight, p.reward, p.action)) == pytest.approx(float(ips))


@given(SEEDS, st.floats(-5, 5))
def test_snips_moves_with_the_rewards(seed: int, shift: float) -> None:
    p = Problem(seed)
    weight = p.weight(p.logits)
    moved, still = o.snips_value(weight, p.reward + shift), o.snips_value(weight, p.reward)
    assert float(moved) == pytest.approx(float(still) + shift, abs=1e-9)


def test_ips_and_dr_are_unbiased() -> None:
    """Over many logs, the mean estimate lies within four standard errors of the value."""
    g = torch.Generator().manual_seed(0)
    logging, action_dist = torch.tensor([[0.6, 0.3, 0.1]]), torch.tensor([[0.1, 0.2, 0.7]])
    truth, wrong = torch.tensor([[1.0, -1.0, 0.5]]), torch.tensor([[0.0, 2.0, 1.0]])
    n = 200_000
    action = torch.multinomial(logging.expand(n, -1), 1, generator=g).squeeze(1)
    reward = truth[0, action] + torch.randn(n, generator=g)
    weight = o.importance_weights(action_dist[0, action].log(), logging[0, action], NO_CLIP)
    value = float(o.expected_value(action_dist, truth))
    terms = {"ips": weight * reward, "dr": (action_dist * wrong).sum() + weight * (reward - wrong[0, action])}
    for term in terms.values():
        assert abs(float(term.mean()) - value) < 4 * float(term.std()) / n**0.5
    estimate = o.dr_value(action_dist.expand(n, -1), wrong.expand(n, -1), weight, reward, action)
    assert float(estimate) == pytest.approx(float(terms["dr"].mean()), rel=1e-5)


def losses(p: Problem) -> dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]]:
    """Objective -> (the value it ascends, the loss that is minimised)."""
    return {
        "expected": (
            lambda x: o.expected_value(torch.softmax(x, dim=1), p.predicted),
            lambda x: o.expected_loss(torch.log_softmax(x, dim=1), p.predicted),
        ),
        "ips": (
            lambda x: o.ips_value(p.weight(x), p.reward),
            lambda x: o.ips_loss(p.log_prob(x), p.pscore, p.reward, NO_CLIP),
        ),
        "snips": (
            lambda x: o.snips_value(p.weight(x), p.reward),
            lambda x: o.snips_loss(p.log_prob(x), p.pscore, p.reward, NO_CLIP),
        ),
        "dr": (
            p.dr,
            lambda x: o.dr_loss(torch.log_softmax(x, dim=1), p.predicted, p.pscore, p.reward, p.action, NO_CLIP),
        ),
    }


LAMBDA, TAU = 0.3, 0.9


def modelled(p: Problem, logits: Tensor) -> Tensor:
    return o.expected_loss(torch.log_softmax(logits, dim=1), p.predicted)


def corrected_losses(p: Problem) -> dict[str, tuple[Callable[[Tensor], float], Callable[[Tensor], Tensor]]]:
    """As `losses`, with the harness's estimators as values; but of shrinkage, arctan of weights as its loss has it."""

    def smoothed(x: Tensor) -> float:
        weight = LAMBDA**0.5 * torch.atan(p.weight(x) / LAMBDA**0.5)
        return float(o.expected_value(torch.softmax(x, dim=1), p.predicted) + (weight * p.residual).mean())

    return {
        "sub_gaussian": (
            lambda x: p.estimate(SubGaussianInverseProbabilityWeighting(LAMBDA), x),
            lambda x: o.sub_gaussian_loss(p.log_prob(x), p.pscore, p.reward, LAMBDA),
        ),
        "switch": (
            lambda x: p.estimate(SwitchDoublyRobust(TAU), x),
            lambda x: modelled(p, x) + o.switch_loss(p.log_prob(x), p.pscore, p.residual, TAU, NO_CLIP),
        ),
        "shrinkage": (
            smoothed,
            lambda x: modelled(p, x) + o.shrinkage_loss(p.log_prob(x), p.pscore, p.residual, LAMBDA),
        ),
    }


@pytest.mark.parametrize("name", ["expected", "ips", "snips", "dr", "sub_gaussian", "switch", "shrinkage"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_loss_has_the_gradient_of_minus_its_value(name: str, seed: int) -> None:
    p = Problem(seed)
    value, loss = {**losses(p), **corrected_losses(p)}[name]
    logits = p.logits.clone().requires_grad_(True)
    loss(logits).backward()
    step = 1e-6
    for row in range(logits.shape[0]):
        for column in range(logits.shape[1]):
            nudge = torch.zeros_like(p.logits)
            nudge[row, column] = step
            slope = float(value(p.logits + nudge) - value(p.logits - nudge)) / (2 * step)
            assert float(logits.grad[row, column]) == pytest.approx(-slope, abs=1e-7)


def test_clipped_weights_are_bounded_and_still_carry_a_gradient() -> None:
    p = Problem(3)
    assert float(p.weight(p.logits, 0.5).max()) <= 0.5
    logits = p.logits.clone().requires_grad_(True)
    o.ips_loss(p.log_prob(logits), p.pscore, p.reward, 1e-3).backward()
    assert float(logits.grad.abs().min()) > 0


def test_snips_of_a_policy_that_takes_no_logged_action_is_zero_not_nan() -> None:
    assert float(o.snips_value(torch.zeros(4), torch.ones(4))) == 0.0


def gradient(loss: Callable[[Tensor], Tensor], p: Problem) -> Tensor:
    logits = p.logits.clone().requires_grad_(True)
    (found,) = torch.autograd.grad(loss(logits), logits)
    return found


@given(SEEDS)
def test_at_their_limits_corrections_are_none_or_that_of_doubly_robust(seed: int) -> None:
    p = Problem(seed)
    inf = float("inf")
    corrections: dict[str, Callable[[Tensor], Tensor]] = {
        "ips": lambda x: o.ips_loss(p.log_prob(x), p.pscore, p.residual, NO_CLIP),
        "sub_gaussian": lambda x: o.sub_gaussian_loss(p.log_prob(x), p.pscore, p.residual, 0.0),
        "switch": lambda x: o.switch_loss(p.log_prob(x), p.pscore, p.residual, inf, NO_CLIP),
        "shrinkage": lambda x: o.shrinkage_loss(p.log_prob(x), p.pscore, p.residual, inf),
    }
    nothing: dict[str, Callable[[Tensor], Tensor]] = {
        "sub_gaussian": lambda x: o.sub_gaussian_loss(p.log_prob(x), p.pscore, p.residual, 1.0),
        "switch": lambda x: o.switch_loss(p.log_prob(x), p.pscore, p.residual, 0.0, NO_CLIP),
        "shrinkage": lambda x: o.shrinkage_loss(p.log_prob(x), p.pscore, p.residual, 0.0),
    }
    whole = gradient(corrections["ips"], p)
    assert all(torch.allclose(gradient(loss, p), whole, atol=1e-12) for loss in corrections.values())
    assert all(torch.allclose(gradient(loss, p), 0 * whole, atol=1e-12) for loss in nothing.values())


def test_shrinkage_weighs_as_the_estimator_does() -> None:
    """sum_i g_i (r_i - q(x_i, a_i)) / n is the estimate's correction, g the factors of grad log pi(a_i|x_i)."""
    p = Problem(4)
    log_prob = p.log_prob(p.logits).requires_grad_(True)
    (found,) = torch.autograd.grad(o.shrinkage_loss(log_prob, p.pscore, p.residual, LAMBDA), log_prob)
    shrunk, direct = (p.estimate(DoublyRobustWithShrinkage(lambda_), p.logits) for lambda_ in (LAMBDA, 0.0))
    assert -float(found.sum()) == pytest.approx(shrunk - direct)
    assert p.estimate(DoublyRobust(), p.logits) != pytest.approx(shrunk)


def test_sub_gaussian_weights_do_not_break_down_at_the_ends() -> None:
    log_prob = torch.tensor([-float("inf"), -200.0, 0.0, 0.0]).requires_grad_(True)
    pscore = torch.tensor([0.5, 0.5, 1e-30, 0.5])
    for lambda_ in (0.0, 1e-3, 1.0):
        (found,) = torch.autograd.grad(o.sub_gaussian_loss(log_prob, pscore, torch.ones(4), lambda_), log_prob)
        assert bool(found.isfinite().all())


def test_entropy_and_divergence_of_a_deterministic_policy_are_finite() -> None:
    log_dist = torch.tensor([[0.0, -float("inf")]], dtype=torch.float64).requires_grad_(True)
    reference = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    entropy, divergence = o.entropy(log_dist), o.kl_divergence(log_dist, reference)
    assert entropy.item() == 0.0
    assert divergence.item() == pytest.approx(-math.log(0.25))
    (found,) = torch.autograd.grad(entropy + divergence, log_dist)
    assert bool(found.isfinite().all())


@given(SEEDS)
def test_cross_entropy_is_least_at_the_target(seed: int) -> None:
    p = Problem(seed)
    target = torch.softmax(p.logits, dim=1)
    assert float(o.cross_entropy(target.log(), target)) == pytest.approx(float(o.entropy(target.log())))
    apart = o.cross_entropy(p.logging.log(), target) - o.entropy(target.log())
    assert float(apart) == pytest.approx(float(o.kl_divergence(target.log(), p.logging)))


def test_draws_follow_the_distribution_and_never_take_what_has_no_probability() -> None:
    g = torch.Generator().manual_seed(0)
    dist = torch.tensor([[0.0, 0.3, 0.0, 0.7, 0.0]])
    n = 100_000
    drawn = o.draw(dist.log().expand(n, -1), g)
    shares = drawn.bincount(minlength=5) / n
    assert not shares[[0, 2, 4]].any()
    assert abs(float(shares[1]) - 0.3) < 4 * (0.3 * 0.7 / n) ** 0.5
    almost_one = torch.tensor([[1.0]]).nextafter(torch.tensor(0.0))
    assert o.quantile(dist, torch.zeros(1, 1)).tolist() == [1]
    assert o.quantile(dist, almost_one).tolist() == [3]
