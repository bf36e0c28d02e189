"""Policies for use outside the learners, each a `Policy`; `BoundPolicy` gives probabilities and draws of any of them."""

from __future__ import annotations

from tasks.opl.networks import PolicyNetwork
from tasks.opl.policies.bound import BoundPolicy
from tasks.opl.policies.cluster_network import ClusterNetwork
from tasks.opl.policies.epsilon_greedy import EpsilonGreedyPolicy
from tasks.opl.policies.softmax import SoftmaxPolicy
from tasks.opl.policies.two_stage import BestOfClusters, TwoStagePolicy
from tasks.opl.policies.uniform import UniformPolicy

__all__ = [
    "BestOfClusters",
    "BoundPolicy",
    "ClusterNetwork",
    "EpsilonGreedyPolicy",
    "PolicyNetwork",
    "SoftmaxPolicy",
    "TwoStagePolicy",
    "UniformPolicy",
]
