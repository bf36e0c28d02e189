from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

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


@pytest.mark.parametrize("name", ["expected", "ips", "snips", "dr"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_loss_has_the_gradient_of_minus_its_value(name: str, seed: int) -> None:
    p = Problem(seed)
    value, loss = losses(p)[name]
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
