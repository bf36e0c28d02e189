"""The doubly robust estimator, clipped where asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.opl.evaluation.arrays import FloatArray, checked_number
from harness.opl.evaluation.estimator import WeightedResidual
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class DoublyRobust(WeightedResidual):
    """V_hat = mean_i [sum_a pi(a|x_i) q_hat(x_i, a) + min(w_i, lambda) (r_i - q_hat(x_i, a_i))].

    Unbiased for lambda = inf, whatever q_hat is, where q_hat was not fitted on the same rounds.

    Source: Dudik, Erhan, Langford and Li, Doubly robust policy evaluation and optimization, Statistical Science 2014.

    Args:
        lambda_: largest weight, greater than 0.
    """

    lambda_: float = np.inf
    name = "dr"

    def __post_init__(self) -> None:
        checked_number("lambda_", self.lambda_, 0, open_low=True)

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """min(w_i, lambda), `(n_rounds,)`."""
        return np.minimum(feedback.importance_weight(action_dist), self.lambda_)
