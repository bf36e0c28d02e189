"""Self-normalised inverse probability weighting."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import WeightedReward, self_normalized
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class SelfNormalizedInverseProbabilityWeighting(WeightedReward):
    """V_hat = sum_i w_i r_i / sum_i w_i: stays within the range of the rewards, shifts with them; consistent.

    Round rewards are V_hat + w_i (r_i - V_hat) / mean(w), whose mean is V_hat and whose spread that of the ratio.

    Source: Swaminathan and Joachims, The self-normalized estimator for counterfactual learning, NeurIPS 2015.
    """

    name = "snipw"

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_i, `(n_rounds,)`, before normalisation."""
        return feedback.importance_weight(action_dist)

    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        return self_normalized(weight, feedback.reward, self.name)
