"""Self-normalised inverse probability weighting of continuous actions."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.continuous.feedback import ContinuousFeedback
from harness.opl.evaluation.continuous.kernelized_ips import KernelizedInverseProbabilityWeighting
from harness.opl.evaluation.estimator import self_normalized


@dataclass(frozen=True)
class KernelizedSelfNormalizedInverseProbabilityWeighting(KernelizedInverseProbabilityWeighting):
    """V_hat = sum_i w_i r_i / sum_i w_i, with the weights and arguments of `KernelizedEstimator`."""

    name = "kernelized-snipw"

    def round_rewards(self, feedback: ContinuousFeedback, policy_action: ArrayLike) -> FloatArray:
        """The linearised ratio, `(n_rounds,)`; raises `HarnessError` where every weight is 0."""
        return self_normalized(self.weight(feedback, policy_action), feedback.reward, self.name)
