"""The task `opl_policy`: how good is a policy over a frozen table of rewards."""

from __future__ import annotations

from harness.envelope import Envelope
from harness.opl.improvement import IMPROVEMENT_OVER_LOGGING
from harness.opl.optimality import OPTIMALITY
from harness.opl.policy import policy_samples
from harness.opl.policy_value import POLICY_VALUE
from harness.opl.predictions import FORMS
from harness.opl.regret import REGRET
from harness.opl.table import table_source
from harness.registry import Samples, Task


def table_samples(golds: Envelope, predictions: Envelope) -> Samples:
    """Value per context of the prediction and of the reference policies, from the golds' table of rewards."""
    return policy_samples(golds, predictions, table_source(golds))


OPL_POLICY = Task(
    name="opl_policy",
    version=1,
    summary="off-policy learning: a policy's exact value over a frozen table of rewards",
    gold_output="the context's row number in opl_policy.rewards.npy and opl_policy.logging.npy",
    prediction_output=FORMS,
    gold_arrays=("rewards", "logging"),
    prediction_arrays=("action_dist",),
    metrics=(POLICY_VALUE, IMPROVEMENT_OVER_LOGGING, OPTIMALITY, REGRET),
    primary="optimality",
    samples=table_samples,
)
