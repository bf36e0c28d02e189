"""Logged rounds whose actions are numbers, as doses, prices or weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, checked_shape


@dataclass(frozen=True, eq=False)
class ContinuousFeedback:
    """Rounds logged under a policy with a density pi_0(a|x); arrays are copied, checked and read-only.

    Args:
        reward: r_i, `(n_rounds,)`, finite.
        action: a_i, `(n_rounds,)`, finite numbers.
        pscore: the density pi_0(a_i|x_i), `(n_rounds,)`, greater than 0; it may exceed 1.

    Raises `HarnessError` with the array's name, its shape or first wrong number, and what it must be.
    """

    reward: FloatArray
    action: FloatArray
    pscore: FloatArray

    def __post_init__(self) -> None:
        n_rounds = np.size(self.reward)
        if n_rounds == 0:
            raise HarnessError("reward: is empty; there must be at least one round")
        for name in ("reward", "action", "pscore"):
            array = checked_shape(name, getattr(self, name), (n_rounds,), "(n_rounds,)")
            object.__setattr__(self, name, array)  # the dataclass is frozen for everybody else
        if (self.pscore <= 0).any():
            first = int(np.argmax(self.pscore <= 0))
            raise HarnessError(
                f"pscore: [{first}] = {float(self.pscore[first]):g}, but the density of a logged action is positive"
            )

    @property
    def n_rounds(self) -> int:
        """Number of logged rounds."""
        return len(self.reward)
