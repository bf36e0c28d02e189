"""The direct method: fits rewards on prompts, then ascends the predicted value."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend, log_dist, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.networks import PolicyNetwork
from tasks.opl.objectives import expected_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem
from tasks.opl.regression import Options, fit_reward_model


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i sum_a pi(a|x_i) q(x_i, a) grad log pi(a|x_i), q a regression of r on (x, e_a).

    The "regression-based" learner of Kiyohara et al. (2025), after Beygelzimer and Langford (2009).
    """
    return learn_by_regression(problem, Options.prompts(problem.features), config, generators, advance)


def learn_by_regression(
    problem: LoggedProblem, options: Options, config: LearnConfig, generators: Generators, advance: Progress | None
) -> Fit:
    """Fits q on what `options` says of the actions, tabulates it for the logged contexts, and ascends its expectation."""
    features, train, val = problem.features, problem.train, problem.val
    model, r_squared = fit_reward_model(features, options, train, val, config, generators("regression"))
    contexts, place = torch.unique(train.context, return_inverse=True)
    predicted = options.predict(model, features, contexts)

    def loss_of_rows(policy: PolicyNetwork, rows: Tensor) -> Tensor:
        return expected_loss(log_dist(policy, features, train.context[rows]), predicted[place[rows]])

    validation = validation_estimate(val, options.predict(model, features, val.context), config)
    fit = ascend(features, train.context, problem.n_actions, loss_of_rows, validation, config, generators, advance)
    return replace(fit, notes={"reward_model_r2": r_squared})
