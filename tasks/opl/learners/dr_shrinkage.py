"""Doubly robust with optimistic shrinkage: large importance weights are shrunk towards the reward model."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.config import LearnConfig
from tasks.opl.learners.doubly_robust import learn_corrected
from tasks.opl.objectives import shrinkage_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """..."""

    def correction(log_prob: Tensor, pscore: Tensor, residual: Tensor) -> Tensor:
        return shrinkage_loss(log_prob, pscore, residual, config.shrinkage_lambda)

    return learn_corrected(problem, correction, config, generators, advance)
