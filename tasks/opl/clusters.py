"""k-means clusters of the actions, and what a policy over actions is as one over clusters and one within them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.problem import Generators, LoggedProblem

_STARTS, _ROUNDS = 10, 300


@dataclass(frozen=True)
class Clusters:
    """A partition of the actions; no cluster is empty.

    Attributes:
        labels: c(a), from 0 `(n_actions,)`.
        centres: the mean vector of each cluster's actions `(n_clusters, dim)`.
        inertia: sum_a ||v_a - centre_c(a)||^2.
    """

    labels: Tensor
    centres: Tensor
    inertia: float


def shared_clusters(problem: LoggedProblem, config: LearnConfig, generators: Generators) -> Clusters:
    """The clusters of a problem's action vectors, found once for all learners."""
    vectors = problem.features.actions.of_action
    return problem.shared(
        ("clusters", config.n_clusters, config.seed),
        lambda: cluster_actions(vectors, config.n_clusters, generators("clusters")),
    )


def cluster_actions(vectors: Tensor, n_clusters: int, generator: torch.Generator) -> Clusters:
    """Lloyd's algorithm from ten k-means++ starts; the clusters of least inertia.

    Lloyd (1982); Arthur and Vassilvitskii (2007). In double precision on the processor, so that devices agree.

    Args:
        vectors: of the actions `(n_actions, dim)`.
        n_clusters: how many.
        generator: draws the starts.

    Raises:
        TaskError: the actions have fewer different vectors than there are to be clusters.
    """
    points = vectors.detach().cpu().double()
    distinct = len(torch.unique(points, dim=0))
    if distinct < n_clusters:
        raise TaskError(
            f"n_clusters: {len(points)} actions with {distinct} different vectors do not make {n_clusters} clusters; "
            f"ask for at most {distinct}"
        )
    found = [_descend(points, _spread(points, n_clusters, generator)) for _ in range(_STARTS)]
    best = min(found, key=lambda clusters: clusters.inertia)
    return Clusters(best.labels.to(vectors.device), best.centres.to(vectors), best.inertia)


def log_marginal(log_dist: Tensor, labels: Tensor, n_clusters: int) -> Tensor:
    """log pi(c|x) = log sum_{a in c} pi(a|x) `(n, n_clusters)` of log pi(a|x) `(n, n_actions)`.

    Minus infinity, without gradient, for a cluster of which no action is ever chosen.
    """
    index = labels.expand(len(log_dist), -1)
    empty = log_dist.new_full((len(log_dist), n_clusters), -torch.inf)
    top = empty.scatter_reduce(1, index, log_dist.detach(), "amax")
    top = torch.where(top.isneginf(), 0.0, top)
    members = torch.nn.functional.one_hot(labels, n_clusters).to(log_dist)
    total = (log_dist - top.gather(1, index)).exp() @ members
    chosen = total > 0
    return torch.where(chosen, torch.where(chosen, total, 1.0).log() + top, -torch.inf)


def log_within(logits: Tensor, labels: Tensor, n_clusters: int) -> Tensor:
    """log pi(a|x, c(a)) `(n, n_actions)` of log pi(a|x) up to a constant of the context or of the cluster.

    Raises:
        TaskError: of some cluster no action is ever chosen.
    """
    total = log_marginal(logits, labels, n_clusters)
    if bool(total.isneginf().any()):
        row, cluster = total.isneginf().nonzero()[0].tolist()
        raise TaskError(
            f"second stage: in row {row} it never chooses an action of cluster {cluster}; give each cluster one"
        )
    return logits - total.gather(1, labels.expand(len(logits), -1))


def cluster_pscore(logging: Tensor, labels: Tensor, action: Tensor) -> Tensor:
    """pi_0(c(a_i)|x_i) of logged actions, `(n,)`.

    Args:
        logging: pi_0(a|x_i) `(n, n_actions)`.
        labels: c(a) `(n_actions,)`.
        action: a_i `(n,)`.

    Raises:
        TaskError: it is 0, though the action was logged.
    """
    pscore = (logging * (labels == labels[action][:, None])).sum(dim=1)
    if not bool((pscore > 0).all()):
        row = int((pscore > 0).int().argmin())
        raise TaskError(
            f"log: action {int(action[row])} of training round {row} has probability 0 under the logged action_dist, "
            "and so has its cluster; log rounds and action_dist of one policy"
        )
    return pscore


def _spread(points: Tensor, n_clusters: int, generator: torch.Generator) -> Tensor:
    """Starting centres `(n_clusters, dim)`: points, each drawn in proportion to its squared distance from those before."""
    chosen = [int(torch.randint(len(points), (), generator=generator))]
    distance = torch.full((len(points),), torch.inf, dtype=points.dtype)
    while len(chosen) < n_clusters:
        distance = torch.minimum(distance, (points - points[chosen[-1]]).square().sum(dim=1))
        chosen.append(int(torch.multinomial(distance, 1, generator=generator)))
    return points[chosen]


def _descend(points: Tensor, centres: Tensor) -> Clusters:
    """Assigns points to the nearest centres and moves these to their points' means until nothing changes."""
    labels = _assign(points, centres)
    for _ in range(_ROUNDS):
        centres = _means(points, labels, len(centres))
        before, labels = labels, _assign(points, centres)
        if torch.equal(before, labels):
            break
    centres = _means(points, labels, len(centres))
    return Clusters(labels, centres, float((points - centres[labels]).square().sum()))


def _assign(points: Tensor, centres: Tensor) -> Tensor:
    """The nearest centres `(n,)`; a centre without points takes the farthest one of a cluster that has others."""
    near, labels = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
    sizes = labels.bincount(minlength=len(centres))
    for empty in (sizes == 0).nonzero().flatten().tolist():
        farthest = int(torch.where(sizes[labels] > 1, near, -1.0).argmax())
        labels[farthest] = empty
        sizes = labels.bincount(minlength=len(centres))
    return labels


def _means(points: Tensor, labels: Tensor, n_clusters: int) -> Tensor:
    total = points.new_zeros(n_clusters, points.shape[1]).index_add_(0, labels, points)
    return total / labels.bincount(minlength=n_clusters)[:, None]
