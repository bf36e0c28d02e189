"""Doubly robust direct sentence optimisation: a reward model of outputs, corrected by residuals of outputs that are near."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from tasks.api import Progress
from tasks.opl.config import LearnConfig
from tasks.opl.learners.dso import ascend_weighted
from tasks.opl.objectives import expected_value
from tasks.opl.output_weights import OutputWeights
from tasks.opl.problem import Fit, Generators, LoggedProblem
from tasks.opl.regression import shared_reward_model


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i sum_a pi(a|x_i) [q(x_i, a) + w_ia (r_i - f(x_i, o_i))] grad log pi(a|x_i).

    f is a regression of r on (x, o), q(x, a) = E_{o ~ p(.|x, a)}[f(x, o)], and w the weights of `tasks.opl.learners.dso`.
    Dudik, Langford and Li (2011) on outputs, with Kiyohara et al.'s weights (2025); as they publish it, one action and one
    output are drawn in place of the sum. The correction narrows what f gets wrong; where f errs little, as where the reward
    depends on the output alone, it mainly adds variance.

    Selected by the same estimate on the held-out rounds.

    Raises:
        TaskError: pi_0 was not logged, or an output is out of the kernel's reach.
    """
    train, val = problem.train, problem.val
    model = shared_reward_model(problem, "outputs", config, generators)
    weights = OutputWeights(problem, config, generators)
    predicted = model.predict(val.context)
    on_val = weights.table(val).mul_((val.reward - model.of_rounds(val))[:, None]).add_(predicted)

    def estimate(log_dist: Tensor) -> Tensor:
        return expected_value(log_dist.exp(), on_val)

    residual = train.reward - model.of_rounds(train)
    q = model.predict(train.context)
    fit = ascend_weighted(problem, weights, residual, q, (predicted, estimate), config, generators, advance)
    return replace(fit, notes={"reward_model_r2": model.r_squared})
