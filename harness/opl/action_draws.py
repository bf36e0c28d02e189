"""Draws actions from tables of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray


def draw_actions(action_dist: FloatArray, uniform: FloatArray) -> NDArray[np.int64]:
    """a ~ pi(.|x) by inversion: the first action whose cumulative probability exceeds u, so never one of probability 0.

    Args:
        action_dist: pi(a|x) `(n_rounds, n_actions)`; rows need not sum to 1.
        uniform: draws from [0, 1) `(n_rounds,)`.
    """
    cumulative = np.cumsum(action_dist, axis=1)
    threshold = uniform[:, None] * cumulative[:, -1:]
    actions: NDArray[np.int64] = np.argmax(cumulative > threshold, axis=1)
    return actions
