"""What the importance-weighted estimators of slates share: a weight for each item's reward."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from harness.opl.evaluation.arrays import FloatArray, checked_finite
from harness.opl.evaluation.estimator import self_normalized
from harness.opl.evaluation.slate.feedback import SlateFeedback


@dataclass(frozen=True)
class SlateWeighting(ABC):
    """V_hat = mean_i sum_l w_il r_il, w_il the ratio of the policies' probabilities of one kind, which a subclass names.

    Self-normalised it is sum_l [sum_i w_il r_il / sum_i w_il]: consistent, and it shifts with the rewards (Swaminathan
    and Joachims, The self-normalized estimator for counterfactual learning, NeurIPS 2015, at each position).

    Args:
        self_normalized: whether weights are divided by their mean at the position.
    """

    self_normalized: bool = False
    name: ClassVar[str]
    kind: ClassVar[str]

    def slate_rewards(self, feedback: SlateFeedback, policy_pscore: ArrayLike) -> FloatArray:
        """Each slate's contribution, `(n_slates,)`, slates by their id; intervals of their mean are the estimate's.

        Args:
            feedback: slates logged under pi_0, with the probability that the estimator is named for.
            policy_pscore: the same probability under the policy to evaluate, `(n_rows,)`, in the rows' order.

        Raises `HarnessError` where either is missing, of another shape, or no such probability, or a weight is too large
        for a float.
        """
        policy, logged = feedback.checked_policy(self.kind, policy_pscore)
        with np.errstate(over="ignore"):
            weight = checked_finite(f"weights of {self.name}", policy / logged)
        reward = feedback.by_slate(feedback.reward)
        if not self.self_normalized:
            plain: FloatArray = (weight * reward).sum(axis=1)
            return plain
        columns = zip(weight.T, reward.T, strict=True)
        ratios: FloatArray = np.sum([self_normalized(w, r, f"sn-{self.name}") for w, r in columns], axis=0)
        return ratios

    def estimate(self, feedback: SlateFeedback, policy_pscore: ArrayLike) -> float:
        """The estimated value of the policy, in reward a slate: the mean of `slate_rewards`, of the same arguments."""
        return float(self.slate_rewards(feedback, policy_pscore).mean())
