"""Self-normalised inverse probability weighting by a kernel of outputs."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import self_normalized
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.kernel_ips import KernelInverseProbabilityWeighting


@dataclass(frozen=True, eq=False)
class SelfNormalizedKernelInverseProbabilityWeighting(KernelInverseProbabilityWeighting):
    """V_hat = sum_i w_i r_i / sum_i w_i, with the weights and arguments of `KernelInverseProbabilityWeighting`.

    Round rewards hold the linearised ratio, as those of `SelfNormalizedInverseProbabilityWeighting` do.
    """

    name = "sn-kernel-ipw"

    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        return self_normalized(weight, feedback.reward, self.name)
