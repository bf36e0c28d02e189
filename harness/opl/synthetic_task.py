"""The task `opl_synthetic`: how good is a policy in an environment whose expected reward is known in closed form."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError
from harness.opl.environment import ARRAYS, SyntheticEnvironment
from harness.opl.improvement import IMPROVEMENT_OVER_LOGGING
from harness.opl.optimality import OPTIMALITY
from harness.opl.policy import RewardSource, policy_samples
from harness.opl.policy_value import POLICY_VALUE
from harness.opl.predictions import FORMS
from harness.opl.regret import REGRET
from harness.opl.table import gold_rows
from harness.registry import Samples, Task

if TYPE_CHECKING:
    from harness.registry import FloatArray


def environment_source(golds: Envelope) -> RewardSource:
    """Rewards and logging policy of the golds' environment in closed form; raises `HarnessError` where it is unsound."""
    try:
        environment = SyntheticEnvironment.from_golds(golds.arrays, golds.settings)
        contexts = golds.arrays["contexts"]
        environment.check_contexts(contexts)
    except HarnessError as error:
        raise HarnessError(f"{golds.where}: {error}") from None
    rows = gold_rows(golds, "contexts")

    def tables(block: slice) -> tuple[FloatArray, FloatArray]:
        chosen = contexts[rows[block]].astype(np.float64)
        return environment.expected_rewards(chosen), environment.logging_policy(chosen)

    defects = environment.settings.compat
    notes = (f"the environment reproduces defects of the published one: {', '.join(defects)}",) if defects else ()
    return RewardSource(environment.n_actions, tables, notes)


def synthetic_samples(golds: Envelope, predictions: Envelope) -> Samples:
    """Value per context of the prediction and of the reference policies, in closed form."""
    return policy_samples(golds, predictions, environment_source(golds))


def write_synthetic_golds(
    path: str | os.PathLike[str], environment: SyntheticEnvironment, n_contexts: int, seed: int
) -> None:
    """Write golds of `opl_synthetic`: the environment and `n_contexts` contexts drawn from it, ids "0", "1", ...

    Raises `HarnessError` where the file cannot be written or there would be no context.
    """
    from harness.envelope_writer import write_envelope

    if n_contexts < 1 or seed < 0:
        raise HarnessError(f"{n_contexts} contexts and seed {seed}: give at least one context and a seed from 0")
    arrays, settings = environment.to_golds()
    contexts = environment.sample_contexts(n_contexts, np.random.default_rng(seed))
    items = ({"id": str(row), "output": row} for row in range(n_contexts))
    write_envelope(path, "opl_synthetic", items, {"contexts": contexts, **arrays}, settings)


OPL_SYNTHETIC = Task(
    name="opl_synthetic",
    version=1,
    summary="off-policy learning: a policy's exact value in a synthetic environment of known expected rewards",
    gold_output="the context's row number in opl_synthetic.contexts.npy",
    prediction_output=FORMS,
    gold_arrays=("contexts", *ARRAYS),
    prediction_arrays=("action_dist",),
    settings=True,
    metrics=(POLICY_VALUE, IMPROVEMENT_OVER_LOGGING, OPTIMALITY, REGRET),
    primary="optimality",
    samples=synthetic_samples,
)
