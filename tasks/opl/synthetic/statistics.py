"""Means over seeds with standard errors, and paired comparisons: every policy meets the same environments and logs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from harness.comparison import holm
from harness.opl.evaluation.student_t import student_t_quantile, student_t_tail
from tasks.opl.labels import REFERENCES
from tasks.opl.tables import Floats

Scores = Mapping[str, Mapping[int, Mapping[str, float]]]
"""policy -> seed -> metric -> value."""


@dataclass(frozen=True)
class Summary:
    """A policy over the seeds of a setting.

    `se_` are standard errors of the means over seeds, None for one seed; `optimality` is the mean of each seed's own ratio.
    [`low`, `high`] is Student's t interval of the mean value.
    """

    policy: str
    n_seeds: int
    value: float
    se_value: float | None
    low: float | None
    high: float | None
    optimality: float
    se_optimality: float | None

    def to_json(self) -> dict[str, object]:
        """As a plain mapping."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """`policy` less `other` over the seeds that both have: mean difference, its standard error, in how many seeds it is
    better, and the two-sided p-value of the paired t-test, `p_holm` adjusted for all pairs of the setting (Holm, 1979).
    """

    policy: str
    other: str
    n_seeds: int
    difference: float
    se: float | None
    wins: int
    p_value: float | None
    p_holm: float | None

    def to_json(self) -> dict[str, object]:
        """As a plain mapping."""
        return asdict(self)


def summarise(scores: Scores, level: float) -> list[Summary]:
    """One summary a policy, in the order given."""
    found = []
    for policy, seeds in scores.items():
        value, optimality = (
            np.array([metrics[name] for metrics in seeds.values()]) for name in ("policy_value", "optimality")
        )
        mean, se = float(value.mean()), standard_error(value)
        half = None if se is None else student_t_quantile((1 + level) / 2, len(value) - 1) * se
        low, high = (None, None) if half is None else (mean - half, mean + half)
        found.append(
            Summary(policy, len(value), mean, se, low, high, float(optimality.mean()), standard_error(optimality))
        )
    return found


def compare_pairs(scores: Scores) -> list[Comparison]:
    """Every pair of learners, `uniform`, `logging` and `optimal` left out."""
    learners = [policy for policy in scores if policy not in REFERENCES]
    found = []
    for policy, other in itertools.combinations(learners, 2):
        both = sorted(set(scores[policy]) & set(scores[other]))
        difference = np.array(
            [scores[policy][seed]["policy_value"] - scores[other][seed]["policy_value"] for seed in both]
        )
        if len(both):
            found.append((policy, other, difference, paired_p(difference)))
    tested = [p for *_, p in found if p is not None]
    adjusted = iter(holm(tested))
    return [
        Comparison(
            policy,
            other,
            len(difference),
            float(difference.mean()),
            standard_error(difference),
            int((difference > 0).sum()),
            p,
            None if p is None else next(adjusted),
        )
        for policy, other, difference, p in found
    ]


def standard_error(values: Floats) -> float | None:
    """Sample standard deviation / sqrt(n); None for one value."""
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None


def paired_p(difference: Floats) -> float | None:
    """Two-sided p-value of Student's t-test that the mean of paired differences `(n_seeds,)` is 0; None where they are fewer
    than two or all equal.
    """
    se = standard_error(difference)
    if not se:
        return None
    return 2 * student_t_tail(abs(float(difference.mean())) / se, len(difference) - 1)
