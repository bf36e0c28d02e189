"""Doubly robust with optimistic shrinkage."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.opl.evaluation.arrays import FloatArray, checked_number
from harness.opl.evaluation.estimator import WeightedResidual
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class DoublyRobustWithShrinkage(WeightedResidual):
    """V_hat = mean_i [sum_a pi(a|x_i) q_hat(x_i, a) + lambda w_i / (w_i^2 + lambda) (r_i - q_hat(x_i, a_i))].

    lambda = 0 is the direct method, lambda = inf the doubly robust estimator.

    Source: Su, Dimakopoulou, Krishnamurthy and Dudik, Doubly robust off-policy evaluation with shrinkage, ICML 2020.

    Args:
        lambda_: at least 0; weights beyond its square root are shrunk most.
    """

    lambda_: float = np.inf
    name = "dr-os"

    def __post_init__(self) -> None:
        checked_number("lambda_", self.lambda_, 0)

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """lambda w_i / (w_i^2 + lambda), `(n_rounds,)`."""
        weight = feedback.importance_weight(action_dist)
        if math.isinf(self.lambda_):
            return weight
        if self.lambda_ == 0:
            return np.zeros_like(weight)
        # Divided by lambda: w^2 + lambda would lose the 1 of small weights for large lambda.
        with np.errstate(over="ignore"):  # the weight is then shrunk to 0
            shrunk: FloatArray = weight / (weight * (weight / self.lambda_) + 1)
        return shrunk
