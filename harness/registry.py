"""What a scored task is, and which tasks there are; a declaration is imported when its task is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.envelope import Envelope

    FloatArray: TypeAlias = NDArray[np.float64]

_LAMP = {f"LaMP_{number}": f"harness.lamp.tasks:LAMP_{number}" for number in range(1, 8)}
_DECLARATIONS = {
    **_LAMP,
    "LaMP_2_news": "harness.lamp.tasks:LAMP_2_NEWS",
    "click": "harness.click.task:CLICK",
    "opl_policy": "harness.opl.task:OPL_POLICY",
    "opl_synthetic": "harness.opl.synthetic_task:OPL_SYNTHETIC",
    "ranking": "harness.ranking.task:RANKING",
}
# LaMP's command lines write a hyphen where its files write an underscore.
_ALIASES = {**{name.replace("_", "-"): name for name in _LAMP}, "LaMP-2-old": "LaMP_2_news"}


@dataclass(frozen=True)
class Metric:
    """A number over all samples, written as a function of sums over samples.

    `columns` names the per-sample columns it needs; where one is absent the metric is left out of the result. `terms`
    turns them into finite columns that may be summed (default: they are summed as they are). `estimate` takes the sum
    of each term and, as `n`, the number of samples, all of one shape (a scalar or `(n_resamples,)`), and returns the
    value in that shape. It is homogeneous of degree 0 (twice the samples, the same value) and uses arithmetic alone:
    its derivative is taken at complex sums.
    """

    name: str
    columns: tuple[str, ...]
    estimate: Callable[[Mapping[str, FloatArray]], FloatArray]
    higher_is_better: bool
    formula: str
    source: str
    terms: Callable[[Mapping[str, FloatArray]], Mapping[str, FloatArray]] | None = None

    def summands(self, samples: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        """The columns to be summed, each `(n_samples,)`."""
        chosen = {name: samples[name] for name in self.columns}
        return self.terms(chosen) if self.terms else chosen


def mean_of(column: str) -> Callable[[Mapping[str, FloatArray]], FloatArray]:
    """The estimate of a plain mean: the sum of `column` over `n`."""

    def mean(sums: Mapping[str, FloatArray]) -> FloatArray:
        return sums[column] / sums["n"]

    return mean


@dataclass(frozen=True)
class Samples:
    """What a task finds in golds and predictions, sample by sample, in the order of their ids.

    `columns` are the values of each sample, each `(n_samples,)`, NaN where one is undefined; `notes` are sentences a
    reader of the score must know, without gold values.
    """

    columns: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """The declaration of one scored task.

    `gold_output` and `prediction_output` say what `output` holds in either file; `gold_arrays` must and
    `prediction_arrays` may lie beside the JSON as `<task>.<array>.npy`; `settings` says
    whether golds may carry an object of that name. `samples` takes golds and predictions of the same ids; it raises
    `HarnessError` for golds and `SubmissionError` for predictions that are not as described. `also_named` are other
    names in the files of which a caller who asks for this task gets it. `pair` gives the columns of one gold and one
    prediction, both strings, where there is a shorter way to them.
    """

    name: str
    version: int
    summary: str
    gold_output: str
    prediction_output: str
    metrics: tuple[Metric, ...]
    primary: str
    samples: Callable[[Envelope, Envelope], Samples]
    gold_arrays: tuple[str, ...] = ()
    prediction_arrays: tuple[str, ...] = ()
    settings: bool = False
    labels: tuple[str, ...] = ()
    also_named: tuple[str, ...] = ()
    cluster: str = "user_id"
    pair: Callable[[str, str], dict[str, float]] | None = None

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value of the primary metric is the better one."""
        return next(metric.higher_is_better for metric in self.metrics if metric.name == self.primary)


def names() -> list[str]:
    """The names of all tasks, sorted."""
    return sorted(_DECLARATIONS)


def spellings(name: str) -> list[str]:
    """All names by which the task of that name may be called, its own first."""
    return [name, *sorted(alias for alias, task in _ALIASES.items() if task == name)]


def canonical(name: str) -> str:
    """The task's name in files, for a name or a spelling of it; raises `HarnessError` with the nearest names."""
    if not isinstance(name, str):
        raise HarnessError(f"the task is {name!r:.60}: give its name, one of {', '.join(names())}")
    name = _ALIASES.get(name, name)
    if name not in _DECLARATIONS:
        typed = re.sub(r"[\W_]", "", name).casefold()
        near = [known for known in _DECLARATIONS if known.replace("_", "").casefold() == typed]
        near = near or get_close_matches(name, _DECLARATIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the tasks are: {', '.join(names())}"
        raise HarnessError(f"unknown task {name[:60]!r}: {hint}")
    return name


@cache
def _load(name: str) -> Task:
    module, attribute = _DECLARATIONS[name].split(":")
    task = getattr(import_module(module), attribute)
    assert isinstance(task, Task)
    return task


def get(name: str) -> Task:
    """The task of that name or spelling; raises `HarnessError` for one that does not exist."""
    return _load(canonical(name))
