"""Sub-Gaussian inverse propensity scoring: weights under a power mean with 1, bounded and smooth."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import sub_gaussian_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = grad mean_i g(w_i) r_i, g(w) = w / (1 - lambda + lambda w), w_i = pi(a_i|x_i) / pi_0(a_i|x_i).

    Metelli, Russo and Restelli (2021), exponent s = -1, with `sub_gaussian_lambda`; 0 is IPS without a clip. The weights
    are differentiable where a clip's are not: the gradient fades as a weight nears 1 / lambda.
    """
    train = problem.train

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        batch = train.take(rows)
        log_prob = log_dist.gather(1, batch.action[:, None]).squeeze(1)
        return sub_gaussian_loss(log_prob, batch.pscore, batch.reward, config.sub_gaussian_lambda)

    validation = validation_estimate(problem.val, None, config)
    return ascend_logged(problem, loss_of_rows, validation, config, generators, advance)
