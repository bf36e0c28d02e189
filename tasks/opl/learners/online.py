"""Online learning: ascends the true value, the skyline for learners that have only a log."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import draw, expected_loss, expected_value
from tasks.opl.problem import Fit, Generators, OnlineProblem


def learn(problem: OnlineProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_x sum_a pi(a|x) E[r|x, a] grad log pi(a|x): REINFORCE (Williams, 1992) with the expectation over actions
    taken exactly, so without its variance. Selected by the true value on held-out users of the train split.

    As published, an action is drawn from pi and its noisy reward weighs the gradient, summed over the batch.
    """
    drawn = generators("actions")

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        reward = problem.reward(problem.train[rows])
        if config.gradient == "exact":
            return expected_loss(log_dist, reward)
        action = draw(log_dist, drawn)[:, None]
        noise = problem.reward_std * torch.randn(len(rows), 1, generator=drawn).to(reward.device)
        return -((reward.gather(1, action) + noise) * log_dist.gather(1, action)).sum()

    held_reward = problem.reward(problem.val)

    def estimate(held: Tensor) -> Tensor:
        return expected_value(held.exp(), held_reward)

    validation = (problem.val, estimate)
    return ascend(problem.features, problem.train, loss_of_rows, validation, config, generators, advance)
