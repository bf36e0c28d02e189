"""Off-policy learning: policies over a frozen table of rewards or in a synthetic environment, scored exactly."""

from __future__ import annotations

import os


def reference_values(golds: str | os.PathLike[str], task: str = "opl_policy") -> dict[str, float]:
    """Mean reward of the policies that the golds alone determine: `uniform`, `logging` and `optimal`.

    Raises `HarnessError` where the file is no golds of `task`, `opl_policy` or `opl_synthetic`.
    """
    from harness.envelope import read_golds
    from harness.errors import HarnessError
    from harness.intervals import sums_of
    from harness.opl.policy import reference_columns
    from harness.opl.synthetic_task import environment_source
    from harness.opl.table import table_source

    sources = {"opl_policy": table_source, "opl_synthetic": environment_source}
    if task not in sources:
        raise HarnessError(f"{task!r} has no reference policies; {' and '.join(sources)} have")
    envelope = read_golds(golds, task)
    sums = sums_of(reference_columns(envelope, sources[task](envelope)), len(envelope.ids))
    n = sums.pop("n")
    return {name: total / n for name, total in sums.items()}
