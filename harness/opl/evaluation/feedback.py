"""Logged bandit feedback: what a logging policy did, what it earned, and how probable each action was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import (
    FloatArray,
    IntArray,
    checked_count,
    checked_distribution,
    checked_finite,
    checked_integers,
    checked_probability,
    checked_rows,
    checked_shape,
)

_PSCORE_TOLERANCE = 1e-6
_PSCORE_SHARE = 0.01  # of the pscores of rare actions, for which the tolerance is nothing


@dataclass(frozen=True, eq=False)
class BanditFeedback:
    """Rounds logged under a policy pi_0; arrays are copied, checked and read-only.

    Args:
        reward: r_i, `(n_rounds,)`, finite.
        action: a_i, `(n_rounds,)`, integers in 0..n_actions - 1.
        pscore: pi_0(a_i|x_i), `(n_rounds,)`, the logging policy's probability of the action it took, in (0, 1].
        n_actions: number of actions, at least two.
        context: x_i, `(n_rounds, dim_context)`.
        position: where in a list the action was shown, `(n_rounds,)`, counted from 0.
        expected_reward: q(x_i, a), `(n_rounds, n_actions)`, known in simulations; the truth comes from it.
        logging_dist: pi_0(a|x_i), `(n_rounds, n_actions)`; marginal weights need it, and support is then exact.
        output: o_i, `(n_rounds, dim_output)`, what the action brought forth, as the vector of a sentence.

    Raises `HarnessError` with the array's name, its shape or first wrong number, and what it must be.
    """

    reward: FloatArray
    action: IntArray
    pscore: FloatArray
    n_actions: int
    context: FloatArray | None = None
    position: IntArray | None = None
    expected_reward: FloatArray | None = None
    logging_dist: FloatArray | None = None
    output: FloatArray | None = None

    def __post_init__(self) -> None:
        checked_count("n_actions", self.n_actions)
        if self.n_actions < 2:
            raise HarnessError("n_actions: is 1, which leaves nothing to choose between; there must be at least two")
        n_rounds = np.size(self.reward)
        if n_rounds == 0:
            raise HarnessError("reward: is empty; there must be at least one round")
        self._set("reward", checked_shape("reward", self.reward, (n_rounds,), "(n_rounds,)"))
        self._set("action", checked_integers("action", self.action, n_rounds, "(n_rounds,)", self.n_actions))
        self._set("pscore", checked_probability("pscore", self.pscore, (n_rounds,), "(n_rounds,)", positive=True))
        self._check_optional(n_rounds)

    def _check_optional(self, n_rounds: int) -> None:
        if self.context is not None:
            self._set("context", checked_rows("context", self.context, n_rounds, "(n_rounds, dim_context)"))
        if self.output is not None:
            self._set("output", checked_rows("output", self.output, n_rounds, "(n_rounds, dim_output)"))
        if self.position is not None:
            self._set("position", checked_integers("position", self.position, n_rounds, "(n_rounds,)"))
        if self.expected_reward is not None:
            shape = (n_rounds, self.n_actions)
            rewards = checked_shape("expected_reward", self.expected_reward, shape, "(n_rounds, n_actions)")
            self._set("expected_reward", rewards)
        if self.logging_dist is not None:
            logging = checked_distribution("logging_dist", self.logging_dist, n_rounds, self.n_actions)
            self._set("logging_dist", logging)
            allowed = np.minimum(_PSCORE_TOLERANCE, _PSCORE_SHARE * self.pscore)
            apart = np.abs(logging[np.arange(n_rounds), self.action] - self.pscore) > allowed
            if apart.any():
                raise HarnessError(
                    f"logging_dist: gives the action of round {int(np.argmax(apart))} another probability than pscore; "
                    "both must come from the logging policy"
                )

    def _set(self, name: str, array: FloatArray | IntArray) -> None:
        object.__setattr__(self, name, array)  # the dataclass is frozen for everybody else

    @property
    def n_rounds(self) -> int:
        """Number of logged rounds."""
        return len(self.reward)

    def of_logged(self, table: FloatArray) -> FloatArray:
        """The entries of `table`, `(n_rounds, n_actions)`, at the logged actions: `(n_rounds,)`."""
        return table[np.arange(self.n_rounds), self.action]

    def importance_weight(self, action_dist: FloatArray) -> FloatArray:
        """w_i = pi(a_i|x_i) / pi_0(a_i|x_i), `(n_rounds,)`, of `action_dist`, `(n_rounds, n_actions)`.

        Raises `HarnessError` where one is too large for a float.
        """
        with np.errstate(over="ignore"):
            return checked_finite("importance weight", self.of_logged(action_dist) / self.pscore)

    def policy_value(self, action_dist: FloatArray) -> float | None:
        """V(pi) = mean_i sum_a pi(a|x_i) q(x_i, a), exact; None where `expected_reward` is not known."""
        if self.expected_reward is None:
            return None
        checked = checked_distribution("action_dist", action_dist, self.n_rounds, self.n_actions)
        return float((checked * self.expected_reward).sum(axis=1).mean())
