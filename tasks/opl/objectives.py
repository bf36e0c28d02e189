"""Values of a policy, estimated or exact, and the losses whose gradients ascend them. Expectations over actions are exact.

Notation: x context, a action, r reward, pi the policy, pi_0 the logging policy, w = min(pi(a|x) / pi_0(a|x), clip) the
importance weight of a logged action, q(x, a) a predicted or true expected reward.
"""

from __future__ import annotations

import torch
from torch import Tensor


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
    return -(log_dist.exp() * log_dist).sum(dim=1).mean()


def kl_divergence(log_dist: Tensor, reference: Tensor) -> Tensor:
    """mean_x sum_a pi(a|x) log(pi(a|x) / pi_0(a|x)) in nats, of log pi and pi_0, both `(n, n_actions)`."""
    floor = torch.finfo(reference.dtype).tiny
    return (log_dist.exp() * (log_dist - reference.clamp_min(floor).log())).sum(dim=1).mean()


def expected_loss(log_dist: Tensor, reward: Tensor) -> Tensor:
    """-mean_x sum_a pi(a|x) q(x, a), whose gradient is exact: no action is sampled. Both `(n, n_actions)`."""
    return -expected_value(log_dist.exp(), reward)


def sampled_loss(log_dist: Tensor, reward: Tensor, generator: torch.Generator) -> Tensor:
    """-mean_x q(x, a~) log pi(a~|x) with one a~ ~ pi(.|x), as published: the gradient of `expected_loss` in expectation.

    Both `(n, n_actions)`.
    """
    drawn = draw(log_dist, generator)[:, None]
    return -(reward.gather(1, drawn) * log_dist.gather(1, drawn)).mean()


def draw(log_dist: Tensor, generator: torch.Generator) -> Tensor:
    """a ~ pi(.|x) `(n,)` of log pi(a|x) `(n, n_actions)`, by inversion."""
    cumulative = log_dist.detach().exp().cumsum(dim=1)
    uniform = torch.rand(len(log_dist), 1, generator=generator, dtype=log_dist.dtype).to(log_dist.device)
    drawn = torch.searchsorted(cumulative, uniform * cumulative[:, -1:], right=True).squeeze(1)
    return drawn.clamp_max(log_dist.shape[1] - 1)  # u * total may round up to the total


def ips_loss(log_prob: Tensor, pscore: Tensor, reward: Tensor, clip: float) -> Tensor:
    """-mean_i w_i r_i log pi(a_i|x_i): its gradient is that of -IPS, w grad log pi = grad pi / pi_0, and goes on past the clip.

    All `(n,)`; `log_prob` carries the gradient.
    """
    return -(importance_weights(log_prob, pscore, clip) * reward * log_prob).mean()


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
