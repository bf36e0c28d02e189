"""Quantiles of Student's t, which NumPy lacks."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL_FROM = 10_000_000  # degrees of freedom from which t and the normal law agree within 3e-7
_STEPS = 200
_STEPS_OF_FRACTION = 100_000
_PRECISION = 1e-15


@lru_cache(maxsize=256)
def student_t_quantile(probability: float, degrees: int) -> float:
    """The `probability` quantile, in [0.5, 1), of t with `degrees` >= 1 degrees of freedom, by bisection."""
    if degrees >= _NORMAL_FROM:
        return NormalDist().inv_cdf(probability)
    low, high = 0.0, 1.0
    while student_t_tail(high, degrees) > 1 - probability:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if student_t_tail(middle, degrees) > 1 - probability else (low, middle)
    return (low + high) / 2


def student_t_tail(t: float, degrees: int) -> float:
    """P(T > t) = I_x(degrees / 2, 1 / 2) / 2 at x = degrees / (degrees + t^2) (Abramowitz and Stegun 1964, 26.5.27)."""
    return _incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t), t * t / (degrees + t * t)) / 2


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """The regularised incomplete beta function I_x(a, b), with `rest` = 1 - x to full precision."""
    if x <= 0 or rest <= 0:
        return float(rest <= 0)
    if x > (a + 1) / (a + b + 2):  # where the fraction below converges slowly
        return 1 - _incomplete_beta(b, a, rest, x)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    return math.exp(scale) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (26.5.8), by Lentz's method."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS_OF_FRACTION):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            c, d = 1 + term / c, 1 / (1 + term * d)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value
