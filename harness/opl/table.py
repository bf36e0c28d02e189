"""The frozen reward table of the golds, and the values that it alone determines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

TOLERANCE = 1e-6
_BLOCK_CELLS = 1 << 21


def reference_columns(golds: Envelope) -> dict[str, FloatArray]:
    """Value per context, each `(n_contexts,)`, of the policies `uniform`, `logging` and `optimal`.

    Raises `HarnessError` where the tables disagree with the golds or with each other, or hold what no table may hold.
    """
    rows = table_rows(golds)
    columns = {name: np.empty(len(rows)) for name in ("uniform", "logging", "optimal")}
    for block, rewards in reward_blocks(golds, rows):
        if not np.isfinite(rewards).all():
            raise HarnessError(f"{golds.where}: the reward table holds values that are not finite")
        logging = golds.arrays["logging"][rows[block]].astype(np.float64)
        if fault := distribution_fault(logging):
            raise HarnessError(f"{golds.where}: id {golds.ids[block][fault[0]]!r}: the logging policy {fault[1]}")
        uniform = np.full(rewards.shape, 1.0 / rewards.shape[1])
        columns["uniform"][block] = expected_reward(uniform, rewards)
        columns["logging"][block] = expected_reward(logging, rewards)
        columns["optimal"][block] = rewards.max(axis=1)
    return columns


def table_rows(golds: Envelope) -> NDArray[np.int64]:
    """The row of the reward table that each gold names, `(n_contexts,)`; raises `HarnessError`."""
    rewards, logging = golds.arrays["rewards"], golds.arrays["logging"]
    if rewards.shape != logging.shape:
        raise HarnessError(
            f"{golds.where}: rewards are {rewards.shape} but logging is {logging.shape}; "
            "both must be (n_contexts, n_actions)"
        )
    if rewards.shape[0] != len(golds.ids) or not rewards.shape[1]:
        raise HarnessError(
            f"{golds.where}: rewards are {rewards.shape} but there are {len(golds.ids)} golds; "
            "give one row for each gold and at least one action"
        )
    taken: dict[int, str] = {}
    for name, row in zip(golds.ids, golds.outputs, strict=True):
        if type(row) is not int or not 0 <= row < len(rewards):
            raise HarnessError(f"{golds.where}: id {name!r}: output must be a row number from 0 to {len(rewards) - 1}")
        if taken.setdefault(row, name) != name:
            raise HarnessError(f"{golds.where}: ids {taken[row]!r} and {name!r} name the same row {row}")
    return np.array(golds.outputs, dtype=np.int64)


def reward_blocks(golds: Envelope, rows: NDArray[np.int64]) -> Iterator[tuple[slice, FloatArray]]:
    """Slices of the golds with their rewards in float64, `(block, n_actions)`, small enough to stay in memory."""
    rewards = golds.arrays["rewards"]
    step = max(1, _BLOCK_CELLS // rewards.shape[1])
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        yield block, rewards[rows[block]].astype(np.float64)


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
    """sum_a pi(a|x) r(x, a) of each row of `(n, n_actions)`, with pi divided by its sum; `(n,)`.

    Held between the row's least and largest reward, which rounding could pass: a policy is never better than the
    optimal one, and where all rewards are equal all policies are.
    """
    values: FloatArray = np.einsum("ca,ca->c", action_dist / action_dist.sum(axis=1, keepdims=True), rewards)
    return np.clip(values, rewards.min(axis=1), rewards.max(axis=1))
