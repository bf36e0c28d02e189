"""What a learner is handed, and what it hands back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from store.seeds import stream, torch_seed
from tasks.api import Progress, TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.env import Features, LanguageEnvironment
from tasks.opl.outputs import AdditiveOutputs, Outputs, TabulatedOutputs
from tasks.opl.rounds import LoggedRounds, check_action_dist, check_rounds
from tasks.opl.tables import Floats, Ints
from tasks.training.loop import History

T = TypeVar("T")


@dataclass(frozen=True)
class FeatureTensors:
    """What policies and reward models look at, on the device.

    Attributes:
        context: context vectors, by context id `(n_contexts, dim_context)`.
        actions: vectors of the actions, the same in every context.
        outputs: vectors of what the actions bring forth.
    """

    context: Tensor
    actions: AdditiveOutputs
    outputs: Outputs

    @classmethod
    def of(cls, features: Features, device: torch.device) -> FeatureTensors:
        """Moves the language environment's features to a device."""
        context, prompts, sentences, row = (
            torch.from_numpy(array).to(device)
            for array in (features.context, features.prompts, features.sentences, features.item_row)
        )
        return cls(context, AdditiveOutputs(prompts), TabulatedOutputs(sentences, row))

    @property
    def n_actions(self) -> int:
        """Actions to choose from."""
        return self.actions.n_actions


@dataclass(frozen=True)
class RoundTensors:
    """Logged rounds on the device: context id and action int64, reward and pscore float32, each `(n_rounds,)`, and the output
    that the action brought forth `(n_rounds, dim_output)`.
    """

    context: Tensor
    action: Tensor
    reward: Tensor
    pscore: Tensor
    output: Tensor

    def take(self, rows: Tensor) -> RoundTensors:
        """The rounds with the given numbers."""
        return RoundTensors(
            self.context[rows], self.action[rows], self.reward[rows], self.pscore[rows], self.output[rows]
        )

    def __len__(self) -> int:
        return len(self.context)


@dataclass(frozen=True)
class LoggedProblem:
    """What an off-policy learner may see. Nothing of the truth.

    Attributes:
        features: of all contexts.
        train: rounds to learn from.
        val: rounds of other users, to select on.
        logging: pi_0(a|x) by context id `(n_contexts, n_actions)`, the contexts of the rounds at least; None where only the
            propensities of the choices were logged.
        memo: what several learners share, by name; see `shared`.
    """

    features: FeatureTensors
    train: RoundTensors
    val: RoundTensors
    logging: Tensor | None = None
    memo: dict[object, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def n_actions(self) -> int:
        """Actions to choose from."""
        return self.features.n_actions

    def logging_dist(self, method: str) -> Tensor:
        """`logging`.

        Raises:
            TaskError: it was not logged; names the method that needs it.
        """
        if self.logging is None:
            raise TaskError(
                f"log: {method} needs pi_0 of every action, but the log has the propensities of the choices only; "
                "log with action_dist, or choose a method that weighs by pscore"
            )
        return self.logging

    def shared(self, key: object, make: Callable[[], T]) -> T:
        """`make()`, once for a key: what it makes must depend on the problem and the key alone."""
        if key not in self.memo:
            self.memo[key] = make()
        return cast(T, self.memo[key])


@dataclass(frozen=True)
class OnlineProblem:
    """Features, and the true expected rewards of contexts to learn from and of other users' to select on.

    Attributes:
        features: of all contexts.
        train: context ids `(n_train,)`.
        val: context ids `(n_val,)`.
        reward: E[r|x, a] `(n, n_actions)` of contexts by their ids `(n,)`; of the train split only.
        reward_std: of a reward about its expectation, for learners that draw rewards.
    """

    features: FeatureTensors
    train: Tensor
    val: Tensor
    reward: Callable[[Tensor], Tensor]
    reward_std: float = 0.0


class Policy(nn.Module, ABC):
    """A policy over the actions of contexts that are known by their ids."""

    @abstractmethod
    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """log pi(a|x) + c(x) `(n, n_actions)` of contexts by their ids `(n,)`; minus infinity for what is never chosen."""

    def log_dist(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """log pi(a|x) `(n, n_actions)`."""
        return torch.log_softmax(self.logits(features, context), dim=1)


@dataclass(frozen=True)
class Fit:
    """A learnt policy: as it was at the selected step, the history with the weights of every point, and figures."""

    policy: Policy
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

    Where nothing is selected all rows are learnt from, and the held-out ones only watched.

    Args:
        user: the user of each row `(n_rows,)`.
        config: `val_ratio`, `selects_nothing` and `seed`.

    Raises:
        TaskError: there are fewer than two users.
    """
    users = stream(config.seed, "learn/split").permutation(np.unique(user))
    if len(users) < 2:
        raise TaskError(
            f"log: {len(users)} user; selection needs users to hold out, so log more rounds or take more contexts"
        )
    held = np.isin(user, users[: min(max(1, round(len(users) * config.val_ratio)), len(users) - 1)])
    learnt = np.arange(len(user)) if config.selects_nothing else np.flatnonzero(~held)
    return learnt, np.flatnonzero(held)


def logged_problem(
    environment: LanguageEnvironment,
    rounds: LoggedRounds,
    config: LearnConfig,
    device: torch.device,
    logging: Floats | None = None,
) -> LoggedProblem:
    """What an off-policy learner may see of the language environment.

    Args:
        environment: its truth is left out.
        rounds: what was logged on its train split.
        config: `val_ratio` and `seed`.
        device: where to.
        logging: pi_0(a|x) of all contexts `(n_contexts, n_actions)`, where known.

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
    if logging is not None:
        check_action_dist(logging, environment.n_contexts, environment.n_actions)
    train, val = hold_out_users(environment.user[rounds.context], config)
    features = FeatureTensors.of(environment.features, device)
    context, action = (torch.tensor(column, device=device) for column in (rounds.context, rounds.action))
    reward, pscore = (torch.tensor(column, device=device).float() for column in (rounds.reward, rounds.pscore))
    all_rounds = RoundTensors(context, action, reward, pscore, features.outputs.chosen(context, action))
    learnt, held = (all_rounds.take(torch.from_numpy(rows).to(device)) for rows in (train, val))
    known = None if logging is None else torch.from_numpy(logging.astype(np.float32)).to(device)
    return LoggedProblem(features, learnt, held, known)


def online_problem(environment: LanguageEnvironment, config: LearnConfig, device: torch.device) -> OnlineProblem:
    """What the online learner may see: the truth, on the train split only."""
    contexts = environment.contexts("train")
    train, val = (
        torch.from_numpy(contexts[rows]).to(device) for rows in hold_out_users(environment.user[contexts], config)
    )
    seen = np.where(environment.is_train[:, None], environment.rewards, np.float32(0))
    reward = torch.from_numpy(seen).to(device)
    return OnlineProblem(FeatureTensors.of(environment.features, device), train, val, reward.__getitem__)
