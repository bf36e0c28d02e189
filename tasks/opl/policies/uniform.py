"""The policy that knows nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.opl.problem import FeatureTensors, Policy


class UniformPolicy(Policy):
    """pi(a|x) = 1 / n_actions; over clusters 1 / n_clusters."""

    def __init__(self, n_actions: int) -> None:
        super().__init__()
        self.n_actions = n_actions

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`."""
        return torch.zeros(len(context), self.n_actions, dtype=features.context.dtype, device=features.context.device)
