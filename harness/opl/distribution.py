"""What every table of probabilities must be, and the expected reward under one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from harness.registry import FloatArray

TOLERANCE = 1e-6


def distribution_fault(action_dist: FloatArray) -> tuple[int, str] | None:
    """The first row of `(n, n_actions)` that is no distribution, and why; None where all are."""
    totals = action_dist.sum(axis=1)
    # A comparison with NaN is false, so "not good" also catches rows that are not finite.
    good = (action_dist.min(axis=1) >= 0) & (np.abs(totals - 1.0) <= TOLERANCE)
    if good.all():
        return None
    row = int(np.argmin(good))
    if not np.isfinite(action_dist[row]).all():
        return row, "holds probabilities that are not finite"
    if action_dist[row].min() < 0:
        return row, f"gives action {int(action_dist[row].argmin())} a negative probability"
    return row, f"has probabilities that sum to {totals[row]:.9g}, not to 1 (within {TOLERANCE:g})"


def expected_reward(action_dist: FloatArray, rewards: FloatArray) -> FloatArray:
    """sum_a pi(a|x) r(x, a) of each row of `(n, n_actions)`, with pi divided by its sum; `(n,)`."""
    # einsum rather than BLAS: its sums do not depend on the number of threads.
    values: FloatArray = np.einsum("ca,ca->c", action_dist, rewards) / action_dist.sum(axis=1)
    return values
