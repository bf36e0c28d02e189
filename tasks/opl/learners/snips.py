"""Self-normalised inverse propensity scoring: IPS divided by the mean weight, which removes its propensity overfitting."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import snips_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = grad sum_i w_i r_i / sum_i w_i, taken over each batch (Swaminathan and Joachims, 2015b).

    It suits logs that explore: where pi_0 is concentrated, a policy gains by leaving what was logged for a few lucky rounds,
    and the estimate does not see it.
    """
    train = problem.train

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        batch = train.take(rows)
        log_prob = log_dist.gather(1, batch.action[:, None]).squeeze(1)
        return snips_loss(log_prob, batch.pscore, batch.reward, config.clip)

    validation = validation_estimate(problem.val, None, config)
    return ascend_logged(problem, loss_of_rows, validation, config, generators, advance)
