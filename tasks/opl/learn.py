"""Learns a prompt policy by one method, and judges it exactly on users it never saw."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor

from store import Artifact, Attempt
from tasks.api import Context, Metrics, TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.env import LanguageEnvironment
from tasks.opl.learners import LEARNERS, online
from tasks.opl.log import LOGGING_FILE
from tasks.opl.problem import FeatureTensors, Fit, Policy, generators, logged_problem, online_problem
from tasks.opl.rounds import LoggedRounds, softmax
from tasks.opl.tables import Floats, Ints
from tasks.training.device import prepare_torch

_PIECE = 16_384
_WORTH_A_WORD = 0.001


@dataclass(frozen=True)
class Inputs:
    """The environment, whose test split only judges; and the log, which every method but `online` learns from."""

    environment: Artifact
    log: Artifact | None = None


def run(config: LearnConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes policy.safetensors and curve.json; returns the policy's exact values.

    policy.safetensors: `action_dist` float64 and `logits` float32, both `(n_contexts, n_actions)`, and the network's weights
    under `network.`. curve.json: the points of the curve with the loss, the estimate that selected, and the exact test value,
    which is computed afterwards and selects nothing.

    Raises:
        TaskError: a method other than `online` without a log, or a log that does not fit the environment.
    """
    device = prepare_torch(ctx.runtime, small=True)
    environment = LanguageEnvironment.read(inputs.environment)
    logging: Floats | None = None
    with ctx.progress(f"policy by {config.method}", config.n_steps) as advance:
        if config.method == "online":
            fit = online.learn(online_problem(environment, config, device), config, generators(config.seed), advance)
        else:
            if inputs.log is None:
                raise TaskError(f"opl.learn: the method {config.method} needs --input log=opl/log")
            rounds = LoggedRounds.read(inputs.log.table("rounds"))
            logging = load_file(inputs.log.path(LOGGING_FILE))["action_dist"]
            problem = logged_problem(environment, rounds, config, device, logging)
            fit = LEARNERS[config.method](problem, config, generators(config.seed), advance)
    features = FeatureTensors.of(environment.features, device)
    points = curve(fit, environment, features)
    logits = logits_of(fit.policy, features, torch.arange(environment.n_contexts, device=device))
    action_dist = softmax(logits.double().numpy())
    weights = {f"network.{name}": value.detach().cpu().numpy() for name, value in fit.policy.state_dict().items()}
    arrays = weights | {"logits": logits.numpy(), "action_dist": action_dist}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, out.path("policy.safetensors"))
    value, uniform, optimal = (
        environment.policy_value(action_dist, "test"),
        environment.uniform_value("test"),
        environment.optimal_value("test"),
    )
    metrics = {
        "value": value,
        "train_value": environment.policy_value(action_dist, "train"),
        "uniform_value": uniform,
        "optimal_value": optimal,
        "optimality": (value - uniform) / (optimal - uniform) if optimal > uniform else 0.0,
        "selected_step": float(fit.history.best_step),
        **fit.notes,
    }
    if logging is not None:
        metrics["deficient_support"] = deficient_support(action_dist, logging)
        if metrics["deficient_support"] > _WORTH_A_WORD:
            share = f"{metrics['deficient_support']:.1%} of its choices are prompts that the logging policy never takes"
            ctx.log.warning("%s: %s; the log cannot tell what they earn", config.method, share)
    out.write_json("curve.json", {"method": config.method, "metrics": metrics, "points": points})
    return metrics


def deficient_support(action_dist: Floats, logging: Floats) -> float:
    """mean_x sum_a pi(a|x) 1{pi_0(a|x) = 0}: how often a policy does what was never logged (Sachdeva et al., 2020).

    Args:
        action_dist: pi `(n, n_actions)`.
        logging: pi_0 `(n, n_actions)`.
    """
    return float(np.where(logging == 0, action_dist, 0.0).sum(axis=1).mean())


def logits_of(policy: Policy, features: FeatureTensors, context: Tensor) -> Tensor:
    """Logits `(n, n_actions)` of contexts by their ids `(n,)`, on the CPU."""
    with torch.inference_mode():
        return torch.cat([policy.logits(features, part) for part in torch.split(context, _PIECE)]).cpu()


def curve(fit: Fit, environment: LanguageEnvironment, features: FeatureTensors) -> list[dict[str, float | None]]:
    """Each point's step, mean training loss since the one before, estimate, and exact value on the test split.

    Leaves the selected weights in the policy.
    """
    selected = {name: value.clone() for name, value in fit.policy.state_dict().items()}
    test: Ints = environment.contexts("test")
    on_test, rewards = torch.from_numpy(test).to(features.context.device), environment.rewards[test].astype(np.float64)
    points: list[dict[str, float | None]] = []
    for point in (point for point in fit.history.points if point.step in fit.history.states):
        fit.policy.load_state_dict(fit.history.states[point.step])
        action_dist = softmax(logits_of(fit.policy, features, on_test).double().numpy())
        points.append(
            {
                "step": float(point.step),
                "train_loss": None if math.isnan(point.train_loss) else point.train_loss,
                "estimate": -point.val_loss,
                "test_value": float((action_dist * rewards).sum(axis=1).mean()),
            }
        )
    fit.policy.load_state_dict(selected)
    return points
