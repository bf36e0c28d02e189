"""Actions drawn from a policy."""

from __future__ import annotations

import numpy as np

from harness.opl.evaluation.arrays import FloatArray, IntArray


def drawn_actions(action_dist: FloatArray, rng: np.random.Generator) -> IntArray:
    """One action of each row of pi(a|x_i), `(n_rounds, n_actions)`: `(n_rounds,)`."""
    cumulated = action_dist.cumsum(axis=1)[:, :-1]
    actions: IntArray = (rng.random((len(action_dist), 1)) >= cumulated).sum(axis=1)
    return actions
