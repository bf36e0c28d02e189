"""What the formats have in common: which rows there are, what a cell says, which one is best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import printable
from harness.result import MetricResult, Result, Scores

if TYPE_CHECKING:
    from harness.comparison import Comparison

Row = tuple[str, ...]
NOTHING = "-"


@dataclass(frozen=True)
class Section:
    """A table with a title above it and notes below it."""

    title: str
    head: Row
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def number(value: float | None, decimals: int, sign: str = "-") -> str:
    """A number with so many decimals, `-` where there is none; with `sign="+"` a plus is written too."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:{sign}.{decimals}f}"


def interval(pair: tuple[float, float] | None, decimals: int, sign: str = "-") -> str:
    """An interval as `[low, high]`, `-` where there is none."""
    return NOTHING if pair is None else f"[{number(pair[0], decimals, sign)}, {number(pair[1], decimals, sign)}]"


def tasks_of(systems: Mapping[str, Scores]) -> list[str]:
    """The tasks any system was scored on, in the order of the first that has them."""
    return list(dict.fromkeys(task for scores in systems.values() for task in scores))


def results_of(systems: Mapping[str, Scores], task: str) -> dict[str, Result]:
    """The result of each system that has the task."""
    return {name: scores[task] for name, scores in systems.items() if task in scores}


def level_of(systems: Mapping[str, Scores]) -> float:
    """The level of the intervals, which is one for all."""
    return next(result.level for scores in systems.values() for result in scores.values())


def metrics_of(results: Mapping[str, Result]) -> dict[str, dict[str, MetricResult]]:
    """By metric, the value of each system that has it."""
    table: dict[str, dict[str, MetricResult]] = {}
    for name, result in results.items():
        for metric, value in result.metrics.items():
            table.setdefault(metric, {})[name] = value
    return table


def best_of(values: Mapping[str, MetricResult], printed: Callable[[float], str]) -> set[str]:
    """The systems whose value is `printed` as the best one is; none where there is nothing to choose from."""
    finite = {name: metric for name, metric in values.items() if math.isfinite(metric.value)}
    if len(finite) < 2:
        return set()
    choose = max if next(iter(finite.values())).higher_is_better else min
    best = printed(choose(metric.value for metric in finite.values()))
    return {name for name, metric in finite.items() if printed(metric.value) == best}


def samples(result: Result) -> str:
    """How many samples were scored, and of how many where some are missing."""
    return f"{result.n:,}" if result.n == result.n_golds else f"{result.n:,} of {result.n_golds:,}"


def scores_section(results: Mapping[str, Result], task: str, decimals: int, named: bool) -> Section:
    """The scores of one task, a row for each metric and, where they are `named`, for each system."""
    rows = [
        (
            metric + (" *" if metric == results[name].primary else ""),
            *([printable(name)] if named else []),
            number(value.value, decimals),
            number(value.standard_error, decimals),
            interval(value.interval, decimals),
            "higher" if value.higher_is_better else "lower",
        )
        for metric, values in metrics_of(results).items()
        for name, value in values.items()
    ]
    head = ("metric", *(["system"] if named else []), "value", "standard error", "interval", "better")
    return Section(_title(results, task, named), head, tuple(rows), tuple(notes_of(results)))


def _title(results: Mapping[str, Result], task: str, named: bool) -> str:
    sizes: dict[str, list[str]] = {}
    for name, result in results.items():
        size = f"{samples(result)} sample{'' if result.n_golds == 1 else 's'}"
        if result.n_clusters is not None:
            size += f", {result.n_clusters:,} clusters by {result.cluster}"
        sizes.setdefault(size, []).append(printable(name))
    version = next(iter(results.values())).task_version
    told = [f"{', '.join(names)}: {size}" if named and len(sizes) > 1 else size for size, names in sizes.items()]
    return f"{task} version {version}, {'; '.join(told)}"


def grouped_notes(results: Mapping[str, Result]) -> list[tuple[list[str], str]]:
    """What a reader must know of these results: each note once, with the systems it is about; none where about all."""
    about: dict[str, list[str]] = {}
    for name, result in results.items():
        metric_notes = [f"{metric}: {value.note}" for metric, value in result.metrics.items() if value.note]
        for note in dict.fromkeys([*result.notes, *metric_notes]):
            about.setdefault(note, []).append(name)
    return [([] if len(names) == len(results) else names, note) for note, names in about.items()]


def notes_of(results: Mapping[str, Result]) -> list[str]:
    """The notes as lines of text."""
    return [printable((f"{', '.join(names)}: " if names else "") + note) for names, note in grouped_notes(results)]


def missing_notes(systems: Mapping[str, Scores]) -> list[str]:
    """A sentence for each system that lacks tasks."""
    return [
        (f"{printable(name)}: " if len(systems) > 1 else "") + f"no predictions of {', '.join(scores.missing)}"
        for name, scores in systems.items()
        if scores.missing
    ]


def differences_section(comparison: Comparison, task: str, decimals: int) -> Section | None:
    """How far each system is from the baseline on one task; None where no two systems were compared on it."""
    compared = comparison.differences.get(task, {})
    of_metric = {metric: None for metrics in compared.values() for metric in metrics}
    rows = [
        (
            metric,
            printable(name),
            number(one.value, decimals, "+"),
            interval(one.interval, decimals, "+"),
            number(one.p_value, 4),
            number(one.p_holm, 4),
            {True: "better", False: "worse", None: NOTHING}[one.better],
        )
        for metric in of_metric
        for name, metrics in compared.items()
        if (one := metrics.get(metric)) is not None
    ]
    if not rows:
        return None
    head = ("metric", "system", "difference", "interval", "p", "p (Holm)", "direction")
    return Section(f"{task}, difference from {printable(comparison.baseline)}", head, tuple(rows))
