"""The greedy policy of a reward model: no gradient, the predicted best action of every context."""

from __future__ import annotations

import math

from tasks.api import Progress
from tasks.opl.ascent import validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.policies import EpsilonGreedyPolicy
from tasks.opl.problem import Fit, Generators, LoggedProblem
from tasks.opl.regression import Basis, shared_reward_model
from tasks.training.loop import History, Point


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """a(x) = argmax_a q(x, a), q a regression of r on (x, e_a): the "greedy" policy of Kiyohara et al. (2025)."""
    return learn_greedily(problem, "actions", config, generators)


def learn_greedily(problem: LoggedProblem, basis: Basis, config: LearnConfig, generators: Generators) -> Fit:
    """The greedy policy of a basis's reward model, and its estimated value on the held-out rounds."""
    model = shared_reward_model(problem, basis, config, generators)
    policy = EpsilonGreedyPolicy(model)
    held, estimate = validation_estimate(problem.val, model.predict(problem.val.context), config)
    loss = -float(estimate(policy.log_dist(problem.features, held)))
    return Fit(policy, History([Point(0, math.nan, loss)], 0, {0: {}}), {"reward_model_r2": model.r_squared})
