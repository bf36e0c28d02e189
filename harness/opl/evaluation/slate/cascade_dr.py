"""The doubly robust estimator of slates that are read from the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, checked_distribution, checked_finite, checked_shape
from harness.opl.evaluation.slate.feedback import SlateFeedback


@dataclass(frozen=True)
class CascadeDR:
    """V_hat = mean_i sum_l [w_l (r_il - Q_l(a_l)) + w_{l-1} sum_a pi(a|x_i, a_1, ..., a_{l-1}) Q_l(a)].

    w_l = pi(a_1, ..., a_l|x_i) / pi_0(a_1, ..., a_l|x_i), w_0 = 1. Q_l(a) estimates the rewards from position l on,
    with a there, the logged items above and the policy's below. Unbiased where `RewardInteractionIPS` is, whatever Q
    is, where Q was not fitted on the same slates; Q = 0 gives that estimator, a good Q less variance.

    Source: Kiyohara, Saito, Matsuhiro, Narita, Shimizu and Yamamoto, Doubly robust off-policy evaluation for ranking
    policies under the cascade behavior model, WSDM 2022.
    """

    name: ClassVar[str] = "cascade-dr"

    def slate_rewards(self, feedback: SlateFeedback, action_dist: ArrayLike, q_hat: ArrayLike) -> FloatArray:
        """Each slate's contribution, `(n_slates,)`, slates by their id.

        Args:
            feedback: slates logged under pi_0, with `pscore_cascade`.
            action_dist: pi(a|x_i, a_1, ..., a_{l-1}), `(n_rows, n_actions)`, in the rows' order.
            q_hat: Q_l(a), `(n_rows, n_actions)`.

        Raises `HarnessError` without `pscore_cascade`, and for arrays of another shape or rows that are no distribution.
        """
        if feedback.pscore_cascade is None:
            raise HarnessError("feedback: has no pscore_cascade, which cascade-dr needs; give it, of shape (n_rows,)")
        shape = (feedback.n_rows, feedback.n_actions)
        pi = feedback.by_slate(checked_distribution("action_dist", action_dist, *shape))
        model = feedback.by_slate(checked_shape("q_hat", q_hat, shape, "(n_rows, n_actions)"))
        action = feedback.by_slate(feedback.action)[..., None]
        cascade = np.take_along_axis(pi, action, axis=2)[..., 0].cumprod(axis=1)
        with np.errstate(over="ignore"):
            weight = checked_finite(f"weights of {self.name}", cascade / feedback.by_slate(feedback.pscore_cascade))
        above = np.hstack([np.ones((len(weight), 1)), weight[:, :-1]])
        residual = feedback.by_slate(feedback.reward) - np.take_along_axis(model, action, axis=2)[..., 0]
        rewards: FloatArray = (weight * residual + above * (pi * model).sum(axis=2)).sum(axis=1)
        return rewards

    def estimate(self, feedback: SlateFeedback, action_dist: ArrayLike, q_hat: ArrayLike) -> float:
        """The estimated value of the policy, in reward a slate: the mean of `slate_rewards`, of the same arguments."""
        return float(self.slate_rewards(feedback, action_dist, q_hat).mean())
