"""Off-policy evaluation by a conjunct effect model (OffCEM): cluster weights and a reward model."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.arrays import FloatArray, IntArray
from harness.opl.evaluation.estimator import WeightedResidual
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.marginal import cluster_weight


@dataclass(frozen=True, eq=False)
class OffCEM(WeightedResidual):
    """V_hat = mean_i [sum_a pi(a|x_i) q_hat(x_i, a) + w(x_i, c(a_i)) (r_i - q_hat(x_i, a_i))].

    w(x, c) = sum_{a in c} pi(a|x) / sum_{a in c} pi_0(a|x). Unbiased where q_hat has the reward's differences between the
    actions of a cluster right. The feedback needs `logging_dist`.

    Source: Saito, Ren and Joachims, Off-policy evaluation for large action spaces via conjunct effect modeling, ICML
    2023.

    Args:
        clusters: c(a), `(n_actions,)`, integers from 0.
    """

    clusters: IntArray
    name = "offcem"

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w(x_i, c(a_i)), `(n_rounds,)`."""
        return cluster_weight(feedback, action_dist, self.clusters)
