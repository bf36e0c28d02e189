"""The replay method: the rounds in which a uniform log did what the policy would have done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import WeightedReward, self_normalized
from harness.opl.evaluation.feedback import BanditFeedback

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Replay(WeightedReward):
    """V_hat = sum_i 1{a_i = pi(x_i)} r_i / sum_i 1{a_i = pi(x_i)}, for a deterministic policy and a uniform log.

    Round rewards hold the linearised ratio, as those of `SelfNormalizedInverseProbabilityWeighting` do.

    Source: Li, Chu, Langford and Wang, Unbiased offline evaluation of contextual-bandit-based news article
    recommendation algorithms, WSDM 2011.
    """

    name = "replay"

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """1{a_i = pi(x_i)}, `(n_rounds,)`; raises `HarnessError` for another policy or another log."""
        if np.ptp(feedback.pscore) > _TOLERANCE * feedback.pscore.max():
            raise HarnessError(
                f"pscore: runs from {feedback.pscore.min():g} to {feedback.pscore.max():g}, but replay needs a uniform "
                "log; use snipw"
            )
        drawn = action_dist.max(axis=1) < 1 - _TOLERANCE
        if drawn.any():
            raise HarnessError(
                f"action_dist: row {int(np.argmax(drawn))} is not deterministic, as replay needs it; use snipw"
            )
        return (feedback.of_logged(action_dist) > _TOLERANCE).astype(np.float64)

    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        return self_normalized(weight, feedback.reward, self.name)
