"""The epsilon-greedy policy of any scores."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.policies.scores import Scorer, scores_of
from tasks.opl.problem import FeatureTensors, Policy


class EpsilonGreedyPolicy(Policy):
    """pi(a|x) = (1 - epsilon) 1{a = argmax_a' s(x, a')} + epsilon / n_actions, the first of equals.

    The random draw may fall on the greedy action, whose probability holds both terms.
    """

    def __init__(self, scorer: Scorer, epsilon: float = 0.0) -> None:
        """Args:
        scorer: gives s.
        epsilon: in [0, 1]; 0 is the greedy policy.

        Raises:
            TaskError: epsilon is outside.
        """
        super().__init__()
        if not 0 <= epsilon <= 1:
            raise TaskError(f"epsilon is {epsilon}; it is a share of the choices: give one in [0, 1]")
        self.scorer, self.epsilon = scorer, epsilon

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`; log pi(a|x) itself."""
        scores = scores_of(self.scorer, features, context)
        action_dist = torch.full_like(scores, self.epsilon / scores.shape[1])
        best = scores.argmax(dim=1, keepdim=True)
        return action_dist.scatter_add_(1, best, torch.full_like(scores[:, :1], 1 - self.epsilon)).log()
