"""What a metric says of one sample: its own value there, or how far the sample pulls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness.intervals import influence, sums_of
from harness.registry import Metric, Task
from harness.scoring import ScoredTask

if TYPE_CHECKING:
    from harness.registry import FloatArray

_READ_FROM_OUTPUTS = ("gold_label", "predicted_label", "gold", "prediction")  # seen in the outputs themselves


def metrics_of(task: Task, scored: ScoredTask) -> list[Metric]:
    """The metrics that were scored, the primary one first."""
    had = [metric for metric in task.metrics if metric.name in scored.result.metrics]
    return sorted(had, key=lambda metric: metric.name != task.primary)


def own_column(metric: Metric, scored: ScoredTask) -> str | None:
    """The per-sample column that is the metric's value of a sample: that of its name, or the only one it sums."""
    if metric.name in scored.samples.columns:
        return metric.name
    return metric.columns[0] if len(metric.columns) == 1 and metric.terms is None else None


def own_columns(task: Task, scored: ScoredTask) -> list[str]:
    """The columns that are some metric's value of a sample, once each, the primary metric's first."""
    found = (own_column(metric, scored) for metric in metrics_of(task, scored))
    return [column for column in dict.fromkeys(found) if column is not None]


def shown_columns(task: Task, scored: ScoredTask, most: int) -> list[str]:
    """The columns worth showing with a sample: first those that are a metric's value, then the others."""
    columns = dict.fromkeys([*own_columns(task, scored), *scored.samples.columns])
    return [column for column in columns if column not in _READ_FROM_OUTPUTS][:most]


def compared_by(task: Task, scored: ScoredTask) -> tuple[Metric, str] | None:
    """The first metric that has a value of its own for each sample, and its column."""
    for metric in metrics_of(task, scored):
        if column := own_column(metric, scored):
            return metric, column
    return None


def pull(task: Task, scored: ScoredTask) -> FloatArray:
    """How far each sample moves the primary metric in its good direction, `(n_samples,)`; below 0: it makes it worse.

    Up to a factor: the sample's distance from the mean, or where the metric has no value of one sample, the first-order
    change by the delta method. NaN where the sample has no value.
    """
    metric = metrics_of(task, scored)[0]
    columns = scored.samples.columns
    if column := own_column(metric, scored):
        values = columns[column]
        moved = values - np.nanmean(values)
    else:
        moved = _influence(metric, metric.summands(columns))
    return moved if metric.higher_is_better else -moved


def _influence(metric: Metric, terms: Mapping[str, FloatArray]) -> FloatArray:
    """What each sample adds to the metric, `(n_samples,)`."""
    n_samples = len(next(iter(terms.values())))
    return influence(metric.estimate, terms, sums_of(terms, n_samples), n_samples)
