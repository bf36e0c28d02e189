"""What each kind of policy is, held to its formula row by row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tasks.api import TaskError
from tasks.opl.policies import (
    BestOfClusters,
    BoundPolicy,
    EpsilonGreedyPolicy,
    SoftmaxPolicy,
    TwoStagePolicy,
    UniformPolicy,
)
from tasks.opl.problem import Policy
from tests.tasks.opl.policies.made_policies import (
    CENTRES,
    CONTEXTS,
    FEATURES,
    IDS,
    LABELS,
    N_ACTIONS,
    N_CLUSTERS,
    N_CONTEXTS,
    TABLE,
    cluster_network,
    generator,
    network,
    reward_model,
)


def dist(policy: Policy) -> torch.Tensor:
    return policy.log_dist(FEATURES, IDS).exp().detach()


def test_uniform_gives_each_action_its_share() -> None:
    action, pscore = BoundPolicy(UniformPolicy(N_ACTIONS), FEATURES).sample(IDS, generator())
    assert pscore.tolist() == pytest.approx([1 / N_ACTIONS] * N_CONTEXTS)
    assert action.shape == (N_CONTEXTS,)
    assert dist(UniformPolicy(N_CLUSTERS)).shape == (N_CONTEXTS, N_CLUSTERS)
    assert torch.allclose(dist(UniformPolicy(N_CLUSTERS)), torch.tensor(1 / N_CLUSTERS))


@pytest.mark.parametrize("beta", [-2.0, 0.0, 0.5, 3.0])
def test_softmax_is_the_softmax_of_beta_times_scores(beta: float) -> None:
    for scorer, scores in {
        TABLE: TABLE,
        (model := reward_model()): model.predict(IDS),
        (base := network()): base.logits(FEATURES, IDS).detach(),
    }.items():
        expected = (beta * scores).exp() / (beta * scores).exp().sum(dim=1, keepdim=True)
        assert torch.allclose(dist(SoftmaxPolicy(scorer, beta)), expected, atol=1e-6)


def test_a_negative_beta_prefers_what_scores_worst() -> None:
    assert torch.equal(dist(SoftmaxPolicy(TABLE, -1.0)).argmax(dim=1), TABLE.argmin(dim=1))


@pytest.mark.parametrize("epsilon", [0.0, 0.25, 1.0])
def test_epsilon_greedy_holds_both_terms_for_the_greedy_action(epsilon: float) -> None:
    expected = torch.full((N_CONTEXTS, N_ACTIONS), epsilon / N_ACTIONS)
    expected[IDS, TABLE.argmax(dim=1)] += 1 - epsilon
    assert torch.allclose(dist(EpsilonGreedyPolicy(TABLE, epsilon)), expected, atol=1e-6)


def test_greedy_takes_the_first_of_equals() -> None:
    tied = torch.zeros(N_CONTEXTS, N_ACTIONS)
    assert dist(EpsilonGreedyPolicy(tied)).argmax(dim=1).tolist() == [0] * N_CONTEXTS
    best = dist(BestOfClusters(tied, LABELS)) > 0
    assert best.all(dim=0).tolist() == [True, True, True, False, False, False]


FIRST: dict[str, Callable[[], Policy]] = {
    "network": cluster_network,
    "uniform": lambda: UniformPolicy(N_CLUSTERS),
    "epsilon-greedy": lambda: EpsilonGreedyPolicy(cluster_network(), 0.2),
    "softmax": lambda: SoftmaxPolicy(cluster_network(), -1.0),
}
SECOND: dict[str, Callable[[], Policy]] = {
    "network": network,
    "uniform": lambda: UniformPolicy(N_ACTIONS),
    "epsilon-greedy": lambda: EpsilonGreedyPolicy(TABLE, 0.2),
    "softmax": lambda: SoftmaxPolicy(reward_model(), 40.0),
    "best": lambda: BestOfClusters(TABLE, LABELS),
}


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("second", SECOND)
def test_two_stages_are_the_product_of_a_cluster_and_an_action_in_it(first: str, second: str) -> None:
    of_cluster, of_action = dist(FIRST[first]()).double(), dist(SECOND[second]()).double()
    found = dist(TwoStagePolicy(FIRST[first](), SECOND[second](), LABELS))
    for row in range(N_CONTEXTS):
        for action in range(N_ACTIONS):
            cluster = int(LABELS[action])
            within = of_action[row, action] / of_action[row, cluster == LABELS].sum()
            assert float(found[row, action]) == pytest.approx(float(of_cluster[row, cluster] * within), abs=1e-6)


def test_the_best_of_clusters_is_asked_anew_of_other_contexts() -> None:
    policy = BestOfClusters(reward_model(), LABELS)
    before = policy.logits(FEATURES, IDS)
    turned = type(FEATURES)(CONTEXTS.flip(0), FEATURES.actions, FEATURES.outputs)
    assert torch.equal(policy.logits(turned, IDS), before.flip(0))
    assert torch.equal(policy.logits(FEATURES, IDS[2:4]), before[2:4])


def test_the_cluster_network_looks_at_centres() -> None:
    """One network for all clusters: it is the plain one on [x, centre], and clusters in another order change places."""
    policy = cluster_network()
    assert {name: tuple(value.shape) for name, value in policy.named_parameters()} == {
        "l1.weight": (8, 5),
        "l1.bias": (8,),
        "l2.weight": (1, 8),
        "l2.bias": (1,),
    }
    for cluster in range(N_CLUSTERS):
        pairs = torch.cat([CONTEXTS, CENTRES[cluster].expand(N_CONTEXTS, -1)], dim=1)
        plain = policy.l2(torch.relu(policy.l1(pairs))).squeeze(1)
        assert torch.allclose(policy.logits(FEATURES, IDS)[:, cluster], plain, atol=1e-6)
    turned = cluster_network(CENTRES.flip(0))
    assert torch.allclose(turned.logits(FEATURES, IDS), policy.logits(FEATURES, IDS).flip(1), atol=1e-6)


def test_a_policy_within_another_learns_and_is_saved_with_it() -> None:
    policy = TwoStagePolicy(cluster_network(), SoftmaxPolicy(network(), 2.0), LABELS)
    names = {name for name, _ in policy.named_parameters()}
    assert {"first.l1.weight", "second.scorer.l2.bias"} <= names
    policy.log_dist(FEATURES, IDS)[0, 0].backward()
    assert all(parameter.grad is not None for parameter in policy.parameters())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EpsilonGreedyPolicy(TABLE, 1.5), r"epsilon is 1.5; .* give one in \[0, 1\]"),
        (lambda: EpsilonGreedyPolicy(TABLE, float("nan")), "epsilon is nan"),
        (lambda: SoftmaxPolicy(TABLE, float("inf")), "beta is inf; give a finite inverse temperature"),
        (lambda: dist(SoftmaxPolicy(TABLE[:3])), r"the table has shape \(3, 6\) but contexts and actions are \(7, 6\)"),
        (
            lambda: dist(SoftmaxPolicy(BestOfClusters(TABLE, LABELS), 0.0)),
            "beta 0.0 times that of action .* in row 0 is nan; scores must be finite",
        ),
        (
            lambda: dist(TwoStagePolicy(UniformPolicy(2), network(), LABELS)),
            "first stage: it chooses among 2 but labels tell 3 clusters",
        ),
        (
            lambda: dist(TwoStagePolicy(cluster_network(), network(4), LABELS)),
            "second stage: it chooses among 4 but labels tell 6 actions",
        ),
        (
            lambda: dist(TwoStagePolicy(cluster_network(), EpsilonGreedyPolicy(TABLE), LABELS)),
            "second stage: in row 0 it never chooses an action of cluster",
        ),
    ],
)
def test_what_makes_no_policy_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        make()
