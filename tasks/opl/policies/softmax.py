"""The softmax policy of any scores."""

from __future__ import annotations

import math

from torch import Tensor

from tasks.api import TaskError
from tasks.opl.policies.scores import Scorer, scores_of
from tasks.opl.problem import FeatureTensors, Policy


class SoftmaxPolicy(Policy):
    """pi(a|x) = exp(beta s(x, a)) / sum_a' exp(beta s(x, a')).

    The inverse temperature beta is 0 for the uniform policy; below 0 the worst actions are the likeliest. Over a reward model
    it is the logging policy of Kiyohara et al.'s synthetic experiment (2025), over an online policy that of their language one.
    """

    def __init__(self, scorer: Scorer, beta: float = 1.0) -> None:
        """Args:
        scorer: gives s.
        beta: any finite number.

        Raises:
            TaskError: beta is not finite.
        """
        super().__init__()
        if not math.isfinite(beta):
            raise TaskError(
                f"beta is {beta}; give a finite inverse temperature, or an EpsilonGreedyPolicy for its limit"
            )
        self.scorer, self.beta = scorer, beta

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`.

        Raises:
            TaskError: beta is at most 0 where a score is minus infinity, or a score is not a number.
        """
        logits = self.beta * scores_of(self.scorer, features, context)
        wrong = logits.isnan() | logits.isposinf()
        if bool(wrong.any()):
            row, action = wrong.nonzero()[0].tolist()
            raise TaskError(
                f"scores: beta {self.beta} times that of action {action} in row {row} is {float(logits[row, action])}; "
                "scores must be finite, or minus infinity where beta is above 0"
            )
        return logits
