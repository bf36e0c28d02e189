"""Inverse probability weighting of continuous actions."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.continuous.estimator import KernelizedEstimator
from harness.opl.evaluation.continuous.feedback import ContinuousFeedback


@dataclass(frozen=True)
class KernelizedInverseProbabilityWeighting(KernelizedEstimator):
    """V_hat = mean_i w_i r_i, with the weights and arguments of `KernelizedEstimator`."""

    name = "kernelized-ipw"

    def round_rewards(self, feedback: ContinuousFeedback, policy_action: ArrayLike) -> FloatArray:
        """w_i r_i, `(n_rounds,)`, of pi(x_i), `(n_rounds,)`."""
        return self.weight(feedback, policy_action) * feedback.reward

    def estimate(self, feedback: ContinuousFeedback, policy_action: ArrayLike) -> float:
        """The estimated value of the policy: the mean of `round_rewards`, of the same arguments."""
        return float(self.round_rewards(feedback, policy_action).mean())
