"""Scores as tidy CSV: a row for each system, task and metric, numbers with all their digits."""

from __future__ import annotations

import csv as csv_format
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.errors import printable
from harness.result import Result, Scores

if TYPE_CHECKING:
    from harness.comparison import Comparison, Difference

_COLUMNS = (
    "system",
    "task",
    "metric",
    "value",
    "standard_error",
    "interval_low",
    "interval_high",
    "higher_is_better",
    "n",
    "n_golds",
    "primary",
)
_OF_DIFFERENCES = ("baseline", "difference", "difference_low", "difference_high", "p_value", "p_holm")


def csv(systems: Mapping[str, Scores], comparison: Comparison | None = None) -> str:
    """CSV after RFC 4180; what is undefined is an empty field. With a comparison, columns of the differences follow.

    The names of systems come from file names: one that begins with `=`, `+`, `-` or `@`, which a spreadsheet would
    take for a formula, is written with `'` before it. What cannot be printed in a name is written as `?`.
    """
    stream = io.StringIO()
    writer = csv_format.writer(stream)
    writer.writerow(_COLUMNS + (_OF_DIFFERENCES if comparison else ()))
    for name, scores in systems.items():
        for task, result in scores.items():
            differences = comparison.differences.get(task, {}).get(name, {}) if comparison else {}
            for metric, row in _rows(name, result):
                extra = _difference(comparison.baseline, differences.get(metric)) if comparison else ()
                writer.writerow((*row, *extra))
    return stream.getvalue()


def _rows(name: str, result: Result) -> Iterator[tuple[str, tuple[object, ...]]]:
    for metric, value in result.metrics.items():
        yield (
            metric,
            (
                _name(name),
                result.task,
                metric,
                value.value,
                value.standard_error,
                *(value.interval or (None, None)),
                _word(value.higher_is_better),
                result.n,
                result.n_golds,
                _word(metric == result.primary),
            ),
        )


def _difference(baseline: str, one: Difference | None) -> tuple[object, ...]:
    if one is None:
        return (None,) * len(_OF_DIFFERENCES)
    return (_name(baseline), one.value, *(one.interval or (None, None)), one.p_value, one.p_holm)


def _name(system: str) -> str:
    name = printable(system)  # which leaves no tab or line end to begin with
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name


def _word(true: bool) -> str:
    return "true" if true else "false"
