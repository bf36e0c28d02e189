"""Values of a policy, estimated or exact, and the losses whose gradients ascend them. Expectations over actions are exact.

Notation: x context, a action, r reward, pi the policy, pi_0 the logging policy, w = min(pi(a|x) / pi_0(a|x), clip) the
importance weight of a logged action, q(x, a) a predicted or true expected reward.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx


def importance_weights(log_prob: Tensor, pscore: Tensor, clip: float) -> Tensor:
    """w = min(pi(a|x) / pi_0(a|x), clip), without gradient `(n,)`.

    Args:
        log_prob: log pi(a_i|x_i) of the logged actions `(n,)`.
        pscore: pi_0(a_i|x_i) `(n,)`.
        clip: upper bound.
    """
    return (log_prob.detach().exp() / pscore).clamp_max(clip)


def expected_value(action_dist: Tensor, reward: Tensor) -> Tensor:
    """mean_x sum_a pi(a|x) q(x, a): the exact value when q is the truth, the direct method (DM; Beygelzimer and Langford,
    2009) when q is predicted. Both `(n, n_actions)`.
    """
    return (action_dist * reward).sum(dim=1).mean()


def ips_value(weight: Tensor, reward: Tensor) -> Tensor:
    """mean_i w_i r_i: inverse propensity scoring (Horvitz and Thompson, 1952; Strehl et al., 2010). Both `(n,)`."""
    return (weight * reward).mean()


def snips_value(weight: Tensor, reward: Tensor) -> Tensor:
    """sum_i w_i r_i / sum_i w_i: self-normalised IPS (Swaminathan and Joachims, 2015). Both `(n,)`."""
    return (weight * reward).sum() / weight.sum().clamp_min(torch.finfo(weight.dtype).tiny)


def dr_value(action_dist: Tensor, predicted: Tensor, weight: Tensor, reward: Tensor, action: Tensor) -> Tensor:
    """mean_i [sum_a pi(a|x_i) q(x_i, a) + w_i (r_i - q(x_i, a_i))]: doubly robust (Dudik, Langford and Li, 2011).

    Args:
        action_dist: pi(a|x_i) `(n, n_actions)`.
        predicted: q(x_i, a) `(n, n_actions)`.
        weight: w_i `(n,)`.
        reward: r_i `(n,)`.
        action: a_i `(n,)`.
    """
    residual = reward - predicted.gather(1, action[:, None]).squeeze(1)
    return expected_value(action_dist, predicted) + (weight * residual).mean()


def entropy(log_dist: Tensor) -> Tensor:
    """-mean_x sum_a pi(a|x) log pi(a|x) in nats, of log pi(a|x) `(n, n_actions)`."""
    return -(log_dist.exp() * floored(log_dist)).sum(dim=1).mean()


def kl_divergence(log_dist: Tensor, reference: Tensor) -> Tensor:
    """mean_x sum_a pi(a|x) log(pi(a|x) / pi_0(a|x)) in nats, of log pi and pi_0, both `(n, n_actions)`."""
    floor = torch.finfo(reference.dtype).tiny
    return (log_dist.exp() * (floored(log_dist) - reference.clamp_min(floor).log())).sum(dim=1).mean()


def floored(log_dist: Tensor) -> Tensor:
    """Log probabilities with a floor, so that 0 log 0 is 0, and its gradient too."""
    return log_dist.clamp_min(math.log(torch.finfo(log_dist.dtype).tiny))


def cross_entropy(log_dist: Tensor, target: Tensor) -> Tensor:
    """-mean_x sum_a pi_T(a|x) log pi(a|x) in nats, of log pi and a policy pi_T to imitate, both `(n, n_actions)`."""
    return -(target * torch.where(target > 0, log_dist, 0.0)).sum(dim=1).mean()


class _ExpectedValue(torch.autograd.Function):
    """mean_x sum_a exp(l(x, a)) q(x, a) of log probabilities l: one table is kept for the gradient instead of three."""

    @staticmethod
    def forward(ctx: FunctionCtx, log_dist: Tensor, reward: Tensor) -> Tensor:
        weighted = log_dist.exp().mul_(reward)
        ctx.save_for_backward(weighted)
        return weighted.sum() / len(log_dist)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (weighted,) = ctx.saved_tensors
        return weighted * (grad / len(weighted)), None


def expected_loss(log_dist: Tensor, reward: Tensor) -> Tensor:
    """-mean_x sum_a pi(a|x) q(x, a), whose gradient is exact: no action is sampled. Both `(n, n_actions)`."""
    value: Tensor = _ExpectedValue.apply(log_dist, reward)  # type: ignore[no-untyped-call]
    return -value


def sampled_loss(log_dist: Tensor, reward: Tensor, generator: torch.Generator) -> Tensor:
    """-mean_x q(x, a~) log pi(a~|x) with one a~ ~ pi(.|x), as published: the gradient of `expected_loss` in expectation.

    Both `(n, n_actions)`.
    """
    drawn = draw(log_dist, generator)[:, None]
    return -(reward.gather(1, drawn) * log_dist.gather(1, drawn)).mean()


def value_loss(log_dist: Tensor, reward: Tensor, drawn: torch.Generator | None) -> Tensor:
    """`sampled_loss` with a generator, `expected_loss` without one. Both `(n, n_actions)`."""
    return expected_loss(log_dist, reward) if drawn is None else sampled_loss(log_dist, reward, drawn)


def draw(log_dist: Tensor, generator: torch.Generator) -> Tensor:
    """a ~ pi(.|x) `(n,)` of log pi(a|x) `(n, n_actions)`, by inversion."""
    uniform = torch.rand(len(log_dist), 1, generator=generator, dtype=log_dist.dtype).to(log_dist.device)
    return quantile(log_dist.detach().exp(), uniform)


def quantile(action_dist: Tensor, uniform: Tensor) -> Tensor:
    """The first action whose cumulative probability exceeds u `(n,)`, so never one of probability 0.

    Args:
        action_dist: pi(a|x) `(n, n_actions)`.
        uniform: u, draws from [0, 1) `(n, 1)`.
    """
    cumulative = action_dist.cumsum(dim=1)
    total = cumulative[:, -1:].contiguous()
    threshold = torch.minimum(uniform * total, total.nextafter(torch.zeros_like(total)))  # u * total may round up
    return torch.searchsorted(cumulative, threshold, right=True).squeeze(1)


def ips_loss(log_prob: Tensor, pscore: Tensor, reward: Tensor, clip: float) -> Tensor:
    """-mean_i w_i r_i log pi(a_i|x_i): its gradient is that of -IPS, w grad log pi = grad pi / pi_0, and goes on past the clip.

    All `(n,)`; `log_prob` carries the gradient.
    """
    return -(importance_weights(log_prob, pscore, clip) * reward * log_prob).mean()


def sub_gaussian_loss(log_prob: Tensor, pscore: Tensor, reward: Tensor, lambda_: float) -> Tensor:
    """-mean_i g_i (1 - lambda g_i) r_i log pi(a_i|x_i), g = w / (1 - lambda + lambda w): its gradient is that of -mean_i g_i r_i.

    `lambda_` is in [0, 1], the rest `(n,)`. g is at most 1 / lambda, so w is not clipped.
    """
    weight = importance_weights(log_prob, pscore, math.inf)
    shrunk = weight / (1 - lambda_ + lambda_ * weight).clamp_min(torch.finfo(weight.dtype).tiny)
    return -(shrunk * (1 - lambda_ * shrunk) * reward * log_prob).mean()


def switch_loss(log_prob: Tensor, pscore: Tensor, reward: Tensor, tau: float, clip: float) -> Tensor:
    """`ips_loss` of the rounds whose w, before it is clipped, is at most tau; the others count as 0. The rest `(n,)`."""
    kept = importance_weights(log_prob, pscore, math.inf) <= tau
    return ips_loss(log_prob, pscore, torch.where(kept, reward, 0.0), clip)


def shrinkage_loss(log_prob: Tensor, pscore: Tensor, reward: Tensor, lambda_: float) -> Tensor:
    """-mean_i g_i r_i log pi(a_i|x_i), g = lambda w / (w^2 + lambda): its gradient is that of -mean_i h_i r_i with
    h = sqrt(lambda) arctan(w / sqrt(lambda)), which rises with w as w does.

    The gradient of -mean_i g_i r_i would turn round where w passes sqrt(lambda), away from actions that are good. `lambda_`
    is at least 0, the rest `(n,)`. g is at most sqrt(lambda) / 2, so w is not clipped.
    """
    weight = importance_weights(log_prob, pscore, math.inf)
    shrunk = weight / (1 + weight * (weight / lambda_)) if lambda_ else torch.zeros_like(weight)
    return -(shrunk * reward * log_prob).mean()


def snips_loss(log_prob: Tensor, pscore: Tensor, reward: Tensor, clip: float) -> Tensor:
    """-sum_i w_i (r_i - V) log pi(a_i|x_i) / sum_i w_i with V the SNIPS value: its gradient is that of -SNIPS. All `(n,)`."""
    weight = importance_weights(log_prob, pscore, clip)
    centred = reward - snips_value(weight, reward)
    return -snips_value(weight, centred * log_prob)


def dr_loss(log_dist: Tensor, predicted: Tensor, pscore: Tensor, reward: Tensor, action: Tensor, clip: float) -> Tensor:
    """-mean_i [sum_a pi(a|x_i) q(x_i, a) + w_i (r_i - q(x_i, a_i)) log pi(a_i|x_i)]: its gradient is that of -DR.

    Args:
        log_dist: log pi(a|x_i), with gradient `(n, n_actions)`.
        predicted: q(x_i, a) `(n, n_actions)`.
        pscore: pi_0(a_i|x_i) `(n,)`.
        reward: r_i `(n,)`.
        action: a_i `(n,)`.
        clip: upper bound of w.
    """
    chosen = action[:, None]
    residual = reward - predicted.gather(1, chosen).squeeze(1)
    return expected_loss(log_dist, predicted) + ips_loss(log_dist.gather(1, chosen).squeeze(1), pscore, residual, clip)
