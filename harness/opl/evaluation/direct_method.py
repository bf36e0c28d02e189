"""The direct method: trust the reward model."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import OffPolicyEstimator, modelled_reward
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class DirectMethod(OffPolicyEstimator):
    """V_hat = mean_i sum_a pi(a|x_i) q_hat(x_i, a): no weights, all of the reward model's bias.

    Source: Beygelzimer and Langford, The offset tree for learning with partial labels, KDD 2009.
    """

    name = "dm"
    needs_q_hat = True

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> None:
        """None: logged rewards enter through the model alone."""

    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        return modelled_reward(pi, q_hat)
