"""Inverse propensity scoring: ascends the reweighted logged rewards; no model of the rewards."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import ips_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i w_i r_i grad log pi(a_i|x_i), w_i = min(pi(a_i|x_i) / pi_0(a_i|x_i), clip) (Swaminathan and Joachims, 2015a)."""
    train = problem.train

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        batch = train.take(rows)
        log_prob = log_dist.gather(1, batch.action[:, None]).squeeze(1)
        return ips_loss(log_prob, batch.pscore, batch.reward, config.clip)

    validation = validation_estimate(problem.val, None, config)
    return ascend_logged(problem, loss_of_rows, validation, config, generators, advance)
