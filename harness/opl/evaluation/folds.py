"""Folds of cross-fitting: no round is predicted by a model that has seen it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import IntArray, checked_count


def fitting_folds(
    n_rounds: int, n_folds: int, rng: np.random.Generator, strata: IntArray | None = None
) -> Iterator[tuple[IntArray, IntArray]]:
    """The rounds to fit on and those to predict, `n_folds` times; with one fold both are all rounds.

    Folds differ by one round at most, within each of `strata`, `(n_rounds,)`, too. Raises `HarnessError` for fewer
    rounds than folds.
    """
    checked_count("n_folds", n_folds)
    if n_folds > n_rounds:
        raise HarnessError(f"n_folds: is {n_folds}, but must be in 1..{n_rounds}, the number of rounds")
    order = rng.permutation(n_rounds)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(n_rounds, dtype=np.int64)
    fold[order] = np.arange(n_rounds) % n_folds
    for number in range(n_folds):
        predicted = fold == number
        yield np.flatnonzero(~predicted | (n_folds == 1)), np.flatnonzero(predicted)
