"""Marginalised inverse propensity scoring: IPS of clusters of actions in place of actions."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged, validation_estimate
from tasks.opl.clusters import cluster_pscore, log_marginal, shared_clusters
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import ips_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i w_i r_i grad log pi(c_i|x_i), w_i = min(pi(c_i|x_i) / pi_0(c_i|x_i), clip), pi(c|x) = sum_{a in c} pi(a|x).

    Saito and Joachims (2022), the embedding being the k-means cluster of the action's vector. The weights vary less than
    those of actions, and the gradient does not tell the actions of a cluster apart.
    """
    train, logging = problem.train, problem.logging_dist(config.method)
    labels = shared_clusters(problem, config, generators).labels
    pscore, cluster = cluster_pscore(logging[train.context], labels, train.action), labels[train.action]

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        log_prob = log_marginal(log_dist, labels, config.n_clusters).gather(1, cluster[rows][:, None]).squeeze(1)
        return ips_loss(log_prob, pscore[rows], train.reward[rows], config.clip)

    validation = validation_estimate(problem.val, None, config)
    return ascend_logged(problem, loss_of_rows, validation, config, generators, advance)
