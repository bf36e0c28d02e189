"""The self-normalised doubly robust estimator."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import WeightedResidual, modelled_reward, self_normalized
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class SelfNormalizedDoublyRobust(WeightedResidual):
    """V_hat = mean_i sum_a pi(a|x_i) q_hat(x_i, a) + sum_i w_i (r_i - q_hat(x_i, a_i)) / sum_i w_i.

    Round rewards hold the linearised ratio, as those of `SelfNormalizedInverseProbabilityWeighting` do; consistent.

    Source: Kallus and Uehara, Intrinsically efficient, stable, and bounded off-policy evaluation, NeurIPS 2019.
    """

    name = "sndr"

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_i, `(n_rounds,)`, before normalisation."""
        return feedback.importance_weight(action_dist)

    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        residual = feedback.reward - feedback.of_logged(q_hat)
        return modelled_reward(pi, q_hat) + self_normalized(weight, residual, self.name)
