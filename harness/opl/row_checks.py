"""What an environment holds the rows it is handed to: contexts, the actions taken in them, the outputs that followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray


def check_contexts(contexts: FloatArray, dim_context: int, dim_query: int) -> None:
    """Contexts are finite rows of `dim_context + dim_query` numbers; raises `HarnessError`."""
    length = dim_context + dim_query
    if contexts.ndim != 2 or contexts.shape[1] != length or not np.isfinite(contexts).all():
        raise HarnessError(
            f"contexts are {contexts.shape}; they must be finite numbers, {length} a row: "
            f"{dim_context} of the user and {dim_query} of the query"
        )


def check_actions(actions: NDArray[np.int64], n_rows: int, n_actions: int) -> None:
    """One action of 0 to `n_actions` - 1 for each context; raises `HarnessError` with the first that is none."""
    if actions.shape != (n_rows,) or actions.dtype.kind not in "iu":
        raise HarnessError(
            f"actions are {actions.dtype} {actions.shape}; they must be integers ({n_rows},), one for each context"
        )
    outside = (actions < 0) | (actions >= n_actions)
    if outside.any():
        row = int(outside.argmax())
        raise HarnessError(f"actions: row {row} is {actions[row]}; actions are numbered from 0 to {n_actions - 1}")


def check_outputs(outputs: FloatArray, n_rows: int, dim_output: int) -> None:
    """One whole output for each context, hidden coordinates included; raises `HarnessError`."""
    if outputs.shape != (n_rows, dim_output):
        raise HarnessError(
            f"outputs are {outputs.shape}; they must be {(n_rows, dim_output)}: a row for each context, "
            "with the coordinates that learners do not see"
        )
