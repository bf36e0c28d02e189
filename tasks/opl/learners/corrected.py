"""What doubly robust learners share: a reward model, and a correction by reweighted residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.learners.doubly_robust import cross_fit
from tasks.opl.objectives import value_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem

Correction: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""A loss of log pi(a_i|x_i) with gradient, pi_0(a_i|x_i) and r_i - q(x_i, a_i), each `(n,)`."""


def learn_corrected(
    problem: LoggedProblem,
    correction: Correction,
    config: LearnConfig,
    generators: Generators,
    advance: Progress | None,
) -> Fit:
    """Descends `value_loss` of q plus the correction; q is cross-fitted where `n_folds` asks for it."""
    train = problem.train
    predicted, on_val, r_squared = cross_fit(problem, config, generators)
    residual = train.reward - predicted.gather(1, train.action[:, None]).squeeze(1)
    drawn = generators("actions") if config.gradient == "sampled" else None

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        log_prob = log_dist.gather(1, train.action[rows][:, None]).squeeze(1)
        return value_loss(log_dist, predicted[rows], drawn) + correction(log_prob, train.pscore[rows], residual[rows])

    validation = validation_estimate(problem.val, on_val, config)
    fit = ascend_logged(problem, loss_of_rows, validation, config, generators, advance)
    return replace(fit, notes={"reward_model_r2": r_squared})
