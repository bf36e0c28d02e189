"""Balanced inverse probability weighting: weights estimated from the actions, not from logged probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_integers
from harness.opl.evaluation.estimator import WeightedReward
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True, eq=False)
class BalancedInverseProbabilityWeighting(WeightedReward):
    """V_hat = mean_i w_hat(s_i, a_i) r_i, w_hat the odds that a (stratum, action) pair came from pi rather than pi_0.

    w_hat(s, a) = sum_{i: s_i = s} pi(a|x_i) / #{i: s_i = s, a_i = a}: what the classifier of the source gives when it is
    saturated in stratum and action, so it has no fit to tune. It uses no `pscore`. It is consistent where, within a
    stratum, the expected reward does not depend on the context, or neither policy does; otherwise it is biased.

    Source: Sondhi, Arbour and Dimmery, Balanced off-policy evaluation in general action spaces, AISTATS 2020.

    Args:
        strata: the stratum of each round, `(n_rounds,)`, integers from 0; the feedback's positions where None.
    """

    strata: IntArray | None = None
    name = "b-ipw"

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_hat(s_i, a_i), `(n_rounds,)`."""
        strata = self.strata if self.strata is not None else feedback.position
        if strata is None:
            strata = np.zeros(feedback.n_rounds, dtype=np.int64)
        checked = checked_integers("strata", strata, feedback.n_rounds, "(n_rounds,)")
        _, code = np.unique(checked, return_inverse=True)
        expected = np.zeros((int(code.max()) + 1, feedback.n_actions))
        np.add.at(expected, code, action_dist)
        logged = np.zeros_like(expected)
        np.add.at(logged, (code, feedback.action), 1.0)
        odds: FloatArray = expected[code, feedback.action] / logged[code, feedback.action]
        return odds
