"""Direct sentence optimisation: weighs what the policy would have said near what was said, not the actions behind it."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.api import Progress
from tasks.opl.ascent import Estimate, LossOfRows, ascend_logged, validation_estimate
from tasks.opl.config import LearnConfig
from tasks.opl.objectives import draw, expected_loss, snips_value
from tasks.opl.output_weights import OutputWeights
from tasks.opl.problem import Fit, Generators, LoggedProblem, RoundTensors


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """grad J = mean_i (r_i - b) sum_a pi(a|x_i) w_ia grad log pi(a|x_i), w_ia = min(kappa_ia / f_i, clip).

    kappa_ia = E_{o' ~ p(.|x_i, a)}[K(o_i, o')] is how near action a comes to the logged output, f_i = sum_a pi_0(a|x_i) kappa_ia
    how near the logging policy does, and b the mean logged reward, which moves the value by a constant, as E[w] = 1. Kiyohara
    et al. (2025); as published, a ~ pi and o' ~ p(.|x_i, a) are drawn at every step in place of the sum and of kappa, the
    batch is summed, and b is 0.

    Selected by sum_i w_i r_i / sum_i w_i of the held-out rounds, w_i = sum_a pi(a|x_i) w_ia.

    Raises:
        TaskError: pi_0 was not logged, or an output is out of the kernel's reach.
    """
    train, val = problem.train, problem.val
    weights = OutputWeights(problem, config, generators)
    on_val = weights.table(val)

    def estimate(log_dist: Tensor) -> Tensor:
        return snips_value((log_dist.exp() * on_val).sum(dim=1), val.reward)

    baseline = 0.0 if config.gradient == "sampled" else train.reward.mean()
    none = train.reward.new_zeros(1, 1).expand(len(train), problem.n_actions)
    return ascend_weighted(
        problem, weights, train.reward - baseline, none, (None, estimate), config, generators, advance
    )


def ascend_weighted(
    problem: LoggedProblem,
    weights: OutputWeights,
    residual: Tensor,
    predicted: Tensor,
    selection: tuple[Tensor | None, Estimate],
    config: LearnConfig,
    generators: Generators,
    advance: Progress | None,
) -> Fit:
    """Ascends mean_i sum_a pi(a|x_i) [q_ia + w_ia d_i], which is linear in pi: its table is made once.

    Args:
        problem: the log.
        weights: w.
        residual: d `(n_train,)`.
        predicted: q `(n_train, n_actions)`.
        selection: q on the held-out rounds, for estimates by action if they are asked for; and the estimate by output.
        config: `gradient` draws one action and one output a round instead of the sum.
        generators: streams of the run.
        advance: called with the steps done.
    """
    if config.gradient == "sampled":
        loss_of_rows = sampled_loss(problem.train, weights, residual, predicted, generators("actions"))
    else:
        loss_of_rows = exact_loss(problem.train, weights, residual, predicted)
    by_action, by_output = selection
    validation = problem.val.context, by_output
    if config.selection in ("snips", "dr"):
        validation = validation_estimate(problem.val, by_action, config)
    return ascend_logged(problem, loss_of_rows, validation, config, generators, advance)


def exact_loss(train: RoundTensors, weights: OutputWeights, residual: Tensor, predicted: Tensor) -> LossOfRows:
    """-mean_i sum_a pi(a|x_i) [q_ia + w_ia d_i] of a batch; arguments as of `ascend_weighted`."""
    table = weights.table(train).mul_(residual[:, None]).add_(predicted)
    return lambda log_dist, rows: expected_loss(log_dist, table[rows])


def sampled_loss(
    train: RoundTensors, weights: OutputWeights, residual: Tensor, predicted: Tensor, generator: torch.Generator
) -> LossOfRows:
    """-sum_i [q_ia + w_i d_i] log pi(a|x_i) of a batch, a ~ pi and w_i by o' ~ p(.|x_i, a): the batch's size times the gradient
    of `exact_loss` in expectation, where nothing is clipped.
    """
    log_density = weights.log_density(train)

    def loss_of_rows(log_dist: Tensor, rows: Tensor) -> Tensor:
        action = draw(log_dist, generator)
        chosen = action[:, None]
        weight = weights.sample(train.take(rows), log_density[rows], action, generator)
        value = predicted[rows].gather(1, chosen).squeeze(1) + weight * residual[rows]
        return -(value * log_dist.gather(1, chosen).squeeze(1)).sum()

    return loss_of_rows
