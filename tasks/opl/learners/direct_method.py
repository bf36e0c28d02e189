"""The direct method: fits rewards on prompts, then ascends the predicted value."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import value_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem
from tasks.opl.regression import Basis, shared_reward_model


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i sum_a pi(a|x_i) q(x_i, a) grad log pi(a|x_i), q a regression of r on (x, e_a).

    The "regression-based" learner of Kiyohara et al. (2025), after Beygelzimer and Langford (2009). As published, one action
    is drawn from pi in place of the sum.
    """
    return learn_by_regression(problem, "actions", config, generators, advance)


def learn_by_regression(
    problem: LoggedProblem, basis: Basis, config: LearnConfig, generators: Generators, advance: Progress | None
) -> Fit:
    """Fits q on a basis, tabulates it for the logged contexts, and ascends its expectation."""
    train, val = problem.train, problem.val
    model = shared_reward_model(problem, basis, config, generators)
    predicted = model.predict(train.context)
    drawn = generators("actions") if config.gradient == "sampled" else None

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        return value_loss(log_dist, predicted[rows], drawn)

    validation = validation_estimate(val, model.predict(val.context), config)
    fit = ascend_logged(problem, loss_of_rows, validation, config, generators, advance)
    return replace(fit, notes={"reward_model_r2": model.r_squared})
