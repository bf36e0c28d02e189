"""Hands knowledge from one model to a prompt network: a policy's choices, or what a reward model knows of outputs."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.api import Progress, TaskError
from tasks.opl.ascent import ascend
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import cross_entropy
from tasks.opl.problem import FeatureTensors, Fit, Generators, Policy, RoundTensors
from tasks.opl.regression import RewardModel, fit_reward_model


def clone_policy(
    teacher: Policy,
    features: FeatureTensors,
    train: Tensor,
    val: Tensor,
    config: LearnConfig,
    generators: Generators,
    advance: Progress | None = None,
) -> Fit:
    """Teaches a prompt network to act as a policy: descends -mean_x sum_a pi_T(a|x) log pi(a|x), whose least value is at pi_T.

    The "online cloning" of Kiyohara et al. (2025), who descend sum_a pi_T (pi - pi_T)^2. Contexts need no log.

    Args:
        teacher: pi_T, which may look at what a prompt network does not see.
        features: of all contexts.
        train: ids of contexts to learn on `(n_train,)`.
        val: ids of others, whose cross entropy selects `(n_val,)`.
        config: steps, batch, learning rate, patience, entropy.
        generators: streams of the run.
        advance: called with the steps done.

    Raises:
        TaskError: `kl` is asked for.
    """
    if config.kl:
        raise TaskError(f"kl: it is {config.kl}, but cloning knows no logging policy to stay near; set it to 0")

    def surprise(log_dist: Tensor, context: Tensor) -> Tensor:
        with torch.no_grad():
            target = teacher.log_dist(features, context).exp()
        return cross_entropy(log_dist, target)

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        return surprise(log_dist, train[rows])

    def estimate(held: Tensor) -> Tensor:
        return -surprise(held, val)

    return ascend(features, train, loss_of_rows, (val, estimate), config, generators, advance)


def distil_reward_model(
    teacher: RewardModel,
    features: FeatureTensors,
    train: Tensor,
    val: Tensor,
    config: LearnConfig,
    generators: Generators,
) -> RewardModel:
    """Teaches a reward model of actions what one of outputs knows: q(x, a) fits f(x, o), o ~ p(.|x, a), a uniform.

    The two-stage regression of Kiyohara et al. (2025): the student asks no generator. An action is drawn for each id given;
    repeat ids for more. f is averaged over outputs, or taken at one draw where `gradient` is `sampled`, as published.

    Args:
        teacher: f, of outputs.
        features: of all contexts.
        train: ids of contexts to learn on `(n_train,)`.
        val: ids of others, which choose the checkpoint `(n_val,)`.
        config: as of `fit_reward_model`.
        generators: streams of the run.
    """
    drawn, n_actions = generators("distillation/actions"), features.n_actions

    def answers(context: Tensor) -> RoundTensors:
        action = torch.randint(n_actions, (len(context),), generator=drawn).to(context.device)
        pscore = torch.full((len(context),), 1 / n_actions, device=context.device)
        output = features.outputs.sample(context, action, drawn)
        rounds = RoundTensors(context, action, pscore, pscore, output)
        if config.gradient == "sampled":
            reward = teacher.of_rounds(rounds)
        else:
            reward = teacher.predict(context).gather(1, action[:, None]).squeeze(1)
        return RoundTensors(context, action, reward, pscore, output)

    rounds = answers(train), answers(val)
    return fit_reward_model(features, "actions", *rounds, config, generators, "distillation/regression")
