"""Inverse probability weighting, clipped where asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.opl.evaluation.arrays import FloatArray, checked_number
from harness.opl.evaluation.estimator import WeightedReward
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class InverseProbabilityWeighting(WeightedReward):
    """V_hat = mean_i min(w_i, lambda) r_i, w_i = pi(a_i|x_i) / pi_0(a_i|x_i); unbiased for lambda = inf.

    Source: Horvitz and Thompson, JASA 1952; clipping: Ionides, Truncated importance sampling, JCGS 2008.

    Args:
        lambda_: largest weight, greater than 0.
    """

    lambda_: float = np.inf
    name = "ipw"

    def __post_init__(self) -> None:
        checked_number("lambda_", self.lambda_, 0, open_low=True)

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """min(w_i, lambda), `(n_rounds,)`."""
        return np.minimum(feedback.importance_weight(action_dist), self.lambda_)
