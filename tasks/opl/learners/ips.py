"""Inverse propensity scoring: ascends the reweighted logged rewards; no model of the rewards."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend, log_dist, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.networks import PolicyNetwork
from tasks.opl.objectives import ips_loss, snips_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i w_i r_i grad log pi(a_i|x_i), w_i = min(pi(a_i|x_i) / pi_0(a_i|x_i), clip) (Swaminathan and Joachims, 2015a).

    With `self_normalised`, grad of sum_i w_i r_i / sum_i w_i (2015b), taken over each batch. It suits logs that explore: where
    pi_0 is concentrated, a policy gains by leaving what was logged for a few lucky rounds, and the estimate does not see it.
    """
    features, train = problem.features, problem.train
    loss = snips_loss if config.self_normalised else ips_loss

    def loss_of_rows(policy: PolicyNetwork, rows: Tensor) -> Tensor:
        batch = train.take(rows)
        log_prob = log_dist(policy, features, batch.context).gather(1, batch.action[:, None]).squeeze(1)
        return loss(log_prob, batch.pscore, batch.reward, config.clip)

    validation = validation_estimate(problem.val, None, config)
    return ascend(features, train.context, problem.n_actions, loss_of_rows, validation, config, generators, advance)
