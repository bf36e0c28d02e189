"""The task `opl_policy`: how good is a policy over a frozen table of rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError
from harness.opl.improvement import IMPROVEMENT_OVER_LOGGING
from harness.opl.optimality import OPTIMALITY
from harness.opl.policy_value import POLICY_VALUE
from harness.opl.predictions import action_dist
from harness.opl.regret import REGRET
from harness.opl.table import expected_reward, reference_columns, reward_blocks, table_rows
from harness.registry import Task

if TYPE_CHECKING:
    from harness.registry import FloatArray


def policy_columns(golds: Envelope, predictions: Envelope) -> dict[str, FloatArray]:
    """Value per context, each `(n_contexts,)`, of the prediction (`value`), of `uniform`, `logging` and `optimal`.

    Raises `HarnessError` for golds that are unsound, or in which all policies are equally good (optimality would be
    0 / 0), and `SubmissionError` for a prediction that is no distribution over the golds' actions.
    """
    columns = reference_columns(golds)
    if columns["optimal"].mean() == columns["uniform"].mean():
        raise HarnessError(
            f"{golds.where}: V_optimal == V_uniform: in every context all actions have the same reward, "
            "so optimality is undefined; score where actions differ"
        )
    value = np.empty(len(golds.ids))
    for block, rewards in reward_blocks(golds, table_rows(golds)):
        value[block] = expected_reward(action_dist(predictions, block, rewards.shape[1]), rewards)
    return {"value": value, **columns}


OPL_POLICY = Task(
    name="opl_policy",
    version=1,
    gold_output="the context's row number in opl_policy.rewards.npy and opl_policy.logging.npy",
    prediction_output='action | [p(0), p(1), ...] | {"actions": [...], "probs": [...], "rest": p} | {"row": n}',
    gold_arrays=("rewards", "logging"),
    prediction_arrays=("action_dist",),
    metrics=(POLICY_VALUE, IMPROVEMENT_OVER_LOGGING, OPTIMALITY, REGRET),
    primary="optimality",
    columns=policy_columns,
)
