"""Scores as tables of GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.errors import printable
from harness.formats.published import anchors_section
from harness.formats.sections import (
    NOTHING,
    Row,
    Section,
    best_of,
    differences_section,
    interval,
    level_of,
    metrics_of,
    missing_notes,
    notes_of,
    number,
    results_of,
    samples,
    tasks_of,
)
from harness.result import MetricResult, Scores

if TYPE_CHECKING:
    from harness.comparison import Comparison
    from harness.lamp.anchors import AnchorTable

# An underscore inside a word, as in LaMP_4, marks nothing; brackets are links only before a parenthesis.
_SPECIAL = re.compile(r"[\\`*|<>~$&#!]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|(?<=\])\(")


def markdown(
    systems: Mapping[str, Scores],
    comparison: Comparison | None = None,
    anchors: Sequence[AnchorTable] = (),
    decimals: int = 4,
) -> str:
    """One table of all tasks, a row for each metric; of several systems a column each, the best in bold.

    After it come the differences from the baseline and the published scores, where they are given, and the notes.
    """
    head, rows = _one(systems, decimals) if len(systems) == 1 else _several(systems, decimals)
    tasks = tasks_of(systems)
    sections = [differences_section(comparison, task, decimals) for task in tasks if comparison]
    sections += [anchors_section(results_of(systems, task), task, anchors, decimals) for task in tasks]
    notes = [*_notes(systems), *(comparison.notes if comparison else ())]
    parts = [_lines(head, rows), *(_section(section) for section in sections if section), _listed(notes)]
    return "\n".join(part for part in parts if part)


def escape(text: str) -> str:
    """The text with a backslash before all that Markdown would take for its own, on one line."""
    return _SPECIAL.sub(r"\\\g<0>", printable(text))


def _one(systems: Mapping[str, Scores], decimals: int) -> tuple[Row, list[Row]]:
    (scores,) = systems.values()
    rows: list[Row] = [
        (
            escape(task),
            _metric(metric, value),
            number(value.value, decimals),
            number(value.standard_error, decimals),
            interval(value.interval, decimals),
            samples(result),
        )
        for task, result in scores.items()
        for metric, value in result.metrics.items()
    ]
    return ("task", "metric", "value", "standard error", f"{100 * level_of(systems):g} % interval", "samples"), rows


def _several(systems: Mapping[str, Scores], decimals: int) -> tuple[Row, list[Row]]:
    rows: list[Row] = []
    for task in tasks_of(systems):
        results = results_of(systems, task)
        sizes = " / ".join(dict.fromkeys(map(samples, results.values())))
        for metric, values in metrics_of(results).items():
            best = best_of(values, lambda value: number(value, decimals))
            cells = [_cell(values.get(name), name in best, decimals) for name in systems]
            rows.append((escape(task), _metric(metric, next(iter(values.values()))), *cells, sizes))
    return ("task", "metric", *map(escape, systems), "samples"), rows


def _cell(metric: MetricResult | None, best: bool, decimals: int) -> str:
    if metric is None:
        return NOTHING
    value = number(metric.value, decimals)
    error = "" if metric.standard_error is None else f" ± {number(metric.standard_error, decimals)}"
    return (f"**{value}**" if best else value) + error


def _metric(name: str, value: MetricResult) -> str:
    return f"{escape(name)} {'↑' if value.higher_is_better else '↓'}"


def _section(section: Section) -> str:
    rows = [tuple(map(escape, row)) for row in section.rows]
    table = f"**{escape(section.title)}**\n\n" + _lines(tuple(map(escape, section.head)), rows)
    return table + (f"\n{_listed(section.notes)}" if section.notes else "")


def _notes(systems: Mapping[str, Scores]) -> list[str]:
    notes = ["± is the standard error; the best of each row is bold."] if len(systems) > 1 else []
    for task in tasks_of(systems):
        notes += [f"{task}: {note}" for note in notes_of(results_of(systems, task))]
    return notes + missing_notes(systems)


def _lines(head: Row, rows: Sequence[Row]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))


def _listed(notes: Sequence[str]) -> str:
    return "".join(f"- {escape(note)}\n" for note in notes)
