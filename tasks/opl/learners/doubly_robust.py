"""Doubly robust: the direct method, corrected by reweighted residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import ascend_logged, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import ips_loss, value_loss
from tasks.opl.problem import Fit, Generators, LoggedProblem
from tasks.opl.regression import fit_reward_model, shared_reward_model

Correction: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""A loss of log pi(a_i|x_i) with gradient, pi_0(a_i|x_i) and r_i - q(x_i, a_i), each `(n,)`."""


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i [sum_a pi(a|x_i) q(x_i, a) grad log pi(a|x_i) + w_i (r_i - q(x_i, a_i)) grad log pi(a_i|x_i)].

    Dudik, Langford and Li (2011); the "hybrid" learner of Kiyohara et al. (2025), which draws one action from pi in place of
    the sum. With `n_folds` above 1, q is cross-fitted: a round's q comes from a model that has not seen the round
    (Chernozhukov et al., 2018), for a fitted residual understates the noise; each model then learns from fewer rounds.
    """

    def correction(log_prob: Tensor, pscore: Tensor, residual: Tensor) -> Tensor:
        return ips_loss(log_prob, pscore, residual, config.clip)

    return learn_corrected(problem, correction, config, generators, advance)


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


def cross_fit(problem: LoggedProblem, config: LearnConfig, generators: Generators) -> tuple[Tensor, Tensor, float]:
    """q on the training rounds `(n_train, n_actions)` and on the held-out ones `(n_val, n_actions)`, and the mean held-out R^2.

    With one fold the model that is fitted to all training rounds predicts them too. On the held-out rounds the folds' models
    are averaged.
    """
    features, train, val = problem.features, problem.train, problem.val
    if config.n_folds == 1:
        model = shared_reward_model(problem, "actions", config, generators)
        return model.predict(train.context), model.predict(val.context), model.r_squared
    order = torch.randperm(len(train), generator=generators("folds")).to(train.context.device)
    folds = order.tensor_split(config.n_folds)
    predicted = torch.empty(len(train), problem.n_actions, device=train.context.device)
    on_val, scores = torch.zeros(len(val), problem.n_actions, device=train.context.device), 0.0
    for k, fold in enumerate(folds):
        others = torch.cat([rows for j, rows in enumerate(folds) if j != k])
        model = fit_reward_model(features, "actions", train.take(others), val, config, generators, f"regression/{k}")
        predicted[fold] = model.predict(train.context[fold])
        on_val += model.predict(val.context) / config.n_folds
        scores += model.r_squared / config.n_folds
    return predicted, on_val, scores
