from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.clusters import cluster_actions, cluster_pscore, log_marginal, log_within

LABELS = torch.tensor([1, 0, 2, 1, 1, 2])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made_vectors(seed: int = 0, n: int = 200, dim: int = 4) -> Tensor:
    return torch.randn(n, dim, generator=generator(seed))


def made_log_dist(n: int = 5, seed: int = 1) -> Tensor:
    logits = 5 * torch.randn(n, len(LABELS), generator=generator(seed), dtype=torch.float64)
    return torch.log_softmax(logits, dim=1)


@pytest.mark.parametrize("n_clusters", [1, 2, 7, 30])
def test_clusters_are_as_tight_as_scikit_learns(n_clusters: int) -> None:
    vectors = made_vectors()
    ours = cluster_actions(vectors, n_clusters, generator())
    theirs = KMeans(n_clusters, n_init=10, random_state=0).fit(vectors.double().numpy())
    assert ours.inertia <= 1.03 * theirs.inertia_
    spread = (vectors.double() - ours.centres.double()[ours.labels]).square().sum()
    assert ours.inertia == pytest.approx(float(spread), rel=1e-5)


def test_separate_groups_are_found() -> None:
    group = torch.arange(90) % 3
    vectors = torch.eye(3)[group] * 10 + 0.1 * made_vectors(n=90, dim=3)
    labels = cluster_actions(vectors, 3, generator()).labels
    assert len(torch.unique(torch.stack([group, labels]), dim=1).T) == 3


@given(st.integers(0, 1000), st.integers(1, 12), st.integers(1, 12))
def test_every_cluster_has_an_action_and_its_centre_is_the_mean(seed: int, n_clusters: int, copies: int) -> None:
    vectors = made_vectors(seed, 12, 2).repeat_interleave(copies, dim=0)
    found = cluster_actions(vectors, n_clusters, generator(seed))
    assert sorted(set(found.labels.tolist())) == list(range(n_clusters))
    for cluster in range(n_clusters):
        assert torch.allclose(found.centres[cluster], vectors[found.labels == cluster].mean(dim=0), atol=1e-5)


def test_as_many_clusters_as_actions_hold_one_each() -> None:
    found = cluster_actions(made_vectors(n=20), 20, generator())
    assert sorted(found.labels.tolist()) == list(range(20))
    assert found.inertia == 0.0


def test_the_same_seed_gives_the_same_clusters() -> None:
    first, again = (cluster_actions(made_vectors(), 7, generator(3)) for _ in range(2))
    assert torch.equal(first.labels, again.labels)
    assert torch.equal(first.centres, again.centres)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (made_vectors(n=3), "3 actions with 3 different vectors do not make 4 clusters; ask for at most 3"),
        (torch.ones(9, 2), "9 actions with 1 different vectors do not make 4 clusters"),
    ],
)
def test_fewer_actions_than_clusters_are_refused(vectors: Tensor, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        cluster_actions(vectors, 4, generator())


def test_marginals_are_the_sums_over_members() -> None:
    log_dist = made_log_dist()
    found = log_marginal(log_dist, LABELS, 3).exp()
    for cluster in range(3):
        assert torch.allclose(found[:, cluster], log_dist.exp()[:, cluster == LABELS].sum(dim=1))
    assert torch.allclose(found.sum(dim=1), torch.ones(5, dtype=torch.float64))


def test_a_policy_is_its_marginal_times_what_it_is_within() -> None:
    log_dist = made_log_dist()
    marginal, within = log_marginal(log_dist, LABELS, 3), log_within(log_dist, LABELS, 3)
    assert torch.allclose(marginal[:, LABELS] + within, log_dist)
    shifted = log_dist + 50 * torch.randn(5, 3, generator=generator(), dtype=torch.float64)[:, LABELS]
    assert torch.allclose(log_within(shifted, LABELS, 3), within)


def test_marginals_of_what_is_next_to_impossible_are_exact_and_carry_a_gradient() -> None:
    logits = torch.tensor([[0.0, -500.0, -np.inf, -500.0, -np.inf, -np.inf]], requires_grad=True)
    labels = torch.tensor([0, 1, 2, 1, 0, 2])
    found = log_marginal(logits, labels, 3)
    assert torch.allclose(found[0, :2], torch.tensor([0.0, -500.0 + math.log(2.0)]))
    assert float(found[0, 2].detach()) == -np.inf
    (gradient,) = torch.autograd.grad(found[0, :2].sum(), logits)
    assert torch.allclose(gradient, torch.tensor([[1.0, 0.5, 0.0, 0.5, 0.0, 0.0]]))


def test_marginals_have_the_gradient_of_a_plain_sum() -> None:
    logits = made_log_dist().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: log_marginal(x, LABELS, 3), (logits,))
    assert torch.autograd.gradcheck(lambda x: log_within(x, LABELS, 3), (logits,))


def test_propensities_of_clusters_sum_those_of_their_actions() -> None:
    logging = made_log_dist().exp()
    action = torch.tensor([0, 1, 2, 3, 5])
    expected = [sum(float(logging[i, b]) for b in range(6) if LABELS[b] == LABELS[a]) for i, a in enumerate(action)]
    assert cluster_pscore(logging, LABELS, action).tolist() == pytest.approx(expected)


def test_a_logged_action_of_an_impossible_cluster_is_refused() -> None:
    logging = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    with pytest.raises(TaskError, match="action 2 of training round 1 has probability 0"):
        cluster_pscore(logging, torch.tensor([0, 0, 1]), torch.tensor([1, 2]))


def test_a_cluster_without_a_choice_is_refused() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0], [0.0, -np.inf, -np.inf]])
    with pytest.raises(TaskError, match="in row 1 it never chooses an action of cluster 1"):
        log_within(logits, torch.tensor([0, 1, 1]), 2)
