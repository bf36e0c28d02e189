"""Gradient ascent on a policy's value, with the checkpoint chosen by an estimate on held-out users."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tasks.api import Progress, TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.networks import PolicyNetwork
from tasks.opl.objectives import dr_value, importance_weights, snips_value
from tasks.opl.problem import FeatureTensors, Fit, Generators, RoundTensors
from tasks.training.loop import Schedule, batches, fit

LossOfRows = Callable[[PolicyNetwork, Tensor], Tensor]
Estimate = Callable[[Tensor], Tensor]


def ascend(
    features: FeatureTensors,
    seen: Tensor,
    n_actions: int,
    loss_of_rows: LossOfRows,
    validation: tuple[Tensor, Estimate],
    config: LearnConfig,
    generators: Generators,
    advance: Progress | None,
) -> Fit:
    """Learns a policy network.

    Args:
        features: of all contexts.
        seen: context id of each training row `(n_rows,)`; the inputs are standardised by them.
        n_actions: prompts.
        loss_of_rows: the loss of a batch of training rows, given the network and the row numbers `(batch_size,)`.
        validation: context ids `(n_val,)`, and the estimate of the value of log pi(a|x) `(n_val, n_actions)` on them.
        config: steps, batch, learning rate, patience.
        generators: streams of the run.
        advance: called with the steps done.
    """
    device = features.context.device
    policy = PolicyNetwork(features.context[seen], n_actions, config.hidden, generators("policy")).to(device)
    dealt = batches(len(seen), config.batch_size, generators("batches"))
    held, estimate = validation
    # `last` still needs the estimate: the curve shows it, though it selects nothing.
    schedule = Schedule(
        config.n_steps,
        config.eval_every,
        config.patience,
        config.learning_rate,
        config.weight_decay,
        config.selection == "last",
    )

    def validate() -> float:
        return -float(estimate(log_dist(policy, features, held)))

    history = fit(
        policy,
        lambda _: loss_of_rows(policy, next(dealt).to(device)),
        validate,
        schedule,
        advance=advance,
        keep_states=True,
    )
    return Fit(policy, history)


def log_dist(policy: PolicyNetwork, features: FeatureTensors, context: Tensor) -> Tensor:
    """log pi(a|x) `(n, n_actions)` of contexts by their ids `(n,)`."""
    return torch.log_softmax(policy(features.context[context]), dim=1)


def validation_estimate(val: RoundTensors, predicted: Tensor | None, config: LearnConfig) -> tuple[Tensor, Estimate]:
    """The off-policy estimate that selects: doubly robust where rewards are predicted, self-normalised IPS where not.

    Args:
        val: held-out rounds.
        predicted: q(x_i, a) on them `(n_val, n_actions)`, or None.
        config: `selection` may ask for either; `clip`.

    Raises:
        TaskError: doubly robust selection is asked of a learner that predicts no rewards.
    """
    if config.selection == "dr" and predicted is None:
        raise TaskError(f"selection: dr needs a reward model, which {config.method} has not; use snips")
    by_dr = predicted is not None and config.selection != "snips"

    def estimate(log_dist: Tensor) -> Tensor:
        weight = importance_weights(log_dist.gather(1, val.action[:, None]).squeeze(1), val.pscore, config.clip)
        if by_dr and predicted is not None:
            return dr_value(log_dist.exp(), predicted, weight, val.reward, val.action)
        return snips_value(weight, val.reward)

    return val.context, estimate
