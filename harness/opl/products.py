"""Matrix products whose rows stand alone, and tables worked on a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from harness.registry import FloatArray


def ordered_product(left: FloatArray, right: FloatArray) -> FloatArray:
    """`left @ right`, summed from the first to the last, so that a row does not depend on how many stand beside it.

    BLAS's do. einsum, given tables in rows, has the columns of `right` in its inner loop and so sums in order, but for a
    single column, which it would sum several numbers at once.
    """
    if right.shape[1] == 1:
        return ordered_product(left, np.repeat(right, 2, axis=1))[:, :1]
    table = np.empty((len(left), right.shape[1]))
    np.einsum("nk,ka->na", left, np.ascontiguousarray(right), out=table)
    return table


def blocks(n_rows: int, n_columns: int, cells: int) -> Iterator[slice]:
    """Slices that cover `n_rows` rows of `n_columns` numbers, each of about `cells` numbers and at least one row."""
    step = max(1, cells // n_columns)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))
