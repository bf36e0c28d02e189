"""The greedy policy of a reward model: no gradient, the predicted best action of every context."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.problem import FeatureTensors, Fit, Generators, LoggedProblem, Policy
from tasks.opl.regression import Basis, RewardModel, shared_reward_model
from tasks.training.loop import History, Point


class GreedyPolicy(Policy):
    """pi(a|x) = 1{a = argmax_a' q(x, a')}, the first of equals."""

    def __init__(self, model: RewardModel) -> None:
        super().__init__()
        self.model = model

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`: 0 for the chosen action, minus infinity for the others."""
        predicted = self.model.over(features).predict(context)
        best = predicted.argmax(dim=1, keepdim=True)
        return torch.full_like(predicted, -math.inf).scatter_(1, best, 0.0)


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """a(x) = argmax_a q(x, a), q a regression of r on (x, e_a): the "greedy" policy of Kiyohara et al. (2025)."""
    return learn_greedily(problem, "actions", config, generators)


def learn_greedily(problem: LoggedProblem, basis: Basis, config: LearnConfig, generators: Generators) -> Fit:
    """The greedy policy of a basis's reward model, and its estimated value on the held-out rounds."""
    model = shared_reward_model(problem, basis, config, generators)
    policy = GreedyPolicy(model)
    held, estimate = validation_estimate(problem.val, model.predict(problem.val.context), config)
    loss = -float(estimate(policy.log_dist(problem.features, held)))
    return Fit(policy, History([Point(0, math.nan, loss)], 0, {0: {}}), {"reward_model_r2": model.r_squared})
