"""How good a policy is where the expected reward of every context and action is known: exact, one block at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError, SelectionError
from harness.opl.distribution import distribution_fault, expected_reward
from harness.opl.predictions import action_dist
from harness.registry import Samples

if TYPE_CHECKING:
    from harness.registry import FloatArray

# A block's tables stay in the processor's cache: 256 KiB each.
_BLOCK_CELLS = 1 << 15
_LARGEST = 1e100  # sums over contexts stay far from infinity
_SMALLEST = 1e-100  # what is divided by stays far from 0


@dataclass(frozen=True)
class RewardSource:
    """Expected rewards and logging policy of the golds' contexts.

    `tables` gives both for a slice of the golds, each `(block, n_actions)` in float64, the same numbers however the
    golds are sliced. `notes` are for whoever reads the score.
    """

    n_actions: int
    tables: Callable[[slice], tuple[FloatArray, FloatArray]]
    notes: tuple[str, ...] = ()


def policy_samples(golds: Envelope, predictions: Envelope, source: RewardSource) -> Samples:
    """Value per context, each `(n_contexts,)`, of the prediction (`value`), of `uniform`, `logging` and `optimal`.

    Raises `HarnessError` for golds that are unsound, `SelectionError` where all policies are equally good (optimality
    would be 0 / 0), and `SubmissionError` for a prediction that is no distribution over the golds' actions.
    """
    columns = _columns(golds, source, predictions)
    if math.fsum(columns["optimal"]) - math.fsum(columns["uniform"]) < _SMALLEST:
        raise SelectionError(
            f"{golds.where}: V_optimal == V_uniform: in every context all actions have the same reward, "
            "so optimality is undefined; score where actions differ"
        )
    return Samples(columns, source.notes)


def reference_columns(golds: Envelope, source: RewardSource) -> dict[str, FloatArray]:
    """Value per context, each `(n_contexts,)`, of the policies `uniform`, `logging` and `optimal`.

    Raises `HarnessError` where rewards are not finite or the logging policy is no distribution.
    """
    return _columns(golds, source, None)


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused by name of its ids
def _columns(golds: Envelope, source: RewardSource, predictions: Envelope | None) -> dict[str, FloatArray]:
    names = ("uniform", "logging", "optimal") if predictions is None else ("value", "uniform", "logging", "optimal")
    columns = {name: np.empty(len(golds.ids)) for name in names}
    step = max(1, _BLOCK_CELLS // source.n_actions)
    for start in range(0, len(golds.ids), step):
        block = slice(start, start + step)
        rewards, logging = _checked_tables(golds, source, block)
        columns["uniform"][block] = _value(np.full(rewards.shape, 1.0 / source.n_actions), rewards)
        columns["logging"][block] = _value(logging, rewards)
        columns["optimal"][block] = rewards.max(axis=1)
        if predictions is not None:
            columns["value"][block] = _value(action_dist(predictions, block, source.n_actions), rewards)
    return columns


def _checked_tables(golds: Envelope, source: RewardSource, block: slice) -> tuple[FloatArray, FloatArray]:
    rewards, logging = source.tables(block)
    ids = golds.ids[block]
    if not (rewards.min() > -_LARGEST and rewards.max() < _LARGEST):  # false where one is NaN
        raise HarnessError(
            f"{golds.where}: the rewards of ids {ids[0]!r} to {ids[-1]!r} hold values that are not finite, "
            f"or beyond {_LARGEST:g}"
        )
    if fault := distribution_fault(logging):
        raise HarnessError(f"{golds.where}: id {ids[fault[0]]!r}: the logging policy {fault[1]}")
    return rewards, logging


def _value(policy: FloatArray, rewards: FloatArray) -> FloatArray:
    """The expected reward, held between the row's least and largest, which rounding could pass.

    So a policy is never better than the optimal one, and where all rewards are equal all policies are.
    """
    return np.clip(expected_reward(policy, rewards), rewards.min(axis=1), rewards.max(axis=1))
