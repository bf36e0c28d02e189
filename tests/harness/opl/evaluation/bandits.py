"""Small bandits whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.opl.evaluation import BanditFeedback

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Logged:
    """Feedback, the policy to evaluate, a reward model that is wrong, and the exact value of the policy."""

    feedback: BanditFeedback
    pi: Array
    q_hat: Array
    value: float


def softmax(scores: Array) -> Array:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def logged_bandit(seed: int, n_rounds: int = 40, n_actions: int = 5, sharpness: float = 1.0, world: int = 7) -> Logged:
    """Three kinds of context, softmax policies, Bernoulli rewards; `world` draws the bandit, `seed` the log."""
    fixed, rng = np.random.default_rng(world), np.random.default_rng(seed)
    rewards = fixed.uniform(0.1, 0.9, (3, n_actions))
    logging = softmax(fixed.normal(size=(3, n_actions)))
    policy = softmax(sharpness * fixed.normal(size=(3, n_actions)))
    model = np.clip(rewards + fixed.normal(0, 0.2, rewards.shape), 0, 1)
    kind = rng.integers(3, size=n_rounds)
    action = (rng.random((n_rounds, 1)) > logging[kind].cumsum(axis=1)[:, :-1]).sum(axis=1)
    feedback = BanditFeedback(
        reward=(rng.random(n_rounds) < rewards[kind, action]).astype(float),
        action=action,
        pscore=logging[kind, action],
        n_actions=n_actions,
        context=np.eye(3)[kind],
        position=rng.integers(2, size=n_rounds),
        expected_reward=rewards[kind],
        logging_dist=logging[kind],
    )
    value = float((policy * rewards).sum(axis=1).mean())
    return Logged(feedback, policy[kind], model[kind], value)
