"""Marginal importance weights: of what an action is like, instead of which it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_integers
from harness.opl.evaluation.feedback import BanditFeedback


def marginal_weight(
    feedback: BanditFeedback, action_dist: FloatArray, embedding_probability: FloatArray, embedding: IntArray
) -> FloatArray:
    """w(x_i, e_i) = sum_a p(e_i|a) pi(a|x_i) / sum_a p(e_i|a) pi_0(a|x_i), `(n_rounds,)`.

    Args:
        feedback: rounds with `logging_dist`.
        action_dist: pi(a|x_i), `(n_rounds, n_actions)`.
        embedding_probability: p(e|a), `(n_actions, n_embeddings)`.
        embedding: e_i, `(n_rounds,)`, observed with the logged action.

    Raises `HarnessError` without `logging_dist`, or where an observed embedding is impossible under it.
    """
    if feedback.logging_dist is None:
        raise HarnessError(
            "feedback: has no logging_dist, which marginal weights need; give pi_0(a|x) of shape (n_rounds, n_actions)"
        )
    likelihood = embedding_probability[:, embedding].T
    below = (likelihood * feedback.logging_dist).sum(axis=1)
    if (below <= 0).any():
        raise HarnessError(
            f"embedding: that of round {int(np.argmax(below <= 0))} has probability 0 under logging_dist; "
            "embedding_probability must allow what was observed"
        )
    weight: FloatArray = (likelihood * action_dist).sum(axis=1) / below
    return weight


def cluster_weight(feedback: BanditFeedback, action_dist: FloatArray, clusters: ArrayLike) -> FloatArray:
    """w(x_i, c(a_i)) = sum_{a in c(a_i)} pi(a|x_i) / sum_{a in c(a_i)} pi_0(a|x_i), `(n_rounds,)`.

    `clusters` gives c(a), `(n_actions,)`, integers from 0. Raises `HarnessError` as `marginal_weight` does.
    """
    labels = checked_integers("clusters", clusters, feedback.n_actions, "(n_actions,)")
    _, code = np.unique(labels, return_inverse=True)
    return marginal_weight(feedback, action_dist, np.eye(int(code.max()) + 1)[code], code[feedback.action])
