"""Whether the logs can carry an estimate: how few rounds its weights rest on, and what the logs never tried."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.opl.evaluation.arrays import FloatArray, checked_distribution, checked_number
from harness.opl.evaluation.feedback import BanditFeedback


@dataclass(frozen=True)
class WeightDiagnostics:
    """Of the importance weights w_i of a policy over logged rounds.

    `mean_weight` is near 1 where the logs support the policy. `deficient_support` is the policy's probability, averaged
    over the rounds, of actions the logging policy cannot take: no estimator sees what they earn.
    """

    effective_sample_size: float
    max_weight: float
    mean_weight: float
    clipped_share: float
    deficient_support: float


def diagnose(feedback: BanditFeedback, action_dist: FloatArray, clip: float = math.inf) -> WeightDiagnostics:
    """The diagnostics of `action_dist`, `(n_rounds, n_actions)`; `clip` is the largest weight that is kept as it is."""
    checked_number("clip", clip, 0, open_low=True)
    pi = checked_distribution("action_dist", action_dist, feedback.n_rounds, feedback.n_actions)
    weight = feedback.importance_weight(pi)
    return WeightDiagnostics(
        effective_sample_size=effective_sample_size(weight),
        max_weight=float(weight.max()),
        mean_weight=float(weight.mean()),
        clipped_share=float((weight > clip).mean()),
        deficient_support=deficient_support(feedback, pi),
    )


def effective_sample_size(weight: FloatArray) -> float:
    """(sum_i w_i)^2 / sum_i w_i^2 of weights `(n_rounds,)`, in rounds; 0 where all are 0.

    Source: Kish, Survey Sampling, 1965; for importance sampling, Kong, A note on importance sampling, 1992.
    """
    largest = float(np.max(weight, initial=0.0))
    if largest == 0:
        return 0.0
    scaled = weight / largest  # squares of huge or tiny weights would overflow or vanish
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def deficient_support(feedback: BanditFeedback, action_dist: FloatArray) -> float:
    """mean_i sum_a pi(a|x_i) 1{pi_0(a|x_i) = 0}, in [0, 1], of `(n_rounds, n_actions)`.

    Where the feedback has no `logging_dist`, an action counts as unsupported when it was never logged in the round's
    position, or never at all where there are no positions.

    Source: Sachdeva, Su and Joachims, Off-policy bandits with deficient support, KDD 2020.
    """
    if feedback.logging_dist is not None:
        unsupported = feedback.logging_dist == 0
    else:
        where = np.zeros(feedback.n_rounds, dtype=np.int64) if feedback.position is None else feedback.position
        _, code = np.unique(where, return_inverse=True)
        logged = np.zeros((int(code.max()) + 1, feedback.n_actions), dtype=bool)
        logged[code, feedback.action] = True
        unsupported = ~logged[code]
    return float(np.where(unsupported, action_dist, 0.0).sum(axis=1).mean())
