"""What models of rewards, weights and propensities see: rounds and actions as rows of numbers."""

from __future__ import annotations

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, checked_rows
from harness.opl.evaluation.feedback import BanditFeedback


def round_features(feedback: BanditFeedback) -> FloatArray:
    """Each round's context, followed by its position one-hot, whichever there is: `(n_rounds, dim_round)`.

    Raises `HarnessError` where there is neither.
    """
    parts = [] if feedback.context is None else [feedback.context]
    if feedback.position is not None:
        _, code = np.unique(feedback.position, return_inverse=True)
        parts.append(np.eye(int(code.max()) + 1)[code])
    if not parts:
        raise HarnessError("feedback: has no context, which a model needs; give one of shape (n_rounds, dim_context)")
    return np.hstack(parts)


def action_table(n_actions: int, action_features: FloatArray | None) -> FloatArray:
    """`action_features`, `(n_actions, dim_action)`, checked; the actions one-hot where None."""
    if action_features is None:
        return np.eye(n_actions)
    return checked_rows("action_features", action_features, n_actions, "(n_actions, dim_action)")
