"""Marginalised inverse probability weighting (MIPS), by action embeddings or clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_distribution, checked_integers
from harness.opl.evaluation.estimator import WeightedReward
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.marginal import cluster_weight, marginal_weight

_WHICH = "mips: give clusters, or embedding_probability and embedding, and not both"


@dataclass(frozen=True, eq=False)
class MarginalizedInverseProbabilityWeighting(WeightedReward):
    """V_hat = mean_i w(x_i, e_i) r_i, w(x, e) = p(e|x, pi) / p(e|x, pi_0), p(e|x, pi) = sum_a p(e|a) pi(a|x).

    Unbiased where the action has no effect on the reward beyond its embedding. The feedback needs `logging_dist`.

    Source: Saito and Joachims, Off-policy evaluation for large action spaces via embeddings, ICML 2022.

    Args:
        clusters: c(a), `(n_actions,)`, integers from 0: an embedding that the action determines.
        embedding_probability: p(e|a), `(n_actions, n_embeddings)`, in place of clusters.
        embedding: e_i, `(n_rounds,)`, the embedding seen in each round; with `embedding_probability`.
    """

    clusters: IntArray | None = None
    embedding_probability: FloatArray | None = None
    embedding: IntArray | None = None
    name = "mips"

    def __post_init__(self) -> None:
        drawn = (self.embedding_probability is not None, self.embedding is not None)
        if drawn[0] != drawn[1] or (self.clusters is None) != all(drawn):
            raise HarnessError(_WHICH)

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w(x_i, e_i), `(n_rounds,)`."""
        if self.clusters is not None:
            return cluster_weight(feedback, action_dist, self.clusters)
        if self.embedding_probability is None or self.embedding is None:
            raise HarnessError(_WHICH)  # told before, by __post_init__; here for the types
        shape = np.shape(self.embedding_probability)
        n_embeddings = shape[1] if len(shape) == 2 else 1
        likelihood = checked_distribution(
            "embedding_probability", self.embedding_probability, feedback.n_actions, n_embeddings
        )
        seen = checked_integers("embedding", self.embedding, feedback.n_rounds, "(n_rounds,)", n_embeddings)
        return marginal_weight(feedback, action_dist, likelihood, seen)
