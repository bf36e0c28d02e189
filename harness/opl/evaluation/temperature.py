"""Temperature scaling: one number that makes a classifier's probabilities as bold as its hits allow."""

from __future__ import annotations

import math

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_distribution, checked_integers, checked_number

_LARGEST = 1e6  # an inverse temperature at which only the most probable action is left
_STEPS = 200


def fit_temperature(action_dist: FloatArray, action: IntArray) -> float:
    """The T > 0 under which pi(a|x)^(1/T) / sum_b pi(b|x)^(1/T) makes the actions most likely; math.inf for uniform.

    The log likelihood is concave in 1/T, so bisection of its slope finds the maximum. T > 1 tempers probabilities
    that are too bold, T < 1 sharpens timid ones. Give probabilities of rounds that the classifier has not seen.

    Source: Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks, ICML 2017.

    Args:
        action_dist: pi(a|x_i), `(n_rounds, n_actions)`, positive at the actions.
        action: a_i, `(n_rounds,)`.

    Raises `HarnessError` where an action has probability 0, or where every action is the most probable one of its
    round, so that a colder distribution is always likelier.
    """
    pi = checked_distribution("action_dist", action_dist, *_shape(action_dist))
    taken = checked_integers("action", action, len(pi), "(n_rounds,)", pi.shape[1])
    probability = pi[np.arange(len(pi)), taken]
    if (probability <= 0).any():
        raise HarnessError(f"action_dist: gives the action of round {int(np.argmin(probability))} probability 0")
    log_pi = np.log(np.where(pi > 0, pi, 1.0))

    def slope(inverse: float) -> float:
        expected = (_tempered(pi, inverse) * log_pi).sum(axis=1)
        return float((np.log(probability) - expected).mean())

    if slope(0.0) <= 0:
        return math.inf
    if slope(_LARGEST) >= 0:
        raise HarnessError("action_dist: each round's action is its most probable one, so no temperature is best")
    low, high = 0.0, _LARGEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return 2 / (low + high)


def with_temperature(action_dist: FloatArray, temperature: float) -> FloatArray:
    """pi(a|x)^(1/T) / sum_b pi(b|x)^(1/T), `(n_rounds, n_actions)`; 0 where pi is, for T = math.inf too."""
    checked_number("temperature", temperature, 0, open_low=True)
    return _tempered(checked_distribution("action_dist", action_dist, *_shape(action_dist)), 1 / temperature)


def _tempered(pi: FloatArray, inverse: float) -> FloatArray:
    relative = pi / pi.max(axis=1, keepdims=True)  # powers of small probabilities alone would vanish
    raised = np.where(pi > 0, relative, 0.0) ** inverse * (pi > 0)
    tempered: FloatArray = raised / raised.sum(axis=1, keepdims=True)
    return tempered


def _shape(table: FloatArray) -> tuple[int, int]:
    shape = np.shape(table)
    if len(shape) != 2 or 0 in shape:
        raise HarnessError(f"action_dist: has shape {shape}, but must be (n_rounds, n_actions)")
    return shape[0], shape[1]
