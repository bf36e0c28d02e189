"""Logged bandit feedback and action distributions, with the checks that every reader shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from store import Table
from tasks.api import TaskError
from tasks.opl.tables import Floats, Ints, integers, sorted_rows


@dataclass(frozen=True)
class LoggedRounds:
    """Rounds of a logging policy pi_0; every array is `(n_rounds,)`.

    Attributes:
        context: row of the context in the environment's tables.
        action: the prompt chosen, a ~ pi_0(.|x).
        reward: r, noise included.
        pscore: pi_0(a|x), in (0, 1].
    """

    context: Ints
    action: Ints
    reward: Floats
    pscore: Floats

    def __len__(self) -> int:
        return len(self.context)

    def take(self, rows: Ints) -> LoggedRounds:
        """The rounds with the given numbers."""
        return LoggedRounds(self.context[rows], self.action[rows], self.reward[rows], self.pscore[rows])

    @classmethod
    def read(cls, table: Table) -> LoggedRounds:
        """Reads the table `rounds`."""
        data = sorted_rows(table, ("round_id",))
        reward, pscore = (np.asarray(data[name].to_numpy(), dtype=np.float64) for name in ("reward", "pscore"))
        return cls(integers(data, "context_id"), integers(data, "action"), reward, pscore)


def check_rounds(rounds: LoggedRounds, n_contexts: int, n_actions: int) -> None:
    """Holds logged rounds to what off-policy learning needs.

    Raises:
        TaskError: no rounds, columns of different lengths, a context or action out of range, a reward that is not finite,
            a pscore outside (0, 1]; names the first such round.
    """
    if len(rounds) == 0:
        raise TaskError("log: it has no rounds; raise n_rounds of opl.log")
    columns = {"context": rounds.context, "action": rounds.action, "reward": rounds.reward, "pscore": rounds.pscore}
    for name, column in columns.items():
        if column.shape != rounds.context.shape or column.ndim != 1:
            raise TaskError(
                f"log: {name} has shape {column.shape} but context has {rounds.context.shape}; they must be equal"
            )
    faults = {
        f"context must be in 0..{n_contexts - 1}": (
            rounds.context,
            (rounds.context < 0) | (rounds.context >= n_contexts),
        ),
        f"action must be in 0..{n_actions - 1}": (rounds.action, (rounds.action < 0) | (rounds.action >= n_actions)),
        "reward must be finite": (rounds.reward, ~np.isfinite(rounds.reward)),
        "pscore must be in (0, 1]": (rounds.pscore, ~((rounds.pscore > 0) & (rounds.pscore <= 1))),
    }
    for rule, (values, wrong) in faults.items():
        if wrong.any():
            first = int(np.argmax(wrong))
            raise TaskError(f"log: round {first}: {rule}, found {values[first]}; log again")


def check_action_dist(action_dist: Floats, n_contexts: int, n_actions: int) -> None:
    """An action distribution pi(a|x) `(n_contexts, n_actions)` has the right shape, no negative entry, rows that sum to 1.

    Raises:
        TaskError: it has not; names both shapes or the first bad row.
    """
    if action_dist.shape != (n_contexts, n_actions):
        raise TaskError(
            f"action_dist has shape {action_dist.shape} but the environment is {(n_contexts, n_actions)}; they must be equal"
        )
    wrong = ~(
        np.isfinite(action_dist).all(axis=1)
        & (action_dist >= 0).all(axis=1)
        & (np.abs(action_dist.sum(axis=1) - 1) < 1e-6)
    )
    if wrong.any():
        first = int(np.argmax(wrong))
        raise TaskError(
            f"action_dist: row {first} is no distribution: it sums to {action_dist[first].sum()}; mend the policy"
        )


def softmax(logits: Floats, beta: float = 1.0) -> Floats:
    """pi(a|x) = exp(beta f(x, a)) / sum_a' exp(beta f(x, a')), both `(n_contexts, n_actions)`; beta may be negative."""
    scaled = beta * np.asarray(logits, dtype=np.float64)
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    action_dist: Floats = weights / weights.sum(axis=1, keepdims=True)
    return action_dist
