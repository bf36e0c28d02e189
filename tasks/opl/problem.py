"""What a learner is handed, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from store.seeds import stream, torch_seed
from tasks.api import Progress, TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.env import Features, LanguageEnvironment
from tasks.opl.networks import PolicyNetwork
from tasks.opl.rounds import LoggedRounds, check_rounds
from tasks.opl.tables import Ints
from tasks.training.loop import History


@dataclass(frozen=True)
class FeatureTensors:
    """`tasks.opl.env.Features` on the device: same names, same shapes."""

    context: Tensor
    prompts: Tensor
    sentences: Tensor
    item_row: Tensor

    @classmethod
    def of(cls, features: Features, device: torch.device) -> FeatureTensors:
        """Moves the features to a device."""
        arrays = (features.context, features.prompts, features.sentences, features.item_row)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))


@dataclass(frozen=True)
class RoundTensors:
    """Logged rounds on the device, each `(n_rounds,)`: context and action int64, reward and pscore float32."""

    context: Tensor
    action: Tensor
    reward: Tensor
    pscore: Tensor

    @classmethod
    def of(cls, rounds: LoggedRounds, device: torch.device) -> RoundTensors:
        """Moves logged rounds to a device."""
        columns = [
            torch.from_numpy(column).to(device)
            for column in (rounds.context, rounds.action, rounds.reward, rounds.pscore)
        ]
        return cls(columns[0], columns[1], columns[2].float(), columns[3].float())

    def take(self, rows: Tensor) -> RoundTensors:
        """The rounds with the given numbers."""
        return RoundTensors(self.context[rows], self.action[rows], self.reward[rows], self.pscore[rows])

    def __len__(self) -> int:
        return len(self.context)


@dataclass(frozen=True)
class LoggedProblem:
    """Features, and logged rounds of users to learn from and of others to select on. Nothing of the truth."""

    features: FeatureTensors
    n_actions: int
    train: RoundTensors
    val: RoundTensors


@dataclass(frozen=True)
class OnlineProblem:
    """Features, and the true expected rewards of contexts to learn from and of other users' to select on.

    Attributes:
        features: of all contexts.
        train: context ids `(n_train,)`.
        val: context ids `(n_val,)`.
        reward: E[r|x, a] of the train split, by context id `(n_contexts, n_actions)`; zero outside it.
    """

    features: FeatureTensors
    train: Tensor
    val: Tensor
    reward: Tensor


@dataclass(frozen=True)
class Fit:
    """A learnt policy: its network at the selected step, the history with the weights of every point, and figures."""

    policy: PolicyNetwork
    history: History
    notes: dict[str, float] = field(default_factory=dict)


Generators = Callable[[str], torch.Generator]
"""An independent generator for each name, of the run's seed."""

Learner = Callable[[LoggedProblem, LearnConfig, Generators, Progress | None], Fit]


def generators(seed: int) -> Generators:
    """Streams "learn/<name>" under a seed."""
    return lambda name: torch.Generator().manual_seed(torch_seed(seed, f"learn/{name}"))


def hold_out_users(user: Ints, config: LearnConfig) -> tuple[Ints, Ints]:
    """Row numbers of learning and of selection: a seeded share of the users is held out `(n_train,), (n_val,)`.

    Args:
        user: the user of each row `(n_rows,)`.
        config: `val_ratio` and `seed`.

    Raises:
        TaskError: there are fewer than two users.
    """
    users = stream(config.seed, "learn/split").permutation(np.unique(user))
    if len(users) < 2:
        raise TaskError(
            f"log: {len(users)} user; selection needs users to hold out, so log more rounds or take more contexts"
        )
    held = np.isin(user, users[: min(max(1, round(len(users) * config.val_ratio)), len(users) - 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


def logged_problem(
    environment: LanguageEnvironment, rounds: LoggedRounds, config: LearnConfig, device: torch.device
) -> LoggedProblem:
    """What an off-policy learner may see.

    Raises:
        TaskError: the rounds do not fit the environment, or show contexts of the test split.
    """
    check_rounds(rounds, environment.n_contexts, environment.n_actions)
    leaked = ~environment.is_train[rounds.context]
    if leaked.any():
        first = int(np.argmax(leaked))
        raise TaskError(
            f"log: round {first} shows context {rounds.context[first]} of the test split; log the train split"
        )
    train, val = hold_out_users(environment.user[rounds.context], config)
    features = FeatureTensors.of(environment.features, device)
    parts = (RoundTensors.of(rounds.take(rows), device) for rows in (train, val))
    return LoggedProblem(features, environment.n_actions, *parts)


def online_problem(environment: LanguageEnvironment, config: LearnConfig, device: torch.device) -> OnlineProblem:
    """What the online learner may see: the truth, on the train split only."""
    contexts = environment.contexts("train")
    train, val = (
        torch.from_numpy(contexts[rows]).to(device) for rows in hold_out_users(environment.user[contexts], config)
    )
    reward = np.where(environment.is_train[:, None], environment.rewards, np.float32(0))
    return OnlineProblem(
        FeatureTensors.of(environment.features, device), train, val, torch.from_numpy(reward).to(device)
    )
