"""Switch: doubly robust where weights are small, the reward model where they are large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.opl.evaluation.arrays import FloatArray, checked_number
from harness.opl.evaluation.estimator import WeightedResidual
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class SwitchDoublyRobust(WeightedResidual):
    """V_hat = mean_i [sum_a pi(a|x_i) q_hat(x_i, a) + w_i 1{w_i <= tau} (r_i - q_hat(x_i, a_i))].

    tau = 0 is the direct method, tau = inf the doubly robust estimator.

    Source: Wang, Agarwal and Dudik, Optimal and adaptive off-policy evaluation in contextual bandits, ICML 2017.

    Args:
        tau: largest weight that is used, at least 0.
    """

    tau: float = np.inf
    name = "switch-dr"

    def __post_init__(self) -> None:
        checked_number("tau", self.tau, 0)

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_i 1{w_i <= tau}, `(n_rounds,)`."""
        weight = feedback.importance_weight(action_dist)
        return np.where(weight <= self.tau, weight, 0.0)
