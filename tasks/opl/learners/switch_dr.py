"""Switch: doubly robust where the importance weights are small, the reward model alone where they are large."""

from __future__ import annotations

from torch import Tensor

from tasks.api import Progress
from tasks.opl.config import LearnConfig
from tasks.opl.learners.doubly_robust import learn_corrected
from tasks.opl.objectives import switch_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i [sum_a q(x_i, a) grad pi(a|x_i) + 1{w_i <= tau} w_i (r_i - q(x_i, a_i)) grad log pi(a_i|x_i)].

    Wang, Agarwal and Dudik (2017), with `switch_tau`: 0 is the direct method, infinity doubly robust.
    """

    def correction(log_prob: Tensor, pscore: Tensor, residual: Tensor) -> Tensor:
        return switch_loss(log_prob, pscore, residual, config.switch_tau, config.clip)

    return learn_corrected(problem, correction, config, generators, advance)
