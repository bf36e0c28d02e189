"""The frozen table of rewards in the golds of `opl_policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError
from harness.opl.policy import RewardSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray


def table_source(golds: Envelope) -> RewardSource:
    """Rewards and logging policy out of the golds' two tables; raises `HarnessError` where they do not fit."""
    rewards, logging = golds.arrays["rewards"], golds.arrays["logging"]
    if rewards.shape != logging.shape or not rewards.shape[1]:
        raise HarnessError(
            f"{golds.where}: rewards are {rewards.shape} but logging is {logging.shape}; "
            "both must be (n_contexts, n_actions) with at least one action"
        )
    rows = gold_rows(golds, "rewards")

    def tables(block: slice) -> tuple[FloatArray, FloatArray]:
        return rewards[rows[block]].astype(np.float64), logging[rows[block]].astype(np.float64)

    return RewardSource(rewards.shape[1], tables)


def gold_rows(golds: Envelope, array: str) -> NDArray[np.int64]:
    """The row of `array` that each gold names, `(n_contexts,)`, where no two may name one; raises `HarnessError`."""
    n_rows = len(golds.arrays[array])
    if n_rows != golds.size:
        raise HarnessError(
            f"{golds.where}: {array} are {golds.arrays[array].shape} but there are {golds.size} golds; "
            "give one row for each gold"
        )
    taken: dict[int, str] = {}
    for name, row in zip(golds.ids, golds.outputs, strict=True):
        if type(row) is not int or not 0 <= row < n_rows:
            raise HarnessError(f"{golds.where}: id {name!r}: output must be a row number from 0 to {n_rows - 1}")
        if taken.setdefault(row, name) != name:
            raise HarnessError(f"{golds.where}: ids {taken[row]!r} and {name!r} name the same row {row}")
    return np.array(golds.outputs, dtype=np.int64)
