"""What a scored task is, and which tasks there are; a declaration is imported when its task is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.envelope import Envelope

    FloatArray: TypeAlias = NDArray[np.float64]

_DECLARATIONS = {
    "opl_policy": "harness.opl.task:OPL_POLICY",
}


@dataclass(frozen=True)
class Metric:
    """A number over all samples, written as a function of the means of per-sample columns.

    `estimate` takes the mean of each column (all of one shape, a scalar or `(n_resamples,)`) and returns the value in
    that shape. It uses arithmetic alone, no branches on values: its derivative is taken at complex means.
    """

    name: str
    estimate: Callable[[Mapping[str, FloatArray]], FloatArray]
    higher_is_better: bool
    formula: str
    source: str


@dataclass(frozen=True)
class Task:
    """The declaration of one scored task.

    `gold_output` and `prediction_output` say what `output` holds in either file; `gold_arrays` must and
    `prediction_arrays` may lie beside the JSON as `<task>.<array>.npy`. `columns` takes golds and predictions, both
    sorted by the same ids, and returns the per-sample columns, each `(n_samples,)`, that the metrics are made of; it
    raises `HarnessError` for golds and `SubmissionError` for predictions that are not as described.
    """

    name: str
    version: int
    gold_output: str
    prediction_output: str
    metrics: tuple[Metric, ...]
    primary: str
    columns: Callable[[Envelope, Envelope], Mapping[str, FloatArray]]
    gold_arrays: tuple[str, ...] = ()
    prediction_arrays: tuple[str, ...] = ()
    cluster: str = "user_id"
    compat: frozenset[str] = frozenset()

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value of the primary metric is the better one."""
        return next(metric.higher_is_better for metric in self.metrics if metric.name == self.primary)


def names() -> list[str]:
    """The names of all tasks, sorted."""
    return sorted(_DECLARATIONS)


def get(name: str) -> Task:
    """The task of that name; raises `HarnessError` with the nearest names for one that does not exist."""
    if name not in _DECLARATIONS:
        near = get_close_matches(name, _DECLARATIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the tasks are: {', '.join(names())}"
        raise HarnessError(f"unknown task {name[:60]!r}: {hint}")
    module, attribute = _DECLARATIONS[name].split(":")
    task = getattr(import_module(module), attribute)
    assert isinstance(task, Task)
    return task
