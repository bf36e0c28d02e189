"""SLOPE: choosing a hyper-parameter of an estimator from the logs alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import OffPolicyEstimator
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.intervals import Interval, IntervalOf, student_t_interval

_LEPSKI = math.sqrt(6) - 1


@dataclass(frozen=True)
class SlopeSelection:
    """The chosen estimator, its place among the candidates as given, and the interval of each, in that order."""

    estimator: OffPolicyEstimator
    index: int
    intervals: tuple[Interval, ...]


def select_by_slope(
    candidates: Sequence[OffPolicyEstimator],
    feedback: BanditFeedback,
    action_dist: FloatArray,
    q_hat: FloatArray | None = None,
    *,
    level: float = 0.95,
    interval: IntervalOf = student_t_interval,
) -> SlopeSelection:
    """The candidate of least width that no wider one contradicts: Lepski's principle.

    Candidates are ordered by the half-width c_k of their intervals, widest first; bias is taken to grow as width falls,
    as it does along clipping (`lambda_`), switching (`tau`) and shrinkage. The choice is the last k for which
    |V_k - V_j| <= c_k + (sqrt(6) - 1) c_j for all j < k, at k and at every earlier place. Of candidates of
    equal width the one given last is chosen.

    Source: Su, Srinath and Krishnamurthy, Adaptive estimator selection for off-policy evaluation, ICML 2020; Tucker and
    Lee, Improved estimator selection for off-policy evaluation, 2021.

    Args:
        candidates: estimators of one kind, as `[DoublyRobust(lambda_=value) for value in (1, 10, 100)]`.
        feedback: rounds logged under pi_0.
        action_dist: pi(a|x_i), `(n_rounds, n_actions)`.
        q_hat: estimated rewards, `(n_rounds, n_actions)`, where the candidates need them.
        level: confidence of each interval.
        interval: from `(n_rounds,)` round rewards and a level to an `Interval`.

    Raises `HarnessError` without candidates, and as they do.
    """
    if not candidates:
        raise HarnessError("candidates: are none; give at least one estimator")
    intervals = tuple(interval(each.round_rewards(feedback, action_dist, q_hat), level) for each in candidates)
    chosen = slope_choice(intervals)
    return SlopeSelection(candidates[chosen], chosen, intervals)


def slope_choice(intervals: Sequence[Interval]) -> int:
    """The place of the interval that `select_by_slope` would choose: for candidates of another kind than its own.

    Raises `HarnessError` without intervals.
    """
    if not intervals:
        raise HarnessError("intervals: are none; give that of at least one candidate")
    order = sorted(range(len(intervals)), key=lambda index: -intervals[index].half_width)
    chosen = order[0]
    for place, index in enumerate(order):
        if not all(_agree(intervals[index], intervals[wider]) for wider in order[:place]):
            break
        chosen = index
    return chosen


def _agree(narrow: Interval, wide: Interval) -> bool:
    return abs(narrow.mean - wide.mean) <= narrow.half_width + _LEPSKI * wide.half_width
