"""Logs rounds: a softened policy chooses prompts in the train contexts, and each choice's probability is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from safetensors.numpy import load_file, save_file

from store import Artifact, Attempt
from store.seeds import stream
from tasks.api import Context, Metrics
from tasks.opl.config import LogConfig
from tasks.opl.env import LanguageEnvironment
from tasks.opl.rounds import LoggedRounds, softmax
from tasks.opl.tables import Floats

LOGGING_FILE = "logging.safetensors"


@dataclass(frozen=True)
class Inputs:
    """The environment, and the policy whose logits are softened (the online one)."""

    environment: Artifact
    policy: Artifact


def run(config: LogConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the table rounds and logging.safetensors (`action_dist (n_contexts, n_actions)`, float64).

    pi_0(a|x) = softmax(beta * f(x, a)), f the policy's logits (Kiyohara et al., 2025: beta 0.2).

    Raises:
        TaskError: the policy was learnt in another environment.
    """
    environment = LanguageEnvironment.read(inputs.environment)
    logits = load_file(inputs.policy.path("policy.safetensors"))["logits"]
    action_dist = softmax(logits.astype(np.float64), config.beta)
    rng = stream(config.seed, "logging")
    rounds = environment.sample_logged_data(action_dist, config.n_rounds, rng, reward_std=config.reward_std)
    out.write_table("rounds", "opl.rounds", rounds_table(rounds))
    save_file({"action_dist": np.ascontiguousarray(action_dist)}, out.path(LOGGING_FILE))
    return {
        "logging_value": environment.policy_value(action_dist, "test"),
        "uniform_value": environment.uniform_value("test"),
        "mean_reward": float(rounds.reward.mean()),
        "min_pscore": float(rounds.pscore.min()),
        "effective_actions": float(np.exp(entropy(action_dist)).mean()),
    }


def entropy(action_dist: Floats) -> Floats:
    """-sum_a pi(a|x) log pi(a|x) in nats `(n_contexts,)`."""
    positive = np.where(action_dist > 0, action_dist, 1.0)
    total: Floats = -(action_dist * np.log(positive)).sum(axis=1)
    return total


def rounds_table(rounds: LoggedRounds) -> pa.Table:
    """The rounds as the table `opl.rounds` declares them."""
    columns = {
        "round_id": pa.array(np.arange(len(rounds)), pa.int64()),
        "context_id": pa.array(rounds.context, pa.int64()),
        "action": pa.array(rounds.action, pa.int64()),
        "reward": pa.array(rounds.reward, pa.float64()),
        "pscore": pa.array(rounds.pscore, pa.float64()),
    }
    return pa.table(columns)
