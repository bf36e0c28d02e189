"""Confidence intervals of the mean of round rewards."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from harness.errors import HarnessError
from harness.intervals import bootstrap_sums, percentile_interval
from harness.opl.evaluation.arrays import FloatArray, checked_count, checked_shape
from harness.opl.evaluation.student_t import student_t_quantile


@dataclass(frozen=True)
class Interval:
    """A mean and the two-sided interval [low, high] that covers its expectation with probability `level`."""

    mean: float
    low: float
    high: float
    level: float

    @property
    def half_width(self) -> float:
        """Half of high - low."""
        return (self.high - self.low) / 2


IntervalOf: TypeAlias = Callable[[FloatArray, float], Interval]


def bootstrap_interval(
    round_rewards: FloatArray, level: float = 0.95, *, n_bootstrap: int = 1000, seed: int = 0
) -> Interval:
    """The percentile interval of `n_bootstrap` resamples of the rounds, `(n_rounds,)`; the same for the same seed.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    rewards = _checked(round_rewards, level)
    checked_count("n_bootstrap", n_bootstrap)
    codes = np.arange(len(rewards), dtype=np.int64)
    sums = bootstrap_sums({"reward": rewards}, codes, n_bootstrap, np.random.default_rng(seed))
    bounds = percentile_interval(sums["reward"] / sums["n"], level)
    if bounds is None:
        raise HarnessError("round_rewards: are so large that their sums overflow; rescale the rewards")
    return Interval(float(rewards.mean()), *bounds, level)


def student_t_interval(round_rewards: FloatArray, level: float = 0.95) -> Interval:
    """mean +- t_{(1 + level) / 2, n - 1} s / sqrt(n), of `(n_rounds,)`: exact for normal rewards, else asymptotic.

    Source: Student, The probable error of a mean, Biometrika 1908; Thomas et al., ICML 2015.
    """
    rewards = _checked(round_rewards, level)
    n = len(rewards)
    half = student_t_quantile((1 + level) / 2, n - 1) * float(rewards.std(ddof=1)) / math.sqrt(n)
    return _around(rewards, half, level)


def empirical_bernstein_interval(
    round_rewards: FloatArray, level: float = 0.95, *, value_range: float | None = None
) -> Interval:
    """mean +- [sqrt(2 s^2 log(4 / alpha) / n) + 7 R log(4 / alpha) / (3 (n - 1))], alpha = 1 - level, of `(n_rounds,)`.

    Guaranteed at every n where `value_range`, R, bounds the difference of any two round rewards that could occur; from
    the observed range, as where it is None, it is not.

    Source: Maurer and Pontil, Empirical Bernstein bounds and sample variance penalization, COLT 2009, Theorem 4.
    """
    rewards = _checked(round_rewards, level)
    n, log = len(rewards), math.log(4 / (1 - level))
    spread = math.sqrt(2 * float(rewards.var(ddof=1)) * log / n)
    return _around(rewards, spread + 7 * _range(rewards, value_range) * log / (3 * (n - 1)), level)


def hoeffding_interval(round_rewards: FloatArray, level: float = 0.95, *, value_range: float | None = None) -> Interval:
    """mean +- R sqrt(log(2 / alpha) / (2 n)), alpha = 1 - level, of `(n_rounds,)`.

    Guaranteed at every n where `value_range`, R, bounds the difference of any two round rewards that could occur; from
    the observed range, as where it is None, it is not.

    Source: Hoeffding, Probability inequalities for sums of bounded random variables, JASA 1963.
    """
    rewards = _checked(round_rewards, level)
    half = _range(rewards, value_range) * math.sqrt(math.log(2 / (1 - level)) / (2 * len(rewards)))
    return _around(rewards, half, level)


INTERVALS: dict[str, IntervalOf] = {
    "bootstrap": bootstrap_interval,
    "student_t": student_t_interval,
    "empirical_bernstein": empirical_bernstein_interval,
    "hoeffding": hoeffding_interval,
}


def interval_named(name: str) -> IntervalOf:
    """The interval of that name; raises `HarnessError` with the names there are."""
    if name not in INTERVALS:
        raise HarnessError(f"interval: {name!r} is not known; choose one of {', '.join(INTERVALS)}")
    return INTERVALS[name]


def _checked(round_rewards: FloatArray, level: float) -> FloatArray:
    if not 0 < level < 1:
        raise HarnessError(f"level: is {level}, but must lie between 0 and 1, as 0.95 does")
    rewards = checked_shape("round_rewards", round_rewards, (np.size(round_rewards),), "(n_rounds,)")
    if len(rewards) < 2:
        raise HarnessError(f"round_rewards: are {len(rewards)} in number; an interval needs at least two rounds")
    return rewards


def _range(rewards: FloatArray, value_range: float | None) -> float:
    observed = float(np.ptp(rewards))
    if value_range is None:
        return observed
    if not observed <= value_range < math.inf:
        raise HarnessError(
            f"value_range: is {value_range}, but the round rewards span {observed:g}; it must bound them"
        )
    return value_range


def _around(rewards: FloatArray, half: float, level: float) -> Interval:
    mean = float(rewards.mean())
    return Interval(mean, mean - half, mean + half, level)
