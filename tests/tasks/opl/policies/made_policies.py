"""Policies of every kind over six actions in three clusters, and features of seven contexts."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.opl.networks import RewardNetwork
from tasks.opl.outputs import AdditiveOutputs
from tasks.opl.policies import (
    BestOfClusters,
    ClusterNetwork,
    EpsilonGreedyPolicy,
    PolicyNetwork,
    SoftmaxPolicy,
    TwoStagePolicy,
    UniformPolicy,
)
from tasks.opl.problem import FeatureTensors, Policy
from tasks.opl.regression import NetworkRewardModel

N_CONTEXTS, N_ACTIONS, N_CLUSTERS = 7, 6, 3
LABELS = torch.tensor([1, 0, 2, 1, 1, 2])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


CONTEXTS = torch.randn(N_CONTEXTS, 3, generator=generator(1))
ACTIONS = AdditiveOutputs(torch.randn(N_ACTIONS, 2, generator=generator(2)))
FEATURES = FeatureTensors(CONTEXTS, ACTIONS, ACTIONS)
CENTRES = torch.stack([ACTIONS.of_action[c == LABELS].mean(dim=0) for c in range(N_CLUSTERS)])
TABLE = torch.randn(N_CONTEXTS, N_ACTIONS, generator=generator(3))
IDS = torch.arange(N_CONTEXTS)


def network(n_choices: int = N_ACTIONS) -> PolicyNetwork:
    return PolicyNetwork(CONTEXTS, n_choices, 8, generator(4))


def cluster_network(centres: Tensor = CENTRES) -> ClusterNetwork:
    return ClusterNetwork(CONTEXTS, centres, 8, generator(5), standardise=False)


def reward_model() -> NetworkRewardModel:
    rewards = torch.randn(N_CONTEXTS, generator=generator(6))
    made = RewardNetwork(CONTEXTS, ACTIONS.of_action, rewards, 8, generator(7))
    return NetworkRewardModel(FEATURES, "actions", 0.0, made, torch.zeros(1, 2))


def policies() -> dict[str, Policy]:
    """Those over actions that look at contexts, and at no more of them than their vectors."""
    return {
        "network": network(),
        "softmax of rewards": SoftmaxPolicy(reward_model(), 3.0),
        "softmax of logits": SoftmaxPolicy(network(), 2.0),
        "the worst first": SoftmaxPolicy(reward_model(), -3.0),
        "epsilon-greedy": EpsilonGreedyPolicy(reward_model(), 0.3),
        "greedy": EpsilonGreedyPolicy(reward_model()),
        "uniform": UniformPolicy(N_ACTIONS),
        "two-stage": TwoStagePolicy(cluster_network(), network(), LABELS),
        "two-stage, then greedy": TwoStagePolicy(cluster_network(), BestOfClusters(reward_model(), LABELS), LABELS),
        "best of clusters": BestOfClusters(reward_model(), LABELS),
    }
