"""Logged slates: lists of items of which each was shown at a position and earned a reward of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import (
    FloatArray,
    IntArray,
    checked_count,
    checked_integers,
    checked_probability,
    checked_shape,
)

_TOLERANCE = 1e-6
Number = TypeVar("Number", np.float64, np.int64)
KINDS = ("pscore", "pscore_cascade", "pscore_item")


@dataclass(frozen=True, eq=False)
class SlateFeedback:
    """Slates of one length, logged under pi_0, a row an item; rows in any order, arrays copied and checked.

    Each kind of estimator asks for one of the three probabilities; give those that are known.

    Args:
        slate_id: which slate a row belongs to, `(n_rows,)`, integers from 0.
        position: where in it, `(n_rows,)`, 0..slate_length - 1, each once a slate.
        action: the item that was shown, `(n_rows,)`, integers in 0..n_actions - 1.
        reward: what it earned there, `(n_rows,)`.
        n_actions: number of items there are.
        pscore: pi_0(a_1, ..., a_L|x) of the whole slate, `(n_rows,)`, the same in its rows.
        pscore_cascade: pi_0(a_1, ..., a_l|x) of the row's item and those above, `(n_rows,)`.
        pscore_item: pi_0(a_l at l|x) of the row's item at its position, whatever is elsewhere, `(n_rows,)`.

    Raises `HarnessError` with the array's name, its first wrong row or slate, and what it must be.
    """

    slate_id: IntArray
    position: IntArray
    action: IntArray
    reward: FloatArray
    n_actions: int
    pscore: FloatArray | None = None
    pscore_cascade: FloatArray | None = None
    pscore_item: FloatArray | None = None
    _order: IntArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_rows = np.size(self.slate_id)
        checked_count("n_actions", self.n_actions)
        if n_rows == 0:
            raise HarnessError("slate_id: is empty; there must be at least one slate")
        self._set("slate_id", checked_integers("slate_id", self.slate_id, n_rows, "(n_rows,)"))
        self._set("position", checked_integers("position", self.position, n_rows, "(n_rows,)"))
        self._set("action", checked_integers("action", self.action, n_rows, "(n_rows,)", self.n_actions))
        self._set("reward", checked_shape("reward", self.reward, (n_rows,), "(n_rows,)"))
        self._set("_order", self._checked_order())
        for kind in KINDS:
            if getattr(self, kind) is not None:
                self._set(kind, checked_probability(kind, getattr(self, kind), (n_rows,), "(n_rows,)", positive=True))
                self.check_kind(kind, getattr(self, kind))
        self._check_agreement()

    def _check_agreement(self) -> None:
        """A slate's probability is that of all its items, the last of `pscore_cascade`."""
        if self.pscore is None or self.pscore_cascade is None:
            return
        whole, last = self.by_slate(self.pscore)[:, -1], self.by_slate(self.pscore_cascade)[:, -1]
        apart = np.abs(whole - last) > _TOLERANCE * last
        if apart.any():
            row = int(np.argmax(apart))
            raise HarnessError(
                f"pscore: of slate {int(np.unique(self.slate_id)[row])} is {float(whole[row]):g}, but its pscore_cascade "
                f"ends with {float(last[row]):g}; both are the probability of the whole slate"
            )

    def _checked_order(self) -> IntArray:
        """Rows by slate, then by position."""
        order = np.lexsort((self.position, self.slate_id))
        _, first, sizes = np.unique(self.slate_id[order], return_index=True, return_counts=True)
        wanted = np.arange(len(order)) - np.repeat(first, sizes)
        wrong = (self.position[order] != wanted) | (np.repeat(sizes, sizes) != sizes[0])
        if wrong.any():
            slate = int(self.slate_id[order][np.argmax(wrong)])
            raise HarnessError(
                f"position: slate {slate} has {np.sort(self.position[self.slate_id == slate]).tolist()}; every slate "
                f"must have 0..{int(sizes[0]) - 1} once, being as long as the first"
            )
        return order

    def _set(self, name: str, array: FloatArray | IntArray) -> None:
        object.__setattr__(self, name, array)  # the dataclass is frozen for everybody else

    @property
    def n_rows(self) -> int:
        """Number of rows, n_slates times slate_length."""
        return len(self.slate_id)

    @property
    def slate_length(self) -> int:
        """Items in a slate."""
        return int(self.position.max()) + 1

    def by_slate(self, rows: NDArray[Number]) -> NDArray[Number]:
        """`rows`, `(n_rows, ...)`, as `(n_slates, slate_length, ...)`: slates by `slate_id`, items by `position`."""
        return rows[self._order].reshape(-1, self.slate_length, *rows.shape[1:])

    def checked_policy(self, kind: str, probability: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """A policy's and the log's probability of `kind`, one of KINDS, both `(n_slates, slate_length)`.

        Raises `HarnessError` where the log's is missing, or the policy's is none of that kind.
        """
        logged: FloatArray | None = getattr(self, kind)
        if logged is None:
            raise HarnessError(f"feedback: has no {kind}, which this estimator needs; give it, of shape (n_rows,)")
        checked = checked_probability("policy_pscore", probability, (self.n_rows,), "(n_rows,)")
        self.check_kind(kind, checked)
        return self.by_slate(checked), self.by_slate(logged)

    def check_kind(self, kind: str, probability: FloatArray) -> None:
        """Raise `HarnessError` where `probability`, `(n_rows,)`, cannot be one of `kind`."""
        if kind == "pscore_item":
            return
        table = self.by_slate(probability)
        step = np.diff(table, axis=1)
        grown = (np.abs(step) if kind == "pscore" else step) > _TOLERANCE * table[:, :-1]
        if grown.any():
            row = int(np.argmax(grown.any(axis=1)))
            rule = "be the same in its rows" if kind == "pscore" else "not grow along its positions"
            slate = int(np.unique(self.slate_id)[row])
            raise HarnessError(f"{kind}: that of slate {slate} is {table[row].tolist()}, but must {rule}")
