"""What a policy may be made of: scores of all actions, of a reward model, another policy or a table."""

from __future__ import annotations

from typing import TypeAlias

from torch import Tensor

from tasks.api import TaskError
from tasks.opl.problem import FeatureTensors, Policy
from tasks.opl.regression import RewardModel

Scorer: TypeAlias = RewardModel | Policy | Tensor
"""Predicted rewards, a policy's logits, or a table by context id `(n_contexts, n_actions)`."""


def scores_of(scorer: Scorer, features: FeatureTensors, context: Tensor) -> Tensor:
    """s(x, a) `(n, n_actions)` of contexts by their ids `(n,)`.

    Raises:
        TaskError: a table has another shape than the features' contexts and actions.
    """
    if isinstance(scorer, RewardModel):
        return scorer.over(features).predict(context)
    if isinstance(scorer, Policy):
        return scorer.logits(features, context)
    shape = (len(features.context), features.n_actions)
    if tuple(scorer.shape) != shape:
        raise TaskError(f"scores: the table has shape {tuple(scorer.shape)} but contexts and actions are {shape}")
    return scorer[context]
