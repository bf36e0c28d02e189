"""The distribution function of the normal law, which NumPy lacks."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from harness.registry import FloatArray

_PER_UNIT = 128  # nodes; no number lies farther than 1 / 256 from one
_END = 9  # 1 - Phi(9) is 1e-19, below the resolution of a float


def normal_cdf(x: FloatArray) -> FloatArray:
    """Phi(x) of every number, within 2.3e-16: Taylor's polynomial of degree 5 around the nearest of 2,305 exact values.

    Its remainder is below 3e-17, as phi's fifth derivative is at most 6 (Abramowitz and Stegun 1964, 26.2.28).
    """
    held = np.clip(x, -_END, _END)
    node = np.rint(held * _PER_UNIT)
    distance = held - node / _PER_UNIT
    index = np.fmax(node, -_END * _PER_UNIT).astype(np.intp) + _END * _PER_UNIT  # fmax: NaN has an index, too
    highest, *lower = _coefficients()
    value = highest[index]
    for coefficient in lower:
        value *= distance
        value += coefficient[index]
    return value


@cache
def _coefficients() -> tuple[FloatArray, ...]:
    """Phi's Taylor coefficients at each node, `(n_nodes,)`, from the fifth down to Phi itself."""
    x = np.arange(-_END * _PER_UNIT, _END * _PER_UNIT + 1) / _PER_UNIT
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    # Derivatives of the density are Hermite polynomials times the density.
    hermite = (np.ones_like(x), -x, x**2 - 1, -(x**3) + 3 * x, x**4 - 6 * x**2 + 3)
    slopes = [density * polynomial / math.factorial(order) for order, polynomial in enumerate(hermite, start=1)]
    exact = np.array([math.erfc(-number / math.sqrt(2)) / 2 for number in x.tolist()])
    return (*reversed(slopes), exact)
