"""Gradient ascent on a policy's value, with the checkpoint chosen by an estimate on held-out users."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from tasks.api import Progress, TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.networks import PolicyNetwork
from tasks.opl.objectives import dr_value, entropy, importance_weights, kl_divergence, snips_value
from tasks.opl.problem import FeatureTensors, Fit, Generators, LoggedProblem, Policy, RoundTensors
from tasks.training.loop import Schedule, batches, fit

_STATES = 80  # of a curve at most
LossOfRows = Callable[[Tensor, Tensor], Tensor]
"""The loss of a batch: of log pi(a|x) `(batch_size, n_actions)` with gradient, and the rows' numbers `(batch_size,)`."""
Estimate = Callable[[Tensor], Tensor]
"""The estimated value of log pi(a|x) `(n_val, n_actions)` on the held-out contexts."""


def ascend(
    features: FeatureTensors,
    seen: Tensor,
    loss_of_rows: LossOfRows,
    validation: tuple[Tensor, Estimate],
    config: LearnConfig,
    generators: Generators,
    advance: Progress | None,
    *,
    policy: Policy | None = None,
    logging: Tensor | None = None,
) -> Fit:
    """Learns a policy.

    Args:
        features: of all contexts.
        seen: context id of each training row `(n_rows,)`; the network's inputs are standardised by them.
        loss_of_rows: what is descended.
        validation: context ids `(n_val,)`, and the estimate of the value on them.
        config: steps, batch, learning rate, patience, regularisation.
        generators: streams of the run.
        advance: called with the steps done.
        policy: what is learnt; the paper's prompt network when not given.
        logging: pi_0 by context id, where `kl` pulls towards it.
    """
    device = features.context.device
    if policy is None:
        policy = new_policy(features, seen, config, generators)
    learnt = policy
    dealt = batches(len(seen), config.batch_size, generators("batches"))
    held, estimate = validation

    def loss_of_step(_: int) -> Tensor:
        rows = next(dealt).to(device)
        log_dist = learnt.log_dist(features, seen[rows])
        loss = loss_of_rows(log_dist, rows)
        if config.entropy:
            loss = loss - config.entropy * entropy(log_dist)
        if config.kl and logging is not None:
            loss = loss + config.kl * kl_divergence(log_dist, logging[seen[rows]])
        return loss

    def validate() -> float:
        return -float(estimate(learnt.log_dist(features, held)))

    # `last` still needs the estimate: the curve shows it, though it selects nothing.
    schedule = Schedule(
        config.n_steps,
        config.eval_every,
        config.patience,
        config.learning_rate,
        config.weight_decay,
        config.selection == "last",
    )
    history = fit(learnt, loss_of_step, validate, schedule, advance=advance, keep_states=_STATES)
    return Fit(learnt, history)


def ascend_logged(
    problem: LoggedProblem,
    loss_of_rows: LossOfRows,
    validation: tuple[Tensor, Estimate],
    config: LearnConfig,
    generators: Generators,
    advance: Progress | None,
) -> Fit:
    """`ascend` of the prompt network over the logged training rounds."""
    logging = problem.logging_dist(f"{config.method} with kl") if config.kl else None
    seen = problem.train.context
    return ascend(problem.features, seen, loss_of_rows, validation, config, generators, advance, logging=logging)


def new_policy(
    features: FeatureTensors, seen: Tensor, config: LearnConfig, generators: Generators, n_choices: int | None = None
) -> PolicyNetwork:
    """The prompt network with its first weights, over all actions, or over so many choices."""
    network = PolicyNetwork(
        features.context[seen],
        n_choices or features.n_actions,
        config.hidden,
        generators("policy"),
        standardise=config.standardise,
    )
    return network.to(features.context.device)


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
