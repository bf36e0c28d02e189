"""How the values of single samples are spread, a histogram for each system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.registry import Task
from harness.report.charts import Bars, histogram
from harness.report.measures import own_columns
from harness.report.texts import Markup
from harness.scoring import ScoredTask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

MOST_SYSTEMS = 8
_MOST_COLUMNS = 2
_BINS = 20
_MOST_WHOLE = 24


@dataclass(frozen=True)
class Panels:
    """The histograms of one column, by system, on common axes; `undefined` samples have no value, `cut` ones lie beyond."""

    column: str
    drawings: list[tuple[str, Markup]]
    undefined: int
    cut: bool


def distributions(task: Task, systems: Mapping[str, ScoredTask]) -> list[Panels]:
    """Histograms of the columns that say most: the primary metric's first, and none of mere yes or no."""
    first, *_ = systems.values()
    shown = dict(list(systems.items())[:MOST_SYSTEMS])
    panels: list[Panels] = []
    drawn: list[NDArray[np.intp]] = []
    for column in own_columns(task, first):
        values = {name: one.samples.columns[column] for name, one in shown.items() if column in one.samples.columns}
        distinct, ranks = np.unique(np.concatenate(list(values.values())), return_inverse=True)
        # A square, or a shorter list's rank, that orders the samples as another column does would be the same picture.
        if np.isfinite(distinct).sum() > 2 and not any(np.array_equal(ranks, other) for other in drawn):
            panels.append(_panels(column, values))
            drawn.append(ranks)
        if len(panels) == _MOST_COLUMNS:
            break
    return panels


def _panels(column: str, values: Mapping[str, FloatArray]) -> Panels:
    bars = bins(list(values.values()))
    top = max(share for one in bars for share in one.shares)
    drawings = []
    for (name, one), drawn in zip(values.items(), bars, strict=True):
        behind = bars[0] if drawn is not bars[0] else None
        title = f"Histogram of {column} of {np.isfinite(one).sum():,} samples, {name}"
        drawings.append((name, histogram(drawn, top, title, column, behind)))
    undefined = int(np.isnan(next(iter(values.values()))).sum())
    cut = any(one.open_low or one.open_high for one in bars)
    return Panels(column, drawings, undefined, cut)


def bins(columns: list[FloatArray]) -> list[Bars]:
    """Histograms with common edges: a bin for each whole number, or twenty; far outliers fall into the end bins."""
    finite = [column[np.isfinite(column)] for column in columns]
    pooled = np.concatenate(finite)
    low, high = float(pooled.min()), float(pooled.max())
    near_low, near_high = (float(bound) for bound in np.quantile(pooled, [0.01, 0.99]))
    span = near_high - near_low
    start = near_low if span > 0 and near_low - low > span else low
    end = near_high if span > 0 and high - near_high > span else high
    if (pooled == np.round(pooled)).all() and end - start <= _MOST_WHOLE:
        edges = np.arange(np.floor(start), np.ceil(end) + 2) - 0.5
    else:
        if start >= -1e-9 and 0.5 < end <= 1 + 1e-9:
            start, end = 0.0, 1.0  # a share: the whole range, so that tasks look alike
        edges = np.linspace(start, end, _BINS + 1)
    return [
        Bars(
            edges=tuple(edges.tolist()),
            counts=tuple(np.histogram(np.clip(one, edges[0], edges[-1]), edges)[0].tolist()),
            mean=float(one.mean()) if len(one) else float(edges[0]),
            open_low=low < edges[0],
            open_high=high > edges[-1],
        )
        for one in finite
    ]
