"""Scores as a LaTeX table with the rules of booktabs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.errors import printable
from harness.formats.sections import (
    best_of,
    interval,
    level_of,
    metrics_of,
    missing_notes,
    notes_of,
    number,
    results_of,
    tasks_of,
)
from harness.result import MetricResult, Scores

# A bracket that follows the end of a row would be read as an option of it.
_SPECIAL = str.maketrans(
    {
        **{char: f"\\{char}" for char in "$&%#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": "$<$",
        ">": "$>$",
        "|": "$|$",
        "[": "{[}",
    }
)


def latex(systems: Mapping[str, Scores], decimals: int = 4) -> str:
    """A `tabular` to put into a table of your own; of several systems a column each, the best in bold.

    Of one system it holds value, standard error and interval. Notes follow as comments. It needs `\\usepackage{booktabs}`.
    """
    several = len(systems) > 1
    columns = (
        list(map(escape, systems))
        if several
        else ["Value", "Standard error", f"{100 * level_of(systems):g}\\,\\% interval"]
    )
    rows = _several(systems, decimals) if several else _one(systems, decimals)
    lines = [
        "% needs \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{ll{'r' * len(columns)}}}",
        "\\toprule",
        _row("Task", "Metric", *columns),
        *rows,
        "\\bottomrule",
        "\\end{tabular}",
        *(f"% {task}: {note}" for task in tasks_of(systems) for note in notes_of(results_of(systems, task))),
        *(f"% {note}" for note in missing_notes(systems)),
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """The text with all that LaTeX would take for its own written so that it prints."""
    return printable(text).translate(_SPECIAL)


def _one(systems: Mapping[str, Scores], decimals: int) -> Iterator[str]:
    (scores,) = systems.values()
    for task, result in scores.items():
        yield "\\midrule"
        for place, (metric, value) in enumerate(result.metrics.items()):
            numbers = (number(value.value, decimals), number(value.standard_error, decimals))
            yield _row(
                "" if place else escape(task),
                _metric(metric, value),
                *map(_signed, numbers),
                _signed(interval(value.interval, decimals)),
            )


def _several(systems: Mapping[str, Scores], decimals: int) -> Iterator[str]:
    for task in tasks_of(systems):
        yield "\\midrule"
        for place, (metric, values) in enumerate(metrics_of(results_of(systems, task)).items()):
            best = best_of(values, lambda value: number(value, decimals))
            cells = [_cell(values.get(name), name in best, decimals) for name in systems]
            yield _row("" if place else escape(task), _metric(metric, next(iter(values.values()))), *cells)


def _cell(metric: MetricResult | None, best: bool, decimals: int) -> str:
    value = _signed(number(metric.value if metric else None, decimals))
    return f"\\textbf{{{value}}}" if best else value


def _signed(cell: str) -> str:
    """A minus sign where a hyphen stands before a digit; a lone hyphen, for nothing, becomes a dash."""
    return "--" if cell == "-" else cell.replace("-", "$-$")


def _metric(name: str, value: MetricResult) -> str:
    arrow = "uparrow" if value.higher_is_better else "downarrow"
    return f"{escape(name)} $\\{arrow}$"


def _row(*cells: str) -> str:
    return " & ".join(cells) + r" \\"
