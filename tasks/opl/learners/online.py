"""Online learning: ascends the true value, the skyline for learners that have only a log."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend, log_dist
from tasks.opl.config import LearnConfig
from tasks.opl.networks import PolicyNetwork
from tasks.opl.objectives import expected_loss, expected_value
from tasks.opl.problem import Fit, Generators, OnlineProblem


def learn(problem: OnlineProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_x sum_a pi(a|x) E[r|x, a] grad log pi(a|x): REINFORCE (Williams, 1992) with the expectation over actions
    taken exactly, so without its variance. Selected by the true value on held-out users of the train split.
    """

    def loss_of_rows(policy: PolicyNetwork, rows: Tensor) -> Tensor:
        context = problem.train[rows]
        return expected_loss(log_dist(policy, problem.features, context), problem.reward[context])

    def estimate(held: Tensor) -> Tensor:
        return expected_value(held.exp(), problem.reward[problem.val])

    n_actions = problem.reward.shape[1]
    validation = (problem.val, estimate)
    return ascend(problem.features, problem.train, n_actions, loss_of_rows, validation, config, generators, advance)
