"""Behaviour cloning: imitates the logging policy, whatever its rewards."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import cross_entropy
from tasks.opl.problem import Fit, Generators, LoggedProblem, RoundTensors


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """Descends -mean_i sum_a pi_0(a|x_i) log pi(a|x_i) where pi_0 was logged, -mean_i log pi(a_i|x_i) where only choices were.

    The second is the first in expectation: maximum likelihood. The checkpoint is the one likeliest on the held-out rounds.
    Pomerleau (1989); the "offline cloning" of Kiyohara et al. (2025), who descend a squared error.
    """
    train, logging = problem.train, problem.logging

    def surprise(log_dist: Tensor, rounds: RoundTensors) -> Tensor:
        if logging is None:
            return -log_dist.gather(1, rounds.action[:, None]).mean()
        return cross_entropy(log_dist, logging[rounds.context])

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        return surprise(log_dist, train.take(rows))

    def estimate(held: Tensor) -> Tensor:
        return -surprise(held, problem.val)

    return ascend_logged(problem, loss_of_rows, (problem.val.context, estimate), config, generators, advance)
