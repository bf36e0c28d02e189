"""POTEC: off-policy gradients between clusters of actions, a reward model within them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import Estimate, LossOfRows, ascend, new_policy, validation_estimate
from tasks.opl.clusters import cluster_pscore, shared_clusters
from tasks.opl.config import LearnConfig
from tasks.opl.learners.doubly_robust import cross_fit
from tasks.opl.objectives import floored, ips_loss, value_loss
from tasks.opl.policies.cluster_network import ClusterNetwork
from tasks.opl.policies.two_stage import BestOfClusters, TwoStagePolicy
from tasks.opl.policies.uniform import UniformPolicy
from tasks.opl.problem import Fit, Generators, LoggedProblem, Policy
from tasks.opl.regression import shared_reward_model


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i [sum_c pi_1(c|x_i) q(x_i, c) grad log pi_1(c|x_i) + w_i (r_i - q(x_i, a_i)) grad log pi_1(c_i|x_i)].

    c_i is the cluster of a_i, w_i = min(pi_1(c_i|x_i) / pi_0(c_i|x_i), clip), q(x, c) = sum_{a in c} pi_2(a|x, c) q(x, a):
    max_{a in c} q(x, a) under the greedy second stage. Saito, Yao and Joachims (2025); the "two-stage hybrid" learner of
    Kiyohara et al. (2025), which draws one cluster from pi_1 in place of the sum. Unbiased where q has the differences
    between the actions of a cluster right.
    """
    problem.logging_dist(config.method)  # asked for before anything is fitted
    features, train, val = problem.features, problem.train, problem.val
    clusters = shared_clusters(problem, config, generators)
    predicted, on_val, r_squared = cross_fit(problem, config, generators)
    held, estimate = validation_estimate(val, on_val, config)
    seen, weights = features.context[train.context], generators("policy")
    first = ClusterNetwork(seen, clusters.centres, config.hidden, weights, standardise=config.standardise).to(
        seen.device
    )
    second = _second_stage(problem, clusters.labels, predicted, (held, estimate), config, generators)
    policy = TwoStagePolicy(first, second, clusters.labels)
    with torch.no_grad():
        log_second, held_second = (policy.log_second(features, part.context) for part in (train, val))
    loss_of_rows = _loss_of_rows(problem, policy, predicted, log_second, config, generators)

    def estimate_first(log_first: Tensor) -> Tensor:
        return estimate(log_first[:, clusters.labels] + held_second)

    own = config.model_copy(update={"entropy": config.entropy + config.kl, "kl": 0.0})
    fit = ascend(features, train.context, loss_of_rows, (held, estimate_first), own, generators, advance, policy=first)
    rest = {name: value for name, value in policy.state_dict().items() if not name.startswith("first.")}
    states = {
        step: {f"first.{name}": value for name, value in state.items()} | rest
        for step, state in fit.history.states.items()
    }
    return Fit(policy, replace(fit.history, states=states), {"reward_model_r2": r_squared})


def _loss_of_rows(
    problem: LoggedProblem,
    policy: TwoStagePolicy,
    predicted: Tensor,
    log_second: Tensor,
    config: LearnConfig,
    generators: Generators,
) -> LossOfRows:
    """The loss of log pi_1(c|x) of a batch, less the first stage's entropy times `entropy` + `kl`.

    With it, the whole policy's entropy and divergence are regularised, as log pi(a|x) = log pi_1(c|x) + log pi_2(a|x, c):

        entropy H(pi) - kl KL(pi || pi_0) = (entropy + kl) H(pi_1) + E_pi[kl log pi_0 - (entropy + kl) log pi_2].
    """
    train, labels, logging = problem.train, policy.labels, problem.logging_dist(config.method)[problem.train.context]
    of_action = predicted + config.kl * floored(logging.log()) - (config.entropy + config.kl) * floored(log_second)
    members = torch.nn.functional.one_hot(labels, policy.n_clusters).to(predicted)
    of_cluster = (log_second.exp() * of_action) @ members
    pscore, cluster = cluster_pscore(logging, labels, train.action), labels[train.action]
    residual = train.reward - predicted.gather(1, train.action[:, None]).squeeze(1)
    drawn = generators("actions") if config.gradient == "sampled" else None

    def loss_of_rows(log_first: Tensor, rows: Tensor) -> Tensor:
        log_prob = log_first.gather(1, cluster[rows][:, None]).squeeze(1)
        correction = ips_loss(log_prob, pscore[rows], residual[rows], config.clip)
        return value_loss(log_first, of_cluster[rows], drawn) + correction

    return loss_of_rows


def _second_stage(
    problem: LoggedProblem,
    labels: Tensor,
    predicted: Tensor,
    validation: tuple[Tensor, Estimate],
    config: LearnConfig,
    generators: Generators,
) -> Policy:
    """The best predicted action of each cluster; or a network that ascends q while all clusters are equally likely."""
    if config.second_stage == "greedy":
        return BestOfClusters(shared_reward_model(problem, "actions", config, generators), labels)

    def own(name: str) -> torch.Generator:
        return generators(f"second/{name}")

    features, seen = problem.features, problem.train.context
    drawn = own("actions") if config.gradient == "sampled" else None
    network = new_policy(features, seen, config, own)
    policy = TwoStagePolicy(UniformPolicy(config.n_clusters), network, labels)

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        return value_loss(log_dist, predicted[rows], drawn)

    ascend(features, seen, loss_of_rows, validation, config, own, None, policy=policy, logging=problem.logging)
    return network.requires_grad_(False)
