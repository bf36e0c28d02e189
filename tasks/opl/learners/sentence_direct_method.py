"""The direct method on sentences: fits rewards on what was written, not on the prompt that asked for it."""

from __future__ import annotations

from tasks.api import Progress
from tasks.opl.config import LearnConfig
from tasks.opl.learners.direct_method import learn_by_regression
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i sum_a pi(a|x_i) E_{s ~ p(s|q_i, a)}[f(x_i, s)] grad log pi(a|x_i), f a regression of r on (x, sentence).

    The reward depends on the action only through the sentence, which makes this regression the better specified one. It is
    the first stage of Kiyohara et al.'s two-stage regression (2025), used as a learner of its own.
    """
    return learn_by_regression(problem, "outputs", config, generators, advance)
