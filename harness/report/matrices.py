"""Gold against predicted: labels, and ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.registry import Task
from harness.scoring import ScoredTask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

_SHADES = 10
_MOST_RATINGS = 10
_NO_LABEL = "no label"


@dataclass(frozen=True)
class Cell:
    """A count, its share of the row, its shade from 0 to 10, and whether gold and prediction agree there."""

    count: int
    share: float
    shade: int
    same: bool


@dataclass(frozen=True)
class Matrix:
    """A table of counts: a row for each gold, a column for each prediction, the last ones for what is no gold."""

    system: str
    columns: list[str]
    rows: list[tuple[str, int, list[Cell]]]

    @property
    def small(self) -> bool:
        """Whether it fits beside others."""
        return len(self.rows) <= 5


def label_matrix(task: Task, system: str, scored: ScoredTask) -> Matrix | None:
    """Gold label against predicted label, where the task has labels."""
    columns = scored.samples.columns
    if not task.labels or not {"gold_label", "predicted_label"} <= columns.keys():
        return None
    n = len(task.labels)
    gold, predicted = (_codes(columns[name], n) for name in ("gold_label", "predicted_label"))
    named = [*task.labels, _NO_LABEL]
    return _matrix(system, named if (gold == n).any() else task.labels, named, gold, predicted)


def rating_matrix(system: str, scored: ScoredTask) -> Matrix | None:
    """Gold rating against the prediction rounded to a whole one, where golds are few whole numbers."""
    columns = scored.samples.columns
    if not {"gold", "prediction"} <= columns.keys():
        return None
    gold, predicted = columns["gold"], np.floor(columns["prediction"] + 0.5)
    low, high = float(gold.min()), float(gold.max())
    if not (gold == np.round(gold)).all() or high - low >= _MOST_RATINGS:
        return None
    n = int(high - low) + 1
    ratings = [f"{low + step:.0f}" for step in range(n)]
    places = np.where(predicted < low, n, np.where(predicted > high, n + 1, predicted - low)).astype(np.int64)
    ends = [f"< {ratings[0]}", f"> {ratings[-1]}"]
    return _matrix(system, ratings, [*ratings, *ends], (gold - low).astype(np.int64), places)


def _codes(values: FloatArray, n: int) -> NDArray[np.int64]:
    """The number of each label; `n` for what is none."""
    known = np.isfinite(values) & (values >= 0) & (values < n)
    return np.where(known, np.nan_to_num(values, posinf=0, neginf=0), n).astype(np.int64)


def _matrix(
    system: str, golds: Sequence[str], columns: list[str], gold: NDArray[np.int64], predicted: NDArray[np.int64]
) -> Matrix:
    """Counts of each pair; golds that are none of `golds` are left out, and predictions that are where none occurs."""
    width = len(columns)
    known = gold < len(golds)
    counts = np.bincount(gold[known] * width + predicted[known], minlength=len(golds) * width).reshape(-1, width)
    shown = [place for place in range(width) if place < len(golds) or counts[:, place].any()]
    columns, counts = [columns[place] for place in shown], counts[:, shown]
    rows = []
    for label, row in zip(golds, counts.tolist(), strict=True):
        total = sum(row)
        cells = [_cell(count, total, columns[place] == label) for place, count in enumerate(row)]
        rows.append((label, total, cells))
    return Matrix(system, columns, rows)


def _cell(count: int, total: int, same: bool) -> Cell:
    share = count / total if total else 0.0
    return Cell(count, share, max(1, round(_SHADES * share)) if count else 0, same)
