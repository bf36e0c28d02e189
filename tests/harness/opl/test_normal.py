"""The normal distribution function, beside the standard library's error function."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.opl.normal import normal_cdf


@given(st.lists(st.floats(-40, 40), min_size=1))
def test_equals_the_error_function(numbers: list[float]) -> None:
    exact = np.array([math.erfc(-number / math.sqrt(2)) / 2 for number in numbers])
    assert np.abs(normal_cdf(np.array(numbers)) - exact).max() <= 2.3e-16


def test_is_a_distribution_function() -> None:
    grid = np.linspace(-12, 12, 200_001)
    below, above = normal_cdf(grid), normal_cdf(-grid)
    assert below.min() >= 0 and below.max() <= 1 and np.diff(below).min() >= -2.3e-16
    assert np.abs(below + above - 1).max() <= 4.6e-16
    assert np.isnan(normal_cdf(np.array([np.nan]))).all()
