"""What an action does to the output: the functions g of mu(q, a) = q M + g(e_a N)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from harness.opl.environment_settings import EnvironmentSettings
    from harness.registry import FloatArray

    Generator = Callable[[FloatArray, EnvironmentSettings], FloatArray]

_RATIONAL_BOUND = 5.0
_POWER_BOUND = 5.0


def linear(z: FloatArray, settings: EnvironmentSettings) -> FloatArray:
    """z."""
    return z


def sigmoid(z: FloatArray, settings: EnvironmentSettings) -> FloatArray:
    """max_abs_val / (1 + exp(-scaler z))."""
    return settings.max_abs_val * (1 + np.tanh(settings.scaler * z / 2)) / 2  # tanh does not overflow


def trigonometric(z: FloatArray, settings: EnvironmentSettings) -> FloatArray:
    """max_abs_val sin(scaler z)."""
    return settings.max_abs_val * np.sin(settings.scaler * z)


def rational(z: FloatArray, settings: EnvironmentSettings) -> FloatArray:
    """l / (1 + b + l) held between -5 and 5, with l = z + b."""
    bias = settings.bias or 0.0
    shifted = z + bias
    with np.errstate(divide="ignore"):  # at the pole it is infinite and then held
        held: FloatArray = np.clip(shifted / (1 + bias + shifted), -_RATIONAL_BOUND, _RATIONAL_BOUND)
    return held


def power(z: FloatArray, settings: EnvironmentSettings) -> FloatArray:
    """y / 4 |(y^2 - 9) (y^2 - 25)|^(1/5) with y = scaler z, and 0 where y is not within (-5, 5)."""
    y = settings.scaler * z
    y = np.where(np.abs(y) < _POWER_BOUND, y, 0.0)
    outputs: FloatArray = y / 4 * np.abs((y**2 - 9) * (y**2 - 25)) ** 0.2
    return outputs


def exponential(z: FloatArray, settings: EnvironmentSettings) -> FloatArray:
    """25 z / (1 + exp(z) + exp(-z))."""
    with np.errstate(over="ignore"):  # far out the quotient is 0
        outputs: FloatArray = 25 * z / (1 + np.exp(z) + np.exp(-z))
    return outputs


GENERATORS: Mapping[str, Generator] = {
    "linear": linear,
    "sigmoid": sigmoid,
    "trigonometric": trigonometric,
    "rational": rational,
    "power": power,
    "exponential": exponential,
}
