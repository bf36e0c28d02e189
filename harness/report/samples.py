"""The samples worth a look: where a system does worst, and where two differ most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.registry import Metric, Task
from harness.report.measures import compared_by, metrics_of, own_column, pull, shown_columns
from harness.report.texts import Output, output, value_of
from harness.scoring import ScoredTask

if TYPE_CHECKING:
    from harness.registry import FloatArray

MOST = 50
_VALUES = 5


@dataclass(frozen=True)
class Answer:
    """What a system answered, and its values there, named."""

    system: str
    output: Output
    values: list[tuple[str, str]]


@dataclass(frozen=True)
class Sample:
    """One sample: its gold, and the answers of one system or two."""

    id: str
    user: str | None
    gold: Output
    answers: list[Answer]


@dataclass(frozen=True)
class SampleList:
    """The first of `n_in_all` samples under one heading; `what` says which they are and in what order."""

    title: str
    what: str
    samples: list[Sample]
    n_in_all: int


@dataclass(frozen=True)
class Wins:
    """On how many samples a system is better than the baseline, equal, and worse."""

    better: int
    equal: int
    worse: int


def worst(task: Task, name: str, scored: ScoredTask, budget: int) -> SampleList:
    """The samples that pull the primary metric down, the furthest first; at most `MOST`, of `budget` characters."""
    pulled = pull(task, scored)
    scale = float(np.nanmax(np.abs(pulled))) if np.isfinite(pulled).any() else 0.0
    below = np.flatnonzero(pulled < -1e-9 * scale)
    rows = below[np.argsort(pulled[below], kind="stable")]
    columns = shown_columns(task, scored, _VALUES)
    metric = metrics_of(task, scored)[0]
    side = "below the mean" if metric.higher_is_better else "above the mean"
    return SampleList(
        title=f"Worst samples of {name}" if name else "Worst samples",
        what=f"{side if own_column(metric, scored) else 'making it worse'}, by {metric.name}",
        samples=_within(budget, (_sample(row, {name: scored}, columns) for row in rows[:MOST].tolist())),
        n_in_all=len(below),
    )


def differing(task: Task, names: tuple[str, str], pair: tuple[ScoredTask, ScoredTask], budget: int) -> list[SampleList]:
    """The samples on which the first system is better than the second, and those on which it is worse."""
    found = compared_by(task, pair[0])
    if found is None or found[1] not in pair[1].samples.columns:
        return []
    metric, column = found
    ahead = gains(metric, column, pair)
    lists = []
    for word, side in (("better", -ahead), ("worse", ahead)):
        rows = np.flatnonzero(side < 0)
        rows = rows[np.argsort(side[rows], kind="stable")]
        shown = (_sample(row, dict(zip(names, pair, strict=True)), [column]) for row in rows[: MOST // 2].tolist())
        title = f"{names[0]} {word} than {names[1]}"
        lists.append(SampleList(title, f"samples, by {column}", _within(budget // 2, shown), len(rows)))
    return lists


def wins(task: Task, pair: tuple[ScoredTask, ScoredTask]) -> dict[str, Wins]:
    """By metric that has a value of each sample: how often the first system is better than the second."""
    counted = {}
    for metric in metrics_of(task, pair[0]):
        column = own_column(metric, pair[0])
        if column is not None and column in pair[1].samples.columns:
            ahead = gains(metric, column, pair)
            better, worse = int((ahead > 0).sum()), int((ahead < 0).sum())
            counted[metric.name] = Wins(better, int((ahead == 0).sum()), worse)
    return counted


def gains(metric: Metric, column: str, pair: tuple[ScoredTask, ScoredTask]) -> FloatArray:
    """How much better the first system is on each sample, `(n_samples,)`; NaN where either has no value."""
    ahead = pair[0].samples.columns[column] - pair[1].samples.columns[column]
    return ahead if metric.higher_is_better else -ahead


def _sample(row: int, systems: Mapping[str, ScoredTask], columns: list[str]) -> Sample:
    golds = next(iter(systems.values())).golds
    answers = [
        Answer(
            system=name,
            output=output(one.predictions.outputs[row]),
            values=[(column, value_of(float(one.samples.columns[column][row]))) for column in columns],
        )
        for name, one in systems.items()
    ]
    return Sample(golds.ids[row], golds.users[row] if golds.users else None, output(golds.outputs[row]), answers)


def _within(budget: int, samples: Iterable[Sample]) -> list[Sample]:
    """The first samples, until their texts take more characters than `budget`; always one."""
    taken: list[Sample] = []
    spent = 0
    for sample in samples:
        spent += sample.gold.size + sum(answer.output.size for answer in sample.answers)
        if taken and spent > budget:
            break
        taken.append(sample)
    return taken
