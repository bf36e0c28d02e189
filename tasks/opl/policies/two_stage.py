"""Two-stage policies: first a cluster of actions, then one of its actions."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.clusters import log_within
from tasks.opl.policies.scores import Scorer, scores_of
from tasks.opl.problem import FeatureTensors, Policy


class TwoStagePolicy(Policy):
    """pi(a|x) = pi_1(c(a)|x) pi_2(a|x, c(a)), with exact log probabilities of all actions."""

    labels: Tensor

    def __init__(self, first: Policy, second: Policy, labels: Tensor) -> None:
        """Args:
        first: pi_1, a policy over the clusters.
        second: a policy over the actions; pi_2 is what it becomes when it is kept to a cluster.
        labels: c(a), from 0 `(n_actions,)`.
        """
        super().__init__()
        self.first, self.second = first, second
        self.register_buffer("labels", labels)
        self.n_clusters = int(labels.max()) + 1

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`; log pi(a|x) itself.

        Raises:
            TaskError: a stage chooses among another number of things than the labels tell.
        """
        first = self.first.log_dist(features, context)
        if first.shape[1] != self.n_clusters:
            raise TaskError(
                f"first stage: it chooses among {first.shape[1]} but labels tell {self.n_clusters} clusters"
            )
        return first[:, self.labels] + self.log_second(features, context)

    def log_second(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """log pi_2(a|x, c(a)) `(n, n_actions)` of contexts by their ids `(n,)`; raises `TaskError` as `logits` does."""
        second = self.second.logits(features, context)
        if second.shape[1] != len(self.labels):
            raise TaskError(
                f"second stage: it chooses among {second.shape[1]} but labels tell {len(self.labels)} actions"
            )
        return log_within(second, self.labels, self.n_clusters)


class BestOfClusters(Policy):
    """As likely each cluster's action of the highest score: the greedy second stage. The first of equals.

    The best actions of all contexts are found at the first call and remembered until other features come.
    """

    labels: Tensor

    def __init__(self, scorer: Scorer, labels: Tensor) -> None:
        """Args:
        scorer: gives s(x, a).
        labels: c(a), from 0 `(n_actions,)`.
        """
        super().__init__()
        self.scorer = scorer
        self.register_buffer("labels", labels)
        self._known: tuple[FeatureTensors, Tensor] | None = None

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`: 0 for each cluster's best action, minus infinity for the others."""
        if self._known is None or self._known[0] is not features:
            self._known = features, self._best(features)
        best = self._known[1][context]
        logits = features.context.new_full((len(context), len(self.labels)), -torch.inf)
        return logits.scatter_(1, best, 0.0)

    def _best(self, features: FeatureTensors) -> Tensor:
        """The best action of each cluster in every context `(n_contexts, n_clusters)`."""
        contexts = torch.arange(len(features.context), device=features.context.device)
        with torch.no_grad():
            return torch.cat(
                [self._best_of(scores_of(self.scorer, features, part)) for part in torch.split(contexts, _ROWS)]
            )

    def _best_of(self, scores: Tensor) -> Tensor:
        index, n_actions = self.labels.expand(len(scores), -1), len(self.labels)
        shape = (len(scores), int(self.labels.max()) + 1)
        top = scores.new_full(shape, -torch.inf).scatter_reduce(1, index, scores, "amax")
        place = torch.where(scores == top.gather(1, index), torch.arange(n_actions, device=scores.device), n_actions)
        return place.new_full(shape, n_actions).scatter_reduce(1, index, place, "amin")


_ROWS = 4096
