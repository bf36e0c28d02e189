"""Inverse probability weighting with sub-Gaussian weights."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.arrays import FloatArray, checked_number
from harness.opl.evaluation.estimator import WeightedReward
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.sub_gaussian import sub_gaussian_weight


@dataclass(frozen=True)
class SubGaussianInverseProbabilityWeighting(WeightedReward):
    """V_hat = mean_i w_i / (1 - lambda + lambda w_i) r_i; lambda = 0 is inverse probability weighting.

    Source: Metelli, Russo and Restelli, Subgaussian and differentiable importance sampling for off-policy evaluation
    and learning, NeurIPS 2021.

    Args:
        lambda_: in [0, 1]; weights are at most 1 / lambda.
    """

    lambda_: float = 0.0
    name = "sg-ipw"

    def __post_init__(self) -> None:
        checked_number("lambda_", self.lambda_, 0, 1)

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_i / (1 - lambda + lambda w_i), `(n_rounds,)`."""
        return sub_gaussian_weight(feedback.importance_weight(action_dist), self.lambda_)
