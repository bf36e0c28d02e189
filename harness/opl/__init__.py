"""Off-policy learning: policies over a frozen table of rewards, scored exactly."""

from __future__ import annotations

import os


def reference_values(golds: str | os.PathLike[str]) -> dict[str, float]:
    """Mean reward of the policies that the golds alone determine: `uniform`, `logging` and `optimal`.

    Raises `HarnessError` where the file is no golds of `opl_policy`.
    """
    from harness.envelope import read_golds
    from harness.opl.table import reference_columns

    columns = reference_columns(read_golds(golds, "opl_policy"))
    return {name: float(column.mean()) for name, column in columns.items()}
